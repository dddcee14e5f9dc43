"""What an English sentence tells about the person who says it, as notes for core memory.

A table of sentence forms, each anchored at the beginning of a clause, so that "if I lived in Rome" and "he says I like
it" give nothing. What no form covers is not lost: it stays in recall storage.
"""

import re
from collections.abc import Callable, Iterator
from typing import Final

from memgpt_cli.llm.offline.facts import Fact

LONGEST_CLAUSE: Final = 140
"""Characters beyond which a clause is a story and not a fact."""

RELATIVES: Final = (
    "wife husband partner spouse girlfriend boyfriend fiance fiancé fiancée mother mom mum father dad stepmother stepfather"
    " parents brother sister sibling son daughter child children kid kids baby twin twins grandmother grandfather grandma"
    " grandpa grandson granddaughter uncle aunt cousin nephew niece friend roommate flatmate neighbor neighbour boss manager"
    " colleague coworker teacher mentor coach therapist doctor dentist cat dog pet kitten puppy rabbit hamster parrot horse ex"
).split()  # noqa: SIM905
_RELATIVE: Final = "|".join(sorted(RELATIVES, key=len, reverse=True))
_PETS: Final = "cat|dog|kitten|puppy|rabbit|hamster|parrot|horse|turtle|bird|fish|snake|pet|guinea pig"
_COUNTED: Final = r"(?:an?|one|two|three|four|five|six|seven|\d|some|several|no) "
_OWNED: Final = (
    rf"{_COUNTED}(?:(?!and )[\w-]+ ){{0,2}}(?:{_RELATIVE}|{_PETS})(?:s|es)?"
    rf"(?:,? (?:called|named|whose name is) (?!{_COUNTED})[\w'’-]+(?:(?:,| and) (?!{_COUNTED})[\w'’-]+){{0,3}})?"
)
_ATTRIBUTE: Final = (
    r"email(?: address)?|e-mail|(?:home |work |mobile |phone |cell )?(?:phone|number|address)|mobile|job|profession|occupation"
    r"|home ?town|home country|nationality|native language|mother tongue|religion|(?:zodiac|star) sign|hobby|hobbies|goal"
    r"|dream(?: job)?|car|bike|company|employer|school|university|college|major|team|user ?name|pronouns|height|weight"
    r"|(?:shoe |shirt )?size|blood type|time ?zone|diet|(?:middle|last|family|maiden) name|surname|title|band|instrument|sport"
    r"|(?:wedding )?anniversary|house|apartment|ethnicity|heritage"
)
_NATIONALITY: Final = (
    r"(?:half[- ])?(?:American|British|English|Irish|Scottish|Welsh|French|German|Italian|Spanish|Portuguese|Dutch|Belgian|Swiss"
    r"|Austrian|Swedish|Norwegian|Danish|Finnish|Polish|Czech|Slovak|Hungarian|Romanian|Bulgarian|Greek|Turkish|Russian|Ukrainian"
    r"|Chinese|Japanese|Korean|Vietnamese|Thai|Indian|Pakistani|Iranian|Israeli|Egyptian|Nigerian|Kenyan|Canadian|Mexican"
    r"|Brazilian|Argentinian|Chilean|Colombian|Australian|Jewish|Muslim|Christian|Catholic|Buddhist|Hindu)"
)
_STATE: Final = (
    rf"(?:a )?(?:vegetarian|vegan|pescatarian|diabetic|coeliac|celiac|lactose[- ]intolerant|gluten[- ](?:free|intolerant)|deaf|blind"
    rf"|colou?r[- ]?blind|dyslexic|pregnant|retired|unemployed|self-employed|(?:happily )?married(?: to (?-i:[A-Z])\w+)?|single"
    rf"|divorced|engaged(?: to (?-i:[A-Z])\w+)?|widowed|gay|lesbian|bisexual|trans(?:gender)?|queer|non-?binary|autistic|left-handed"
    rf"|right-handed|an only child|{_NATIONALITY})(?: (?:woman|man|person))?"
)
_NOT_A_ROLE: Final = re.compile(
    r"(?:bit|little|lot|huge|total|such|mess|fan|kind|sort|firm|fool|few|long|while|good|bad|great|big|tad|couple|new here"
    r"|member|part|bunch|wreck|failure|loser|genius|believer|beginner|newcomer|newbie|stranger|one)\b"
)
_PASSING: Final = re.compile(
    r"\b(?:yesterday|today|tonight|tomorrow|this (?:morning|afternoon|evening|week|weekend)|right now|at the moment|last (?:night|week)"
    r"|next week|ago)\b",
    re.IGNORECASE,
)
_FILLER: Final = re.compile(
    r"(?:(?:hi|hello|hey|hiya|about me|well|oh|ok|okay|so|yes|yeah|yep|no|nope|also|and|but|plus|actually|btw|by the way|anyway|sorry|fyi|wow"
    r"|haha|please note(?: that)?|note that|just so you know|for your information|you know|to be honest|honestly|in fact|correction"
    r"|wait|oops|i meant?|i mean|good (?:morning|evening|afternoon)|thanks|thank you|as you know|now|currently|these days"
    r"|there|everyone|all)(?:\s*[,:;.!—–-]+\s*|\s+))+",
    re.IGNORECASE,
)
_CORRECTION: Final = re.compile(
    r"\b(?:actually|no|sorry|correction|i meant?|instead|not any ?more|now|wait|oops|wrong|changed)\b", re.IGNORECASE
)
_CLAUSES: Final = re.compile(
    r"(?:\s*[;—–]\s*|,?\s+(?:and|but|so|because|while|although|though)\s+|,\s*)(?=(?:i|i['’](?:m|ve)|my|we)\b)",
    re.IGNORECASE,
)
_SAYS: Final = re.compile(
    r"\b(?:said|says|asked|asks|replied|wrote|writes|told (?:me|him|her|us|them)|thinks|thought|shouted|answered)\W*$",
    re.I,
)
_TAIL: Final = re.compile(
    r"(?:[\s,]+(?:too|as well|though|now|right now|currently|these days|actually|by the way|btw|you know|of course|so much|a lot|anyway"
    r"|lol|haha|at the moment|nowadays|please|thanks|instead|again|again now))+$|[\s,;:.!\u2600-\u27bf\U0001f000-\U0001faff]+$",
    re.IGNORECASE,
)
_PLACE_END: Final = re.compile(
    r",?\s+(?:with|since|for|now|and|because|where|which|who|from|last|this|next|two|three|four|five|six|a few|a couple|when|about|to"
    r"|but|so|after|before|right|at the|on|as|if|until|while|ago|in (?:19|20)\d\d|in (?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*"
    r"|\d+ (?:years?|months?|weeks?|days?))\b.*$",
    re.IGNORECASE,
)
_NOT_A_PLACE: Final = re.compile(
    r"(?:peace|fear|the (?:past|moment|present|future)|denial|hope|harmony|constant|a (?:dream|bubble|world)|it|there|here|that|this)\b",
    re.IGNORECASE,
)
_REASON: Final = re.compile(
    r"(?:,?\s+(?:because|['’]?cause|'cos|since|so that|although|but|which)\b|,\s*(?:and )?(?:it|they|he|she|that|this|you|so|especially|even)\b|\s+[-–—]\s).*$",
    re.I,
)
_NO_TASTE: Final = re.compile(
    r"(?:it|that|this|them|him|her|you|your|how|what|when|where|who|why|the (?:idea|way|fact|sound|look)|to (?:think|say|see|hear|know|thank"
    r"|ask|share)|so|everything|all (?:of )?(?:it|that|this|these)|these|those|seeing|hearing|being able|to$)\b",
    re.IGNORECASE,
)
_VALUE_WORDS: Final = 12

