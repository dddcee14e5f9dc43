"""What a matched English sentence form becomes: a line for the block, several lines, or nothing.

Each maker takes the match of its form in `english_forms` and returns the note, or None when the words in it are not of
the kind that is meant: "I live in fear" names no place.
"""

import re
from collections.abc import Callable
from typing import Final

from memgpt_cli.llm.offline.english_words import COUNTED, PASSING, STATE

Maker = Callable[[re.Match[str]], str | None]

LONGEST_VALUE: Final = 12
"""Words of a value; a longer one is a story."""
LONGEST_NAME: Final = 4
LONGEST_PLACE: Final = 6
LONGEST_ROLE: Final = 4
LONGEST_THING: Final = 3
AGES: Final = range(3, 120)

_NOT_A_ROLE: Final = re.compile(
    r"(?:bit|little|lot|huge|total|such|mess|fan|kind|sort|firm|fool|few|long|while|good|bad|great|big|tad|couple"
    r"|new here|member|part|bunch|wreck|failure|loser|genius|believer|beginner|newcomer|newbie|stranger|one)\b"
)
_PLACE_END: Final = re.compile(
    r",?\s+(?:with|since|for|now|and|because|where|which|(?-i:who)|from|last|yesterday|today|recently|this"
    r"|next|two|three|four|five|six|a few"
    r"|a couple|when|about|to|but|so|after|before|right|at the|on|as|if|until|while|ago|in (?:19|20)\d\d|in (?:jan"
    r"|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)\w*|\d+ (?:years?|months?|weeks?|days?))\b.*$",
    re.IGNORECASE,
)
_NOT_A_PLACE: Final = re.compile(
    r"(?:peace|fear|the (?:past|moment|present|future)|denial|hope|harmony|constant|a (?:dream|bubble|world)|it|there"
    r"|here|that|this)\b",
    re.IGNORECASE,
)
_REASON: Final = re.compile(
    r"(?:,?\s+(?:because|['’]?cause|'cos|since|so that|although|but|which)\b|,\s*(?:and )?(?:it|they|he|she|that|this"
    r"|you|so|especially|even)\b|\s+and (?:it|they|he|she)\b|\s+[-–—]\s).*$",
    re.IGNORECASE,
)
_NO_TASTE: Final = re.compile(
    r"(?:it|that|this|them|him|her|you|your|how|what|when|where|who|why|the (?:idea|way|fact|sound|look)|to (?:think"
    r"|say|see|hear|know|thank|ask|share)|so|everything|all (?:of )?(?:it|that|this|these)|these|those|seeing|hearing"
    r"|being able|to$)\b",
    re.IGNORECASE,
)
_NOT_A_FIRST_NAME: Final = frozenset(("not", "what", "a", "the", "on", "in", "very", "too", "really", "so"))
_NAME_WORD: Final = re.compile(r"[^\W\d_][\w.'’-]*")
_NOT_A_BARE_NAME: Final = re.compile(
    r"\b(?:OK|Fine|Good|Here|Back|Sorry|Sure|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)\b"
)
_CALL_ME_LATER: Final = re.compile(
    r"(?:back|later|when|maybe|crazy|a|an|at|on|tomorrow|tonight|today|if|in|now|again|up|this|the)\b", re.IGNORECASE
)
_SOME_PLACE: Final = re.compile(r"(?:a|an|the|my|our|his|her|another|some|this|that)\b", re.IGNORECASE)
_NO_EMPLOYER: Final = re.compile(
    r"(?:night|home|the moment|the morning|a time|all|it|that|this|fun|free|hours|peace|progress|myself"
    r"|my (?:art|skills))\b",
    re.IGNORECASE,
)
_NO_ATTRIBUTE: Final = re.compile(
    r"(?:not|hard|boring|fun|nice|easy|stressful|interesting|new|old|safe|slow|fast|so|too|very|really|like|broken|great|good|bad|fine|ok|okay|getting|going|being|doing|[a-z]+ing"
    r"|to (?:be|get|do|make) better)\b"
)
_NO_KIND: Final = re.compile(r"(?:part|thing|one)\b", re.IGNORECASE)
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
    "not a fan of": "Dislikes",
    "into": "Likes",
    "fond of": "Likes",
    "passionate about": "Loves",
    "crazy about": "Loves",
    "a fan of": "Likes",
    "a big fan of": "Likes",
    "a huge fan of": "Likes",
}


