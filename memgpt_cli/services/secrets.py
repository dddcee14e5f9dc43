"""Keys, tokens and passwords in texts: recognised by the patterns of detect-secrets, named, and masked for people.

The package is imported only for a text that could hold one. Nothing is stored or sent differently.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from detect_secrets.plugins.base import RegexBasedDetector

_RUN: Final = re.compile(r"[A-Za-z0-9_-]{20,}")
_MARK: Final = re.compile(r"-----BEGIN|://[^/\s:@]*:[^@/\s]+@|aws", re.IGNORECASE)
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_PRIVATE_KEY: Final = re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY.*?(?:-----END [A-Z0-9 ]*-----|\Z)", re.DOTALL)
_REST: Final = re.compile(r"(?:\.?[A-Za-z0-9_-]+)*")
_LEFT_OUT: Final = frozenset({"IPPublicDetector", "PrivateKeyDetector"})
"""An address of the network is not a key. Of a private key the package finds the first line only."""
_SHOWN: Final = 4
"""Characters of a secret that a masked text shows, by which its owner knows it again."""


class Secret(NamedTuple):
    """A secret in a text: what kind of secret it is, and its characters."""

    kind: str
    text: str


def secrets_in(text: str) -> list[Secret]:
    """The secrets in a text, in no particular order."""
    if _MARK.search(text) is None and not any(_mixes(run[0]) for run in _RUN.finditer(text)):
        return []
    found = {Secret("Private Key", match[0]) for match in _PRIVATE_KEY.finditer(text)}
    for detector in _detectors():
        matches = (match for pattern in detector.denylist for match in pattern.finditer(text))
        found |= {Secret(detector.secret_type, value) for match in matches if (value := _whole(match, text).strip())}
    return [secret for secret in found if not any(secret.text in other.text for other in found if other != secret)]


def _mixes(run: str) -> bool:
    """Whether a run of letters and digits has both, as keys do, and is not a UUID."""
    return any(map(str.isdigit, run)) and any(map(str.isalpha, run)) and not _UUID.fullmatch(run)


def masked(text: str) -> str:
    """The text with each secret cut to its first characters: `AKIA…[AWS Access Key]`."""
    for secret in secrets_in(text):
        text = text.replace(secret.text, f"{secret.text[:_SHOWN]}…[{secret.kind}]")
    return text


def kinds_of(texts: Iterable[str]) -> list[str]:
    """The kinds of the secrets in these texts, each once, by name."""
    return sorted({secret.kind for text in texts for secret in secrets_in(text)})


def _whole(match: re.Match[str], text: str) -> str:
    """All of a secret, where a pattern matches its beginning; of an address only the password."""
    if match[0].startswith("://") and match.re.groups:
        return str(match[1])
    rest = _REST.match(text, match.end())
    return match[0] + (rest[0] if rest else "")


@cache
def _detectors() -> tuple[RegexBasedDetector, ...]:
    return tuple(_made())


def _made() -> Iterator[RegexBasedDetector]:
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
    from detect_secrets.plugins.base import RegexBasedDetector

    kinds: dict[str, type] = get_mapping_from_secret_type_to_class()
    for kind in kinds.values():
        if issubclass(kind, RegexBasedDetector) and kind.__name__ not in _LEFT_OUT:
            yield kind()
