"""How long to wait before a refused call is repeated."""

import math


def pause_s(
    failures: int, *, first_s: float, longest_s: float, asked_s: float | None = None, longest_asked_s: float = math.inf
) -> float:
    """Seconds after this many failures before: from `first_s` they double up to `longest_s`.

    A server that asks for `asked_s` gets what it asks for, up to `longest_asked_s`.
    """
    if asked_s is not None and asked_s >= 0.0:
        return min(longest_asked_s, asked_s)
    return float(min(longest_s, first_s * 2.0**failures))
