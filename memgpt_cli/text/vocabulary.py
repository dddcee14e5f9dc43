"""Word lists: stop words, and irregular forms that a stemmer does not unify."""

import re
from typing import Final

STOP_WORDS: Final = frozenset(
    """a about above after again against ain all also am an and any are aren as at be because been before being below
    between both but by can cannot could couldn d did didn do does doesn doing don down during each else ever few for
    from further had hadn has hasn have haven having he her here hers herself him himself his how i if in into is isn
    it its itself just ll m me might mightn mine more most must mustn my myself no nor not now o of off on once only or
    other our ours ourselves out over own re s same shall she should shouldn so some such t than that the their theirs
    them themselves then there these they this those through to too under until up upon us ve very was wasn we were
    weren what when where which while who whom whose why will with won would wouldn yet you your yours yourself
    yourselves""".split()  # noqa: SIM905 - a string is easier to read for a list of words
)
"""English words that say nothing about the subject."""

IRREGULAR: Final = tuple(
    tuple(group.split())
    for group in """bear bore born borne; beat beaten; become became; begin began begun; bend bent; bet; bite
    bit bitten; bleed bled; blow blew blown; break broke broken; breed bred; bring brought; build built; burn
    burnt; buy bought; catch caught; choose chose chosen; cling clung; come came; creep crept; deal dealt; dig
    dug; draw drew drawn; dream dreamt; drink drank drunk; drive drove driven; eat ate eaten; fall fell fallen;
    feed fed; feel felt; fight fought; find found; flee fled; fly flew flown; forbid forbade forbidden; forget
    forgot forgotten; forgive forgave forgiven; freeze froze frozen; get got gotten; give gave given; go went
    gone; grind ground; grow grew grown; hang hung; hear heard; hide hid hidden; hold held; keep kept; kneel
    knelt; know knew known; lay laid; lead led; leap leapt; learn learnt; leave left; lend lent; light lit; lose
    lost; make made; mean meant; meet met; mistake mistook mistaken; overcome overcame; pay paid; prove proven;
    ride rode ridden; ring rang rung; rise rose risen; run ran; say said; see saw seen; seek sought; sell sold;
    send sent; sew sewn; shake shook shaken; shine shone; shoot shot; show shown; shrink shrank shrunk; sing
    sang sung; sink sank sunk; sit sat; sleep slept; slide slid; speak spoke spoken; spend spent; spin spun;
    spring sprang sprung; stand stood; steal stole stolen; stick stuck; sting stung; strike struck; strive
    strove striven; swear swore sworn; sweep swept; swim swam swum; swing swung; take took taken; teach taught;
    tear tore torn; tell told; think thought; throw threw thrown; understand understood; undertake undertook
    undertaken; wake woke woken; wear wore worn; weave wove woven; weep wept; win won; wind wound; withdraw
    withdrew withdrawn; write wrote written; child children; foot feet; goose geese; half halves; knife knives;
    leaf leaves; life lives; loaf loaves; man men; mouse mice; person people; shelf shelves; thief thieves;
    tooth teeth; wife wives; wolf wolves; woman women""".split(";")  # noqa: SIM905
)
"""Forms of one English word with different stems. A query for one of them finds the others."""

STOP_CHARACTERS: Final = re.compile(
    "什么时候|什么|怎么样|怎么|怎样|为什么|哪里|哪儿|哪个|哪些|多少|是不是|有没有|我们|你们|他们|她们|它们|这个|那个|这些|那些|"
    "的|了|吗|呢|吧|啊|是|在|我|你|他|她|它|您|和|与|及|或|也|都|就|把|被|给|对|很|这|那|哪|谁|"
    "什麼時候|什麼|怎麼樣|怎麼|為什麼|哪裡|哪裏|多少|我們|你們|他們|她們|這個|那個|這些|嗎|這|誰|"
    "ですか|ますか|でした|ました|です|ます|した|している|する|いつ|どこ|だれ|誰|なに|何|どの|どんな|どれ|どう|なぜ|"
    "わたし|あなた|この|その|あの|これ|それ|から|まで|は|が|を|に|で|と|の|も|へ|か|"
    "무엇|언제|어디|누구|어떤|어느|왜|어떻게|나는|너는|내가|네가"
)
"""Stop words of Chinese (both scripts), Japanese and Korean. A query is split at them."""
