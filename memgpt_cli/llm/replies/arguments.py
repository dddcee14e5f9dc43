"""Repair the arguments of a call into one JSON object.

Repaired: JSON inside a JSON string (up to four levels), an object whose only value is the arguments, a list of one
object, a Python dict, an empty text. Everything else is passed on unchanged: the function executor reports the error to
the model.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from memgpt_cli.llm.replies.literals import read_object

_LAYERS: Final = 4


def repaired(raw: str, schema: Mapping[str, Any] | None = None) -> str:
    """Return `raw` as a JSON object if it can be read as one, otherwise unchanged.

    `schema` is the function's parameters: a single key that it does not have may wrap the arguments.
    """
    if not raw.strip():
        return "{}"
    value = parse(raw)
    properties = _properties(schema)
    for _ in range(_LAYERS):
        if isinstance(value, str):
            value = parse(value) if value.strip() else {}
        elif isinstance(value, list) and len(value) == 1 and isinstance(value[0], dict):
            value = value[0]
        elif isinstance(value, dict) and (inner := _wrapped(value, properties)) is not None:
            value = inner
        else:
            break
    if value is None and raw.strip().strip("\"'") in {"null", "None"}:
        return "{}"
    if not isinstance(value, dict):
        return raw
    return raw if value == _strict(raw) else as_json(value)


def parse(text: str) -> Any:
    """Parse a JSON text or a Python or JavaScript object literal; None for anything else."""
    value = _strict(text)
    return value if value is not None else read_object(text)


def as_json(value: Any) -> str:
    """`value` as JSON text."""
    return json.dumps(value, ensure_ascii=False)


def coerced(text: str, schema: Mapping[str, Any] | None) -> Any:
    """Convert a value written as plain text to the type in its schema.

    Without a schema, a number, truth value, list or object in JSON is parsed, and anything else is text.
    """
    types = _types(schema)
    if types == {"string"}:
        return text
    stripped = text.strip()
    if types & {"boolean"} and stripped.lower() in {"true", "false"}:
        return stripped.lower() == "true"
    value = parse(stripped)
    if value is None or (isinstance(value, str) and not types):
        return text
    return value


def property_schema(schema: Mapping[str, Any] | None, name: str) -> Mapping[str, Any] | None:
    """Return the schema of one parameter, if there is one."""
    found = _properties(schema).get(name)
    return found if isinstance(found, dict) else None


def _types(schema: Mapping[str, Any] | None) -> set[str]:
    given = (schema or {}).get("type")
    if isinstance(given, list):
        return {one for one in given if isinstance(one, str) and one != "null"}
    return {given} if isinstance(given, str) else set()


def _properties(schema: Mapping[str, Any] | None) -> Mapping[str, Any]:
    found = (schema or {}).get("properties")
    return found if isinstance(found, dict) else {}


def _wrapped(value: Mapping[str, Any], properties: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the arguments inside an object that has them as its only value, under a name that is not a parameter."""
    if len(value) != 1 or not properties:
        return None
    key, inner = next(iter(value.items()))
    if key in properties:
        return None
    if isinstance(inner, str):
        inner = parse(inner)
    return inner if isinstance(inner, dict) and set(inner) & set(properties) else None


def _strict(text: str) -> Any:
    try:
        return json.loads(text, strict=False)
    except (ValueError, RecursionError):
        return None
