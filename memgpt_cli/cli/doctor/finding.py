"""The result of one check of `memgpt doctor`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from memgpt_cli.services.workspaces import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """The result of one check. `hint` may help even if nothing is wrong."""

    what: str
    ok: bool
    says: str
    hint: str = ""


Check = Callable[["Workspace"], Iterator[Finding]]
