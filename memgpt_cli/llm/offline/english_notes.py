"""What a matched English sentence form becomes: a line for the block, several lines, or nothing.

Each maker takes the match of its form in `english_forms` and returns the note, or None when the words in it are not of
the kind that is meant: "I live in fear" names no place.
"""

import re
from collections.abc import Callable
from typing import Final

from memgpt_cli.llm.offline.english_words import COUNTED, STATE

Maker = Callable[[re.Match[str]], str | None]

LONGEST_VALUE: Final = 12
"""Words of a value; a longer one is a story."""

_NOT_A_ROLE: Final = re.compile(
    r"(?:bit|little|lot|huge|total|such|mess|fan|kind|sort|firm|fool|few|long|while|good|bad|great|big|tad|couple"
    r"|new here|member|part|bunch|wreck|failure|loser|genius|believer|beginner|newcomer|newbie|stranger|one)\b"
)
_PASSING: Final = re.compile(
    r"\b(?:yesterday|today|tonight|tomorrow|this (?:morning|afternoon|evening|week|weekend)|right now|at the moment"
    r"|last (?:night|week)|next week|ago)\b",
    re.IGNORECASE,
)
_PLACE_END: Final = re.compile(
    r",?\s+(?:with|since|for|now|and|because|where|which|who|from|last|this|next|two|three|four|five|six|a few"
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
    r"|you|so|especially|even)\b|\s+[-–—]\s).*$",
    re.IGNORECASE,
)
_NO_TASTE: Final = re.compile(
    r"(?:it|that|this|them|him|her|you|your|how|what|when|where|who|why|the (?:idea|way|fact|sound|look)|to (?:think"
    r"|say|see|hear|know|thank|ask|share)|so|everything|all (?:of )?(?:it|that|this|these)|these|those|seeing|hearing"
    r"|being able|to$)\b",
    re.IGNORECASE,
)
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


def _short(value: str, words: int = LONGEST_VALUE) -> str | None:
    value = value.strip(" ,;:.!\"'“”")
    return value if value and len(value.split()) <= words else None


def _name_in(value: str) -> str | None:
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


def _place_in(value: str) -> str | None:
    value = _PLACE_END.sub("", value.strip()).strip(" ,.!")
    if not value or _NOT_A_PLACE.match(value) or len(value.split()) > 6:
        return None
    value = re.sub(r"\s+originally$", "", value, flags=re.IGNORECASE)
    return value if value != value.lower() or value.startswith(("a ", "the ")) else value.title()


def named(match: re.Match[str]) -> str | None:
    name = _name_in(match[1])
    return f"Name: {name}" if name else None


def bare_name(match: re.Match[str]) -> str | None:
    if re.fullmatch(STATE, match[1]) or re.search(
        r"\b(?:OK|Fine|Good|Here|Back|Sorry|Sure|Monday|Tuesday|Wednesday|Thursday|Friday|Saturday|Sunday)\b", match[1]
    ):
        return None
    return named(match)


def called(match: re.Match[str]) -> str | None:
    if re.match(
        r"(?:back|later|when|maybe|crazy|a|an|at|on|tomorrow|tonight|today|if|in|now|again|up|this|the)\b",
        match[1],
        re.IGNORECASE,
    ):
        return None
    name = _name_in(match[1])
    return f"Goes by {name}" if name else None


def home(match: re.Match[str]) -> str | None:
    place = _place_in(match[2])
    return f"Lives {match[1].lower()} {place}" if place else None


def moved(match: re.Match[str]) -> str | None:
    place = _place_in(match[1])
    if place is None or re.match(r"(?:a|an|the|my|our|his|her|another|some|this|that)\b", place, re.IGNORECASE):
        return None
    return f"Lives in {place}"


def origin(match: re.Match[str]) -> str | None:
    place = _place_in(match[1])
    if place is None or place.lower().startswith(("a ", "the ", "work", "home", "school")):
        return None
    return f"Comes from {place}"


def works(match: re.Match[str]) -> str | None:
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
                r"(?:night|home|the moment|the morning|a time|all|it|that|this|fun|free|hours|peace|progress|myself"
                r"|my (?:art|skills))\b",
                where,
                re.IGNORECASE,
            )
        ):
            return "\n".join(lines) or None
        lines.append(f"Works {preposition} {where}")
    return "\n".join(lines) or None


