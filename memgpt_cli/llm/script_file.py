"""The file that `scripted:FILE` replays: one JSON object per line, one line per model call. Format: docs/models.md."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from memgpt_cli.domain.chat import Usage
from memgpt_cli.domain.messages import FunctionCall
from memgpt_cli.errors import ConfigError, NotFoundError

ERRORS: Final = ("context_length", "key", "network")
"""Values of a line's `error`."""

_KINDS: Final[Mapping[str, tuple[tuple[type, ...], str]]] = {
    "when": ((str,), "text"),
    "text": ((str,), "text"),
    "thought": ((str,), "text"),
    "calls": ((list,), "a list"),
    "usage": ((dict,), "a mapping"),
    "error": ((str,), "text"),
    "delay": ((int, float), "a number of seconds"),
}
_SPEAKING: Final = ("text", "calls", "error")


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptStep:
    """One line of a script: one model call. `when` is matched against the user's text; `delay_s` is slept before."""

    line: int
    text: str = ""
    thought: str = ""
    calls: tuple[FunctionCall, ...] = ()
    when: re.Pattern[str] | None = None
    usage: Usage | None = None
    error: str | None = None
    delay_s: float = 0.0


class _WrongError(Exception):
    """The error in a line."""


def read_script(path: Path) -> list[ScriptStep]:
    """Return the steps of a script file; blank lines are skipped.

    Raises NotFoundError for a missing file, ConfigError with line and field for an invalid one.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise NotFoundError(
            f"script {path} does not exist", hint="--model scripted:FILE wants a file of replies"
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"The script {path} cannot be read: {error}", hint="it must be UTF-8 text") from None
    steps = []
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                steps.append(_step(number, line))
            except _WrongError as error:
                raise ConfigError(
                    f"{path}, line {number}: {error}.", hint="docs/models.md tells the format of scripts"
                ) from None
    return steps


def _step(number: int, line: str) -> ScriptStep:
    try:
        row = json.loads(line)
    except ValueError as error:
        raise _WrongError(f"no JSON ({error})") from None
    _check_fields(row)
    return ScriptStep(
        line=number,
        text=row.get("text", ""),
        thought=row.get("thought", ""),
        calls=tuple(map(_call, row.get("calls", ()))),
        when=_pattern(row["when"]) if "when" in row else None,
        usage=_usage(row["usage"]) if "usage" in row else None,
        error=row.get("error"),
        delay_s=float(row.get("delay", 0)),
    )


def _check_fields(row: Any) -> None:
    if not isinstance(row, dict):
        raise _WrongError("not an object")
    for name, value in row.items():
        if name not in _KINDS:
            raise _WrongError(f"unknown field {name!r}")
        kinds, words = _KINDS[name]
        if not isinstance(value, kinds) or isinstance(value, bool):
            raise _WrongError(f"{name} must be {words}")
    if not any(name in row for name in _SPEAKING):
        raise _WrongError(f"one of {', '.join(_SPEAKING)} is needed")
    if row.get("error", ERRORS[0]) not in ERRORS:
        raise _WrongError(f"error must be one of {', '.join(ERRORS)}")
    if row.get("delay", 0) < 0:
        raise _WrongError("delay must not be negative")


def _pattern(text: str) -> re.Pattern[str]:
    try:
        return re.compile(text, re.IGNORECASE)
    except re.error as error:
        raise _WrongError(f"when is not a valid regular expression ({error})") from None


def _call(row: Any) -> FunctionCall:
    if not isinstance(row, dict) or set(row) - {"name", "arguments"} or not isinstance(row.get("name"), str):
        raise _WrongError("a call has a name and arguments")
    arguments = row.get("arguments", {})
    if not isinstance(arguments, dict | str):
        raise _WrongError("arguments must be a mapping, or text for what a bad model writes")
    raw = arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
    return FunctionCall(id="", name=row["name"], arguments=raw)


def _usage(row: Mapping[str, Any]) -> Usage:
    known = ("prompt_tokens", "completion_tokens", "cached_tokens")
    if set(row) - set(known) or not all(type(value) is int and value >= 0 for value in row.values()):
        raise _WrongError(f"usage holds whole numbers under {', '.join(known)}")
    return Usage(**row)
