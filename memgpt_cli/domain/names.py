"""Suggestions for mistyped names."""

from collections.abc import Iterable


def nearest(typed: str, known: Iterable[str], *, most: int = 3) -> list[str]:
    """Return the known names most similar to the typed one, best first, ignoring case."""
    from difflib import get_close_matches

    by_folded = {name.casefold(): name for name in known}
    return [by_folded[near] for near in get_close_matches(typed.casefold(), by_folded, n=most, cutoff=0.5)]


def did_you_mean(typed: str, known: Iterable[str]) -> str:
    """Return `; did you mean human?`, or an empty string."""
    near = nearest(typed, known)
    return f"; did you mean {' or '.join(near)}?" if near else ""