def role(match: re.Match[str]) -> str | None:
    article, role, where = match["article"], match["role"], match["where"]
    if _NOT_A_ROLE.match(role) or len(role.split()) > 4 or _PASSING.search(role):
        return None
    line = f"Is {article.lower()} {role}"
    return f"{line}\nWorks {match['at'].lower()} {where}" if where and len(where.split()) <= 5 else line


def age(match: re.Match[str]) -> str | None:
    return f"Age: {int(match[1])}" if 2 < int(match[1]) < 120 else None


def taste(match: re.Match[str]) -> str | None:
    verb = re.sub(r"\s+", " ", match["verb"].lower().replace("’", "'"))
    verb = re.sub(r"^(?:i'?m|m)\b", "am", verb.removeprefix("'"))
    value = _REASON.sub("", re.sub(r"\s+any ?more$", "", match["what"]))
    if _NO_TASTE.match(value) or _PASSING.search(value):
        return None
    value_kept = _short(value)
    return _listed(_TASTE_HEADS[verb], value_kept) if value_kept else None


def allergic(match: re.Match[str]) -> str | None:
    value = _short(match[1])
    return _listed("Allergic to", value, pairs=True) if value else None


def _listed(head: str, value: str, *, pairs: bool = False) -> str:
    """A line for each thing of a list; "fish and chips" is one thing unless `pairs` are lists too."""
    if "," not in value and not pairs:
        return f"{head} {value}"
    things = [thing.strip() for thing in re.split(r",\s*(?:and |or )?|\s+(?:and|or)\s+", value) if thing.strip()]
    if any(len(thing.split()) > 3 for thing in things):
        return f"{head} {value}"
    return "\n".join(f"{head} {thing}" for thing in things)


def inclined(match: re.Match[str]) -> str | None:
    if _NO_TASTE.match(match["what"]):
        return None
    value = _short(match["what"], 9)
    return f"{_TASTE_HEADS['am ' + match['rest'].lower()]} {value}" if value else None


def favourite(match: re.Match[str]) -> str | None:
    kind, value = _short(match["kind"], 4), _short(match["value"], 9)
    if kind is None or value is None or kind.lower() in ("part", "thing about", "thing"):
        return None
    return f"Favorite {kind}: {value}"


def relative_named(match: re.Match[str]) -> str | None:
    name = _name_in(match["name"])
    linked = (match["verb"] or "").strip().lower() not in ("is", "'s", "’s", ",", "")
    if name is None or (not linked and match["name"][0].islower()):
        return None
    return f"{_capital(match['who'])}: {name}"


def relative(match: re.Match[str]) -> str | None:
    clause = f"{match['who']}{match['rest']}"
    if _PASSING.search(clause) or re.search(
        r"\b(?:is|are) (?!(?:living|working|studying|teaching|training)\b)(?:\w+ing\b|so\b|here\b|such\b|there\b"
        r"|very happy)",
        clause,
    ):
        return None
    return _capital(clause) if len(clause.split()) <= 14 else None


def attribute(match: re.Match[str]) -> str | None:
    value = _short(match["value"], 10)
    if (
        value is None
        or _PASSING.search(value)
        or re.match(
            r"(?:not|so|too|very|really|broken|great|good|bad|fine|ok|okay|getting|going|being|doing|[a-z]+ing"
            r"|to (?:be|get|do|make) better)\b",
            value,
        )
    ):
        return None
    return f"{_capital(match['what'])}: {value}"


def has(match: re.Match[str]) -> str | None:
    """Two kids and a dog named Rex are two facts."""
    what = _short(match["what"], 12)
    if what is None or _PASSING.search(what):
        return None
    return "\n".join(
        f"Has {part}" for part in re.split(rf",? and (?={COUNTED})|, (?={COUNTED})", what, flags=re.IGNORECASE)
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def made(head: str, *, words: int = 8, stop: str = "") -> Maker:
    """A maker that puts `head` before the first group, unless that is long, passing, or begins with one of `stop`."""
    unwanted = re.compile(rf"(?:{stop})\b", re.IGNORECASE) if stop else None

    def make(match: re.Match[str]) -> str | None:
        value = _short(match[1], words)
        if value is None or _PASSING.search(value) or (unwanted is not None and unwanted.match(value)):
            return None
        return f"{head} {value}"

    return make
