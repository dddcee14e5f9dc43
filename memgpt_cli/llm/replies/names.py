"""Match function names as models write them, with additions from their training or template."""

import re
from collections.abc import Collection
from typing import Final

_PREFIX: Final = re.compile(r"^(?:functions?|default_api|tools?|assistant|commentary|to)[.:=/]")
_SUFFIX: Final = re.compile(r"(?:<\|.*|<｜.*|\s.*|[:#]\d+|\(\)?|\.call)$", re.DOTALL)
_QUOTES: Final = " \t\r\n\"'`*"


def plain_name(name: str, known: Collection[str]) -> str | None:
    """Return the offered function that `name` means, or None.

    Removes known additions: namespaces (`functions.`, `default_api:`), the number of the call (`:0`), special tokens of
    the template (`<|channel|>commentary`), quotes, another letter case, and `-` for `_`.
    """
    if name in known:
        return name
    candidate = name.strip(_QUOTES)
    for _ in range(4):
        if candidate in known:
            return candidate
        shorter = _PREFIX.sub("", _SUFFIX.sub("", candidate)).strip(_QUOTES)
        if shorter == candidate:
            break
        candidate = shorter
    folded = candidate.casefold().replace("-", "_")
    return next((one for one in known if one.casefold().replace("-", "_") == folded), None)