def named(match: re.Match[str]) -> str | None:
    """My name is Ada."""
    name = _name_in(match[1])
    return f"Name: {name}" if name else None


def bare_name(match: re.Match[str]) -> str | None:
    """I'm Ada."""
    if re.fullmatch(STATE, match[1]) or _NOT_A_BARE_NAME.search(match[1]):
        return None
    return named(match)


def called(match: re.Match[str]) -> str | None:
    """Call me Ada; but not "call me later"."""
    name = None if _CALL_ME_LATER.match(match[1]) else _name_in(match[1])
    return f"Goes by {name}" if name else None


def home(match: re.Match[str]) -> str | None:
    """I live in Lyon; but not "in peace"."""
    place = _place_in(match[2])
    return f"Lives {match[1].lower()} {place}" if place else None


def moved(match: re.Match[str]) -> str | None:
    """I moved to Paris; but not "to a new office"."""
    place = _place_in(match[1])
    return f"Lives in {place}" if place and not _SOME_PLACE.match(place) else None


def origin(match: re.Match[str]) -> str | None:
    """I'm from Lyon; but not "from work"."""
    place = _place_in(match[1])
    if place is None or place.lower().startswith(("a ", "the ", "work", "home", "school")):
        return None
    return f"Comes from {place}"


def grown(match: re.Match[str]) -> str | None:
    """I was born in Paris, in 1990; I grew up in Leeds."""
    place = _place_in(match[2])
    return f"{_capital(match[1].lower())} in {place}" if place else None


def lives_with(match: re.Match[str]) -> str | None:
    """I live with my wife Jane in Oxford: two notes."""
    lines = [f"{_capital(match['who'])}: {match['name']}"]
    if match["place"] and (place := _place_in(match["place"])):
        lines.append(f"Lives {match['at'].lower()} {place}")
    return "\n".join(lines)


def works(match: re.Match[str]) -> str | None:
    """I work as a nurse at St Mary's: two notes, since either may change alone."""
    found = match.groupdict()
    role, where = found.get("role"), _PLACE_END.sub("", found.get("where") or "").strip()
    lines = []
    if role is not None:
        role = _short(role, LONGEST_PLACE)
        if role is None:
            return None
        lines.append(f"Works as {role}")
    if where and len(where.split()) <= LONGEST_PLACE and not _NO_EMPLOYER.match(where):
        lines.append(f"Works {match['at'].lower()} {where}")
    return "\n".join(lines) or None


def teaches(match: re.Match[str]) -> str:
    """I teach physics at a high school."""
    what = re.sub(r"^teach\b", "Teaches", match[1], flags=re.IGNORECASE)
    return f"{what} at {match['where']}" if match["where"] else what


def role(match: re.Match[str]) -> str | None:
    """I'm a nurse; but not "a bit tired"."""
    article, what, where = match["article"], match["role"], match["where"]
    if _NOT_A_ROLE.match(what) or len(what.split()) > LONGEST_ROLE or PASSING.search(what):
        return None
    line = f"Is {article.lower()} {what}"
    return f"{line}\nWorks {match['at'].lower()} {where}" if where and len(where.split()) <= LONGEST_PLACE else line


def age(match: re.Match[str]) -> str | None:
    """I'm 37."""
    return f"Age: {int(match[1])}" if int(match[1]) in AGES else None