Maker = Callable[[re.Match[str]], str | None]


def facts(sentence: str) -> Iterator[Fact]:
    """The facts of one sentence about its speaker, in order."""
    correction = _CORRECTION.search(sentence) is not None
    for clause in clauses(sentence):
        if not clause[:1] in "iImMwWcCpPtTe" or len(clause) > LONGEST_CLAUSE:
            continue
        for pattern, maker in _FORMS:
            match = pattern.fullmatch(clause)
            if match is None:
                continue
            line = maker(match)
            if line is not None:
                yield from (Fact(part, correction) for part in line.split("\n"))
                break


def clauses(sentence: str) -> Iterator[str]:
    """The clauses of a sentence that may begin with "I" or "my", without fillers and closing words.

    What stands after "she said," is somebody else speaking.
    """
    quoted = False
    for part in _CLAUSES.split(sentence):
        clause = part.strip()
        if filler := _FILLER.match(clause):
            clause = clause[filler.end() :]
        before = None
        while before != clause:
            before, clause = clause, _TAIL.sub("", clause)
        if clause and not quoted:
            yield clause
        quoted = _SAYS.search(part) is not None


def _short(value: str, words: int = _VALUE_WORDS) -> str | None:
    value = value.strip(" ,;:.!\"'“”")
    return value if value and len(value.split()) <= words else None


