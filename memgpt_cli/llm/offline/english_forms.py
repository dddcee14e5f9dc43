"""The English sentence forms that tell something about their speaker, each with the maker of its note.

Compiled when the first English sentence comes, since not every start needs them.
"""

import re
from functools import cache
from typing import Final

from memgpt_cli.llm.offline import english_notes as notes
from memgpt_cli.llm.offline.english_notes import Maker, made
from memgpt_cli.llm.offline.english_words import ATTRIBUTE, OWNED, RELATIVE, STATE

_I_AM: Final = r"i(?:['’]?m| am)"
_ADVERB: Final = (
    r"(?: (?:really|absolutely|also|just|do|still|always|totally|truly|especially|particularly|personally|very much"
    r"|currently|now|actually))*"
)


@cache
def forms() -> tuple[tuple[re.Pattern[str], Maker], ...]:
    """The forms, in the order in which they are tried; each must match a whole clause."""
    return tuple((re.compile(pattern, re.IGNORECASE), maker) for pattern, maker in _FORMS)


def _form(pattern: str, maker: Maker) -> tuple[str, Maker]:
    return pattern, maker


_FORMS: Final[tuple[tuple[str, Maker], ...]] = (
    _form(
        r"(?:my (?:full |first |real )?name(?:['’]?s| is|:)|i am called|i['’]m called|the name['’]?s) (?:now )?(.+)",
        notes.named,
    ),
    _form(
        r"(?:please |you can |you may |people |friends |my friends |everyone |everybody )?calls? me (.+)", notes.called
    ),
    _form(r"i go by (.+)", notes.called),
    _form(rf"(?:i|we){_ADVERB} (?:live|reside) (in|at|near) (.+)", notes.home),
    _form(
        rf"i{_ADVERB} live with my (?P<who>{RELATIVE}) (?P<name>(?-i:[A-Z])\w+)(?: (?P<at>in|at|near) (?P<place>.+))?",
        notes.lives_with,
    ),
    _form(rf"(?:{_I_AM}|i['’]?ve been){_ADVERB} (?:living|based|located) (in|at|near) (.+)", notes.home),
    _form(r"i(?:['’]ve| have)? lived (in) (.+? (?:since|for) .+)", notes.home),
    _form(r"(?:i|we)(?:['’]ve| have)?(?: just| recently| finally)? (?:moved|relocated)(?: back)? to (.+)", notes.moved),
    _form(
        r"i(?: no longer live| don['’]?t live| do not live|['’]m not living) in ([^,]+?)(?: any ?more)?",
        made("No longer lives in"),
    ),
    _form(
        rf"(?:{_I_AM} (?:originally )?from|i(?: originally)? come from|i was born and raised in) (.+)",
        notes.origin,
    ),
    _form(
        r"(?:i was born on|my birthday(?:['’]?s| is)(?: on)?) ((?=.*(?:\d|jan|feb|mar|apr|may|jun|jul|aug|sep"
        r"|oct|nov|dec)).+)",
        made("Birthday:"),
    ),
    _form(r"i was (born) in (.+)", notes.grown),
    _form(r"i (grew up) in (.+)", notes.grown),
    _form(
        rf"(?:i{_ADVERB} work|{_I_AM}{_ADVERB} working|{_I_AM} employed|i['’]ve been working|i (?:just )?(?:got"
        rf"|started) (?:a )?(?:new )?(?:job|work|working))"
        r" as (?P<role>.+?)(?: (?P<at>at|for|in|with) (?P<where>.+))?",
        notes.works,
    ),
    _form(
        rf"(?:i{_ADVERB} work|{_I_AM}{_ADVERB} working|{_I_AM} employed|i (?:just )?(?:got"
        rf"|started) (?:a )?(?:new )?(?:job|work|working))"
        r" (?P<at>at|for|in|with) (?P<where>.+)",
        notes.works,
    ),
    _form(
        r"(?:i|i['’]ve|i have)(?: just| recently)? (?:started|begun|began) (?P<at>at|with) (?P<where>.+?) as"
        r" (?P<role>.+)",
        notes.works,
    ),
    _form(r"i (?:now )?(teach [\w ]+?)(?: (?P<at>at) (?P<where>.+))?", notes.teaches),
    _form(r"i (?:(?:have |['’]ve )?(?:just )?quit|left) my job at (.+?)(?: any ?more)?", made("No longer works at")),
    _form(r"i (?:no longer|don['’]?t|do not) work (?:at|for) (.+?)(?: any ?more)?", made("No longer works at")),
    _form(rf"{_I_AM} (?:only |now |almost |just |actually )?(\d{{1,3}})(?: years? old| yrs? old| y/?o)?", notes.age),
    _form(r"(?:i (?:just )?turned|my age is) (\d{1,3})(?: .{0,30})?", notes.age),
    _form(rf"{_I_AM}{_ADVERB} (?:deathly |severely |very |badly )?allergic to (.+)", notes.allergic),
    _form(r"i have (?:an? )?(?:severe |bad )?(.+?) allergy", made("Allergic to", words=3, stop="no|an|a|some")),
    _form(rf"{_I_AM} not allergic to (.+?)(?: any ?more)?", made("Not allergic to")),
    _form(rf"{_I_AM} no longer ((?:allergic to .+)|{STATE}|an? .+)", made("No longer")),
    _form(rf"{_I_AM}{_ADVERB} ({STATE})", made("Is")),
    _form(rf"{_I_AM} not ({STATE})(?: any ?more)?", made("Not")),
    _form(r"i (?:can['’]?t|cannot) (swim|drive|cook|dance|sing|ski|ride .+)", made("Cannot")),
    _form(
        r"i(?:['’]ve| have)?(?: (?:suffer from|was diagnosed with|been diagnosed with|have|got)) (?:a "
        r"|an )?((?:type \w+ )?(?:asthma|diabetes|epilepsy|migraines?|arthritis|adhd|autism|depression|anxiety"
        r"|celiac disease|high blood pressure|cancer|insomnia|dyslexia|ptsd|ocd)(?: .{0,30})?)",
        made("Has"),
    ),
    _form(r"i (?:was|got|['’]ve been|have been) diagnosed with (.+)", made("Diagnosed with", words=6)),
    _form(r"i (?:can['’]?t|cannot|can not) eat (.+)", made("Cannot eat", stop="it|that|this|anything|any more|more")),
    _form(
        r"i (?:don['’]?t|do not|never) (eat|drink)",
        lambda m: f"Does not {m[1].lower()}" if m[1].lower() == "drink" else None,
    ),
    _form(
        r"i (?:don['’]?t|do not|never) ((?:eat|drink|smoke).*?)(?: any ?more)?",
        made("Does not", stop="eat it|drink it"),
    ),
    _form(
        rf"i{_ADVERB} (?P<verb>love|adore|like|enjoy|prefer|hate|detest|can['’]t stand|cannot stand|dislike"
        rf"|don['’]t like|do not like|dont like"
        r"|don['’]t enjoy|don['’]t love|no longer like|no longer love) (?P<what>.+)",
        notes.taste,
    ),
    _form(
        rf"{_I_AM}{_ADVERB} (?P<rest>not a fan of|into|fond of|passionate about|crazy about|a (?:big "
        rf"|huge )?fan of) (?P<what>.+)",
        notes.inclined,
    ),
    _form(
        r"(?:my|our) (?:all[- ]time |absolute )?favou?rite (?P<kind>[\w' -]+?)(?: (?:is|are|would be|has to be)"
        r"|['’]s) (?P<value>.+)",
        notes.favourite,
    ),
    _form(
        r"(?P<value>.{2,60}?) (?:is|are) my (?:all[- ]time |absolute )?favou?rite (?P<kind>[\w' -]+)", notes.favourite
    ),
    _form(
        rf"(?:i|we)(?:['’]ve)?(?: also| just| recently)? (?:have|got|own|adopted"
        rf"|bought)(?: got)? (?P<what>{OWNED}(?:(?:, | and |, and ){OWNED})*)",
        notes.has,
    ),
    _form(rf"(?:my|our) (?P<what>{ATTRIBUTE})(?: (?:is|are)|['’]s) (?:now )?(?P<value>.+)", notes.attribute),
    _form(r"i speak (.+)", made("Speaks", words=7, stop="to|with|for|up|out|at|in|about")),
    _form(
        rf"i{_ADVERB} play (?:the )?(.+)",
        made("Plays", words=6, stop="an?|with|around|it|games with|a lot|for|in|on|at|down"),
    ),
    _form(
        rf"(?:i{_ADVERB} study|{_I_AM}{_ADVERB} studying|i major in) (.+)",
        made("Studies", words=8, stop="for|it|hard|with|at|to|that"),
    ),
    _form(
        rf"{_I_AM}{_ADVERB} learning (?:how )?(.+)",
        made("Learning", words=6, stop="that|from|so|about|more|it|a lot|a ton"),
    ),
    _form(rf"{_I_AM}{_ADVERB} training for (.+)", made("Training for")),
    _form(
        r"i(?: (?:really )?want|['’]d (?:really )?(?:love|like)| would (?:really )?(?:love|like)|['’]?(?:m"
        r"| am) (?:planning|hoping|saving up)|(?: plan| hope)) to ((?:visit|travel|learn|become|go|see|own|live|study"
        r"|write|run|open|buy|move|start|climb|adopt|build)\b.+)",
        made("Wants to"),
    ),
    _form(r"i drive (an? .+)", made("Drives", words=5, stop="a lot|a long")),
    _form(
        rf"{_I_AM}{_ADVERB} (?P<article>an?|the) (?P<role>(?:[\w-]+ ?){{1,4}}?)(?: (?P<at>at|for"
        rf"|with) (?P<where>(?-i:[A-Z]).+))?",
        notes.role,
    ),
    _form(r"i(?: just| recently)? got (married|divorced|engaged)(?: .*)?", lambda m: f"Is {m[1].lower()}"),
    _form(
        r"i(?:['’]m| am) (?:(?:dr|prof|mrs?|ms)\.? )?((?-i:[A-Z])[\w'’-]+(?: (?-i:[A-Z])[\w'’-]+){0,2})",
        notes.bare_name,
    ),
)
