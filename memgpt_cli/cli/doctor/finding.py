"""What a check of `memgpt doctor` is and what it finds. The checks themselves are in doctor.py and doctor_online.py."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memgpt_cli.services.workspaces import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check found. `hint` may help even where nothing is wrong."""

    what: str
    ok: bool
    says: str
    hint: str = ""


Check = Callable[["Workspace"], Iterator[Finding]]