def _name(value: str) -> str | None:
    words = value.strip(" ,.!\"'“”").split()
    if not 1 <= len(words) <= 4 or words[0].lower() in (
        "not",
        "what",
        "a",
        "the",
        "on",
        "in",
        "very",
        "too",
        "really",
        "so",
    ):
        return None
    if not all(re.fullmatch(r"[^\W\d_][\w.'’-]*", word) for word in words):
        return None
    return " ".join(word if word != word.lower() else word.capitalize() for word in words)


def _place(value: str) -> str | None:
    value = _PLACE_END.sub("", value.strip()).strip(" ,.!")
    if not value or _NOT_A_PLACE.match(value) or len(value.split()) > 6:
        return None
    value = re.sub(r"\s+originally$", "", value, flags=re.IGNORECASE)
    return value if value != value.lower() or value.startswith(("a ", "the ")) else value.title()


def _named(match: re.Match[str]) -> str | None:
    name = _name(match[1])
    return f"Name: {name}" if name else None


def _bare_name(match: re.Match[str]) -> str | None:
    if re.fullmatch(_STATE, match[1]) or re.search(
        r"\b(?:OK|Fine|Good|Here|Back|Sorry|Sure|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)\b", match[1]
    ):
        return None
    return _named(match)


def _called(match: re.Match[str]) -> str | None:
    if re.match(
        r"(?:back|later|when|maybe|crazy|a|an|at|on|tomorrow|tonight|today|if|in|now|again|up|this|the)\b",
        match[1],
        re.IGNORECASE,
    ):
        return None
    name = _name(match[1])
    return f"Goes by {name}" if name else None


def _home(match: re.Match[str]) -> str | None:
    place = _place(match[2])
    return f"Lives {match[1].lower()} {place}" if place else None


def _moved(match: re.Match[str]) -> str | None:
    place = _place(match[1])
    if place is None or re.match(r"(?:a|an|the|my|our|his|her|another|some|this|that)\b", place, re.IGNORECASE):
        return None
    return f"Lives in {place}"


def _origin(match: re.Match[str]) -> str | None:
    place = _place(match[1])
    if place is None or place.lower().startswith(("a ", "the ", "work", "home", "school")):
        return None
    return f"Comes from {place}"


def _works(match: re.Match[str]) -> str | None:
    role = match.groupdict().get("role")
    where = match.groupdict().get("where")
    lines = []
    if role:
        role = _short(role, 6)
        if role is None:
            return None
        lines.append(f"Works as {role}")
    if where:
        where = _PLACE_END.sub("", where).strip()
        preposition = match["at"].lower()
        if (
            not where
            or len(where.split()) > 6
            or re.match(
                r"(?:night|home|the moment|the morning|a time|all|it|that|this|fun|free|hours|peace|progress|myself|my (?:art|skills))\b",
                where,
                re.IGNORECASE,
            )
        ):
            return "\n".join(lines) or None
        lines.append(f"Works {preposition} {where}")
    return "\n".join(lines) or None


def _role(match: re.Match[str]) -> str | None:
    article, role, where = match["article"], match["role"], match["where"]
    if _NOT_A_ROLE.match(role) or len(role.split()) > 4 or _PASSING.search(role):
        return None
    line = f"Is {article.lower()} {role}"
    return f"{line}\nWorks {match['at'].lower()} {where}" if where and len(where.split()) <= 5 else line


def _age(match: re.Match[str]) -> str | None:
    return f"Age: {int(match[1])}" if 2 < int(match[1]) < 120 else None


_TASTE_HEADS: Final = {
    "love": "Loves",
    "adore": "Loves",
    "like": "Likes",
    "enjoy": "Enjoys",
    "prefer": "Prefers",
    "hate": "Hates",
    "detest": "Hates",
    "can't stand": "Hates",
    "cannot stand": "Hates",
    "dislike": "Dislikes",
    "don't like": "Dislikes",
    "do not like": "Dislikes",
    "dont like": "Dislikes",
    "don't enjoy": "Dislikes",
    "don't love": "Dislikes",
    "no longer like": "Dislikes",
    "no longer love": "Dislikes",
    "am not a fan of": "Dislikes",
    "am into": "Likes",
    "am fond of": "Likes",
    "am passionate about": "Loves",
    "am crazy about": "Loves",
    "am a fan of": "Likes",
    "am a big fan of": "Likes",
    "am a huge fan of": "Likes",
}