def taste(match: re.Match[str]) -> str | None:
    """I love hiking; but not "I love it"."""
    verb = " ".join(match["verb"].lower().replace("’", "'").split())
    value = _REASON.sub("", re.sub(r"\s+any ?more$", "", match["what"]))
    return None if PASSING.search(value) else _liked(_TASTE_HEADS[verb], value)


def inclined(match: re.Match[str]) -> str | None:
    """I'm into chess."""
    return _liked(_TASTE_HEADS[match["rest"].lower()], _REASON.sub("", match["what"]))


def allergic(match: re.Match[str]) -> str | None:
    """I'm allergic to nuts and pollen."""
    value = _short(_REASON.sub("", match[1]))
    return _listed("Allergic to", value, pairs=True) if value else None


def favourite(match: re.Match[str]) -> str | None:
    """My favourite colour is blue."""
    kind, value = _short(match["kind"], LONGEST_NAME), _short(match["value"])
    if kind is None or value is None or _NO_KIND.match(kind):
        return None
    return f"Favorite {kind}: {value}"


def attribute(match: re.Match[str]) -> str | None:
    """My email is ada@example.com; but not "my car is broken"."""
    value = _short(match["value"])
    if value is None or PASSING.search(value) or _NO_ATTRIBUTE.match(value):
        return None
    return f"{_capital(match['what'])}: {value}"


def has(match: re.Match[str]) -> str | None:
    """I have two kids and a dog named Rex: two notes."""
    what = _short(match["what"])
    if what is None or PASSING.search(what):
        return None
    things = re.split(rf",? and (?={COUNTED})|, (?={COUNTED})", what, flags=re.IGNORECASE)
    return "\n".join(f"Has {thing}" for thing in things)


def made(head: str, *, words: int = 8, stop: str = "") -> Maker:
    """A maker that puts `head` before the first group, unless that is long, passing, or begins with one of `stop`."""
    unwanted = re.compile(rf"(?:{stop})\b", re.IGNORECASE) if stop else None

    def make(match: re.Match[str]) -> str | None:
        value = _short(match[1], words)
        if value is None or PASSING.search(value) or (unwanted is not None and unwanted.match(value)):
            return None
        return f"{head} {value}"

    return make


def _short(value: str, words: int = LONGEST_VALUE) -> str | None:
    value = value.strip(" ,;:.!\"'“”")
    return value if value and len(value.split()) <= words else None


def _name_in(value: str) -> str | None:
    words = value.strip(" ,.!\"'“”").split()
    if not 1 <= len(words) <= LONGEST_NAME or words[0].lower() in _NOT_A_FIRST_NAME:
        return None
    if not all(_NAME_WORD.fullmatch(word) for word in words):
        return None
    return " ".join(word if word != word.lower() else word.capitalize() for word in words)


def _place_in(value: str) -> str | None:
    value = _PLACE_END.sub("", value.strip()).strip(" ,.!")
    if not value or _NOT_A_PLACE.match(value) or len(value.split()) > LONGEST_PLACE:
        return None
    value = re.sub(r"\s+originally$", "", value, flags=re.IGNORECASE)
    return value if value != value.lower() or value.startswith(("a ", "the ")) else value.title()


def _liked(head: str, value: str) -> str | None:
    short = None if _NO_TASTE.match(value) else _short(value)
    return _listed(head, short) if short else None


def _listed(head: str, value: str, *, pairs: bool = False) -> str:
    """A line for each thing of a list; "fish and chips" is one thing unless `pairs` are lists too."""
    if "," not in value and not pairs:
        return f"{head} {value}"
    things = [thing.strip() for thing in re.split(r",\s*(?:and |or )?|\s+(?:and|or)\s+", value) if thing.strip()]
    if any(len(thing.split()) > LONGEST_THING for thing in things):
        return f"{head} {value}"
    return "\n".join(f"{head} {thing}" for thing in things)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
