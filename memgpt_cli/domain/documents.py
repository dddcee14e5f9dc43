"""Documents as the readers hand them over, and what archival storage remembers of a loaded one."""

from typing import Literal

TextKind = Literal["text", "markdown", "code"]
"""How a text is built, and so where it may be divided."""