def _taste(match: re.Match[str]) -> str | None:
    verb = re.sub(r"\s+", " ", match["verb"].lower().replace("’", "'"))
    verb = re.sub(r"^(?:i'?m|m)\b", "am", verb.removeprefix("'"))
    value = _REASON.sub("", re.sub(r"\s+any ?more$", "", match["what"]))
    if _NO_TASTE.match(value) or _PASSING.search(value):
        return None
    value_kept = _short(value)
    return _listed(_TASTE_HEADS[verb], value_kept) if value_kept else None


def _allergic(match: re.Match[str]) -> str | None:
    value = _short(match[1])
    return _listed("Allergic to", value, pairs=True) if value else None


def _listed(head: str, value: str, *, pairs: bool = False) -> str:
    """A line for each thing of a list; "fish and chips" is one thing unless `pairs` are lists too."""
    if "," not in value and not pairs:
        return f"{head} {value}"
    things = [thing.strip() for thing in re.split(r",\s*(?:and |or )?|\s+(?:and|or)\s+", value) if thing.strip()]
    if any(len(thing.split()) > 3 for thing in things):  # noqa: PLR2004 - clauses, not things
        return f"{head} {value}"
    return "\n".join(f"{head} {thing}" for thing in things)


def _favourite(match: re.Match[str]) -> str | None:
    kind, value = _short(match["kind"], 4), _short(match["value"], 9)
    if kind is None or value is None or kind.lower() in ("part", "thing about", "thing"):
        return None
    return f"Favorite {kind}: {value}"


def _relative_named(match: re.Match[str]) -> str | None:
    name = _name(match["name"])
    linked = (match["verb"] or "").strip().lower() not in ("is", "'s", "’s", ",", "")
    if name is None or (not linked and match["name"][0].islower()):
        return None
    return f"{_capital(match['who'])}: {name}"


def _relative(match: re.Match[str]) -> str | None:
    clause = f"{match['who']}{match['rest']}"
    if _PASSING.search(clause) or re.search(
        r"\b(?:is|are) (?!(?:living|working|studying|teaching|training)\b)(?:\w+ing\b|so\b|here\b|such\b|there\b|very happy)",
        clause,
    ):
        return None
    return _capital(clause) if len(clause.split()) <= 14 else None


def _attribute(match: re.Match[str]) -> str | None:
    value = _short(match["value"], 10)
    if (
        value is None
        or _PASSING.search(value)
        or re.match(
            r"(?:not|so|too|very|really|broken|great|good|bad|fine|ok|okay|getting|going|being|doing|[a-z]+ing|to (?:be|get|do|make) better)\b",
            value,
        )
    ):
        return None
    return f"{_capital(match['what'])}: {value}"


