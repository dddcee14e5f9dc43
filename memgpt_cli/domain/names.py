"""Names that people type, and what they may have meant."""

from collections.abc import Iterable


def nearest(typed: str, known: Iterable[str], *, most: int = 3) -> list[str]:
    """The known names that are most like what was typed, best first; case does not count."""
    from difflib import get_close_matches

    by_folded = {name.casefold(): name for name in known}
    return [by_folded[near] for near in get_close_matches(typed.casefold(), by_folded, n=most, cutoff=0.5)]


def did_you_mean(typed: str, known: Iterable[str]) -> str:
    """`; did you mean human?`, or nothing."""
    near = nearest(typed, known)
    return f"; did you mean {' or '.join(near)}?" if near else ""