def _has(match: re.Match[str]) -> str | None:
    """Two kids and a dog named Rex are two facts."""
    what = _short(match["what"], 12)
    if what is None or _PASSING.search(what):
        return None
    return "\n".join(
        f"Has {part}" for part in re.split(rf",? and (?={_COUNTED})|, (?={_COUNTED})", what, flags=re.IGNORECASE)
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _made(head: str, *, words: int = 8, stop: str = "") -> Maker:
    """A maker that puts `head` before the first group, unless that is long, passing, or begins with a word of `stop`."""
    unwanted = re.compile(rf"(?:{stop})\b", re.IGNORECASE) if stop else None

    def make(match: re.Match[str]) -> str | None:
        value = _short(match[1], words)
        if value is None or _PASSING.search(value) or (unwanted is not None and unwanted.match(value)):
            return None
        return f"{head} {value}"

    return make


_I_AM: Final = r"i(?:['’]?m| am)"
_ADVERB: Final = r"(?: (?:really|absolutely|also|just|do|still|always|totally|truly|especially|particularly|personally|very much|currently|now))*"


def _form(pattern: str, maker: Maker) -> tuple[re.Pattern[str], Maker]:
    return re.compile(pattern, re.IGNORECASE), maker


_FORMS: Final[tuple[tuple[re.Pattern[str], Maker], ...]] = (
    _form(
        r"(?:my (?:full |first |real )?name(?:['’]?s| is|:)|i am called|i['’]m called|the name['’]?s) (?:now )?(.+)",
        _named,
    ),
    _form(r"(?:please |you can |you may |people |friends |my friends |everyone |everybody )?calls? me (.+)", _called),
    _form(r"i go by (.+)", _called),
    _form(rf"i{_ADVERB} (?:live|reside) (in|at|near) (.+)", _home),
    _form(rf"(?:{_I_AM}|i['’]?ve been){_ADVERB} (?:living|based|located) (in|at|near) (.+)", _home),
    _form(r"i(?:['’]ve| have)? lived (in) (.+? (?:since|for) .+)", _home),
    _form(r"(?:i|we)(?:['’]ve| have)?(?: just| recently| finally)? (?:moved|relocated)(?: back)? to (.+)", _moved),
    _form(
        r"i(?: no longer live| don['’]?t live| do not live|['’]m not living) in (.+?)(?: any ?more)?",
        _made("No longer lives in"),
    ),
    _form(
        rf"(?:{_I_AM} (?:originally )?from|i(?: originally)? come from|i grew up in|i was born and raised in) (.+)",
        _origin,
    ),
    _form(r"i was born in ((?:19|20)\d\d)", _made("Born in")),
    _form(
        r"(?:i was born (?:on|in)|my birthday(?:['’]?s| is)(?: on)?) ((?=.*(?:\d|jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)).+)",
        _made("Birthday:"),
    ),
    _form(r"i was born in (.+)", _origin),
    _form(
        rf"(?:i{_ADVERB} work|{_I_AM}{_ADVERB} working|{_I_AM} employed|i['’]ve been working|i (?:just )?(?:got|started) (?:a )?(?:new )?(?:job|work|working))"
        r" as (?P<role>.+?)(?: (?P<at>at|for|in|with) (?P<where>.+))?",
        _works,
    ),
    _form(
        rf"(?:i{_ADVERB} work|{_I_AM}{_ADVERB} working|{_I_AM} employed|i (?:just )?(?:got|started) (?:a )?(?:new )?(?:job|work|working))"
        r" (?P<at>at|for|in|with) (?P<where>.+)",
        _works,
    ),
    _form(r"i (?:no longer|don['’]?t|do not) work (?:at|for) (.+?)(?: any ?more)?", _made("No longer works at")),
    _form(rf"{_I_AM} (?:only |now |almost |just )?(\d{{1,3}})(?: years? old| yrs? old| y/?o)?", _age),
    _form(r"(?:i (?:just )?turned|my age is) (\d{1,3})(?: .{0,30})?", _age),
    _form(rf"{_I_AM}{_ADVERB} (?:deathly |severely |very |badly )?allergic to (.+)", _allergic),
    _form(r"i have (?:an? )?(?:severe |bad )?(.+?) allergy", _made("Allergic to", words=3, stop="no|an|a|some")),
    _form(rf"{_I_AM} not allergic to (.+?)(?: any ?more)?", _made("Not allergic to")),
    _form(rf"{_I_AM} no longer ((?:allergic to .+)|{_STATE}|an? .+)", _made("No longer")),
    _form(rf"{_I_AM}{_ADVERB} ({_STATE})", _made("Is")),
    _form(
        r"i(?:['’]ve| have)?(?: (?:suffer from|was diagnosed with|been diagnosed with|have|got)) (?:a |an )?((?:type \w+ )?(?:asthma|diabetes|epilepsy|migraines?"
        r"|arthritis|adhd|autism|depression|anxiety|celiac disease|high blood pressure|cancer|insomnia|dyslexia|ptsd|ocd)(?: .{0,30})?)",
        _made("Has"),
    ),
    _form(r"i (?:was|got|['’]ve been|have been) diagnosed with (.+)", _made("Diagnosed with", words=6)),
    _form(r"i (?:can['’]?t|cannot|can not) eat (.+)", _made("Cannot eat", stop="it|that|this|anything|any more|more")),
    _form(
        r"i (?:don['’]?t|do not|never) (eat|drink)",
        lambda m: f"Does not {m[1].lower()}" if m[1].lower() == "drink" else None,
    ),
    _form(
        r"i (?:don['’]?t|do not|never) ((?:eat|drink|smoke).*?)(?: any ?more)?",
        _made("Does not", stop="eat it|drink it"),
    ),
    _form(
        rf"i{_ADVERB} (?P<verb>love|adore|like|enjoy|prefer|hate|detest|can['’]t stand|cannot stand|dislike|don['’]t like|do not like|dont like"
        r"|don['’]t enjoy|don['’]t love|no longer like|no longer love) (?P<what>.+)",
        _taste,
    ),
    _form(
        rf"i(?P<verb>['’]?m| am){_ADVERB} (?P<rest>not a fan of|into|fond of|passionate about|crazy about|a (?:big |huge )?fan of) (?P<what>.+)",
        lambda m: _inclined(m),
    ),
    _form(
        r"my (?:all[- ]time |absolute )?favou?rite (?P<kind>[\w' -]+?)(?: (?:is|are|would be|has to be)|['’]s) (?P<value>.+)",
        _favourite,
    ),
    _form(r"(?P<value>.{2,60}?) (?:is|are) my (?:all[- ]time |absolute )?favou?rite (?P<kind>[\w' -]+)", _favourite),
    _form(
        rf"my (?P<who>(?:(?:older|younger|little|big|elder|best|other|second|twin|oldest|youngest) )?(?:{_RELATIVE}))"
        r"(?:['’]?s)?(?: first)?(?: name)?(?P<verb> is called| is named| are called| are named| is|['’]s|,)? ?(?:called |named )?(?P<name>[^\W\d_][\w'’-]*(?: (?:and )?(?-i:[A-Z])[\w'’-]*){0,3})",
        _relative_named,
    ),
    _form(
        rf"my (?P<who>(?:(?:older|younger|little|big|elder|best|other|second|twin|oldest|youngest) )?(?:{_RELATIVE}))(?P<rest>,?(?: (?-i:[A-Z])[\w'’-]*,?){{0,2}}"
        r" (?:is|are|works?|lives?|has|have|likes?|loves?|hates?|studies|study|plays?|speaks?|owns?|teaches) .+)",
        _relative,
    ),
    _form(
        rf"(?:i|we)(?:['’]ve)?(?: also| just| recently)? (?:have|got|own|adopted|bought)(?: got)? (?P<what>{_OWNED}(?:(?:, | and |, and ){_OWNED})*)",
        _has,
    ),
    _form(rf"my (?P<what>{_ATTRIBUTE})(?: (?:is|are)|['’]s) (?:now )?(?P<value>.+)", _attribute),
    _form(r"i speak (.+)", _made("Speaks", words=7, stop="to|with|for|up|out|at|in|about")),
    _form(
        rf"i{_ADVERB} play (?:the )?(.+)",
        _made("Plays", words=6, stop="with|around|it|games with|a lot|for|in|on|at|down"),
    ),
    _form(
        rf"(?:i{_ADVERB} study|{_I_AM}{_ADVERB} studying|i major in) (.+)",
        _made("Studies", words=8, stop="for|it|hard|with|at|to|that"),
    ),
    _form(
        rf"{_I_AM}{_ADVERB} learning (?:how )?(?:to )?(.+)",
        _made("Learning", words=6, stop="that|from|so|about|more|it|a lot"),
    ),
    _form(rf"{_I_AM}{_ADVERB} training for (.+)", _made("Training for")),
    _form(
        r"i(?: (?:really )?want|['’]d (?:really )?(?:love|like)| would (?:really )?(?:love|like)|['’]?(?:m| am) (?:planning|hoping|saving up)|(?: plan| hope))"
        r" to ((?:visit|travel|learn|become|go|see|own|live|study|write|run|open|buy|move|start|climb|adopt|build)\b.+)",
        _made("Wants to"),
    ),
    _form(r"i drive (an? .+)", _made("Drives", words=5, stop="a lot|a long")),
    _form(
        rf"{_I_AM}{_ADVERB} (?P<article>an?|the) (?P<role>(?:[\w-]+ ?){{1,4}}?)(?: (?P<at>at|for|with) (?P<where>(?-i:[A-Z]).+))?",
        _role,
    ),
    _form(r"i(?: just| recently)? got (married|divorced|engaged)(?: .*)?", lambda m: f"Is {m[1].lower()}"),
    _form(r"i(?:['’]m| am) ((?-i:[A-Z])[\w'’-]+(?: (?-i:[A-Z])[\w'’-]+){0,2})", _bare_name),
)


def _inclined(match: re.Match[str]) -> str | None:
    if _NO_TASTE.match(match["what"]):
        return None
    value = _short(match["what"], 9)
    return f"{_TASTE_HEADS['am ' + match['rest'].lower()]} {value}" if value else None
