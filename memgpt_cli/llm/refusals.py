"""Learn from refusals which requests a server accepts: optional fields, and the form of messages.

A refused request is sent again in the next possible form, if that changes its body. `server_errors` explains refusals
to the user; `wire_messages` has the forms.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Final

from memgpt_cli.domain.endpoint_traits import EndpointTraits
from memgpt_cli.llm.length_refusals import context_length
from memgpt_cli.llm.server_errors import everything, is_about, refuses_tools
from memgpt_cli.llm.wire_messages import WireForm

if TYPE_CHECKING:
    import openai

OPTIONAL: Final = ("stream_options", "reasoning_effort", "tool_choice", "stop")
MOST_ATTEMPTS: Final = 8
"""Maximum forms of one request; after this many refusals the cause is something else."""

_TEACHING: Final = frozenset({400, 404, 405, 422, 500, 501})
"""404: OpenRouter has no endpoint with tools. 500: llama.cpp, when a template raises."""
_ROLES: Final = re.compile(
    r"alternat|consecutive|roles? (must|order|sequence)|(unexpected|invalid|unknown|unsupported|last|first) role"
    r"|(system|user|assistant|tool|function)['\"`]? (role|message)s?\b.{0,80}?"
    r"(must|not support|follow|after|before|only|first)"
    r"|only user,? (and )?assistant|must (start|begin|end) with|after role|raise_exception|template|jinja"
    r"|\bat row \d+, column \d+",
    re.IGNORECASE | re.DOTALL,
)
"""The last is llama.cpp's text for any error in a template."""
_SINGLE: Final = re.compile(r"(single|one|multiple|parallel) (tool|function)[ -_]calls?", re.IGNORECASE)
_SYSTEM: Final = re.compile(r"system['\"`]? (role|message|prompt)s?\b.{0,40}not (supported|allowed)", re.IGNORECASE)
_OPAQUE: Final = r"(reasoning|thinking|thought)"
_WANTED: Final = re.compile(
    rf"{_OPAQUE}.{{0,120}}?(must|missing|required|pass(ed)? back|expected)"
    rf"|(missing|expected|requires?).{{0,60}}?{_OPAQUE}",
    re.IGNORECASE | re.DOTALL,
)
_UNWANTED: Final = re.compile(rf"(remove|drop|strip).{{0,40}}?{_OPAQUE}|both content and {_OPAQUE}", re.IGNORECASE)
"""The second comes from the template of gpt-oss, for a call with text and reasoning."""
_NULL: Final = re.compile(
    r"NoneType|invalid content type|content['\"`]?[^.]{0,60}\b(null|none|nil)\b|\b(null|none|nil)\b[^.]{0,60}content"
    r"|content['\"`]?[^.]{0,40}(must be|should be|expected)[^.]{0,20}str",
    re.IGNORECASE,
)


def form_of(traits: EndpointTraits) -> WireForm:
    """Return the form of messages for a server with these traits."""
    return WireForm(
        bridged=traits.alternates is True,
        single_calls=traits.takes_parallel_calls is False,
        text_calls=traits.takes_tools is False or traits.takes_calls is False,
        opaque_calls_only=traits.takes_reasoning is True,
        opaque=traits.takes_reasoning is not False,
        system=traits.takes_system is not False,
        null_content=traits.takes_null_content is not False,
    )


def taught(
    error: "openai.APIStatusError", body: Mapping[str, Any], traits: EndpointTraits, limit_fields: tuple[str, ...]
) -> Iterator[EndpointTraits]:
    """Yield what the refusal of `body` may mean, most likely first, as `traits` with one change each."""
    said = everything(error)
    if error.status_code not in _TEACHING or context_length(said, error.body) is not None:
        return
    for field in OPTIONAL:
        if field in body and is_about(error, field):
            yield replace(traits, refused_fields=traits.refused_fields | {field})
    if "tools" in body and (refuses_tools(error) or is_about(error, "tools")):
        yield replace(traits, takes_tools=False)
    used = next((field for field in limit_fields if field in body), None)
    if used is not None and is_about(error, used):
        yield replace(traits, limit_field=limit_fields[limit_fields.index(used) + 1])
    yield from _messages(error, said, body, traits)


def _messages(
    error: "openai.APIStatusError", said: str, body: Mapping[str, Any], traits: EndpointTraits
) -> Iterator[EndpointTraits]:
    """Yield what the refusal may mean for the form of the messages."""
    if _UNWANTED.search(said) or any(is_about(error, name) for name in _opaque_sent(body)):
        yield replace(traits, takes_reasoning=False)
    elif _WANTED.search(said):
        yield replace(traits, takes_reasoning=True)
        yield replace(traits, takes_reasoning=True, takes_calls=False)  # it requires reasoning that it never sent
    if _NULL.search(said) and any(message["content"] is None for message in body["messages"]):
        yield replace(traits, takes_null_content=False)
    if _SINGLE.search(said):
        yield replace(traits, takes_parallel_calls=False)
    if _ROLES.search(said):
        yield from _roles(said, body, traits)


def _roles(said: str, body: Mapping[str, Any], traits: EndpointTraits) -> Iterator[EndpointTraits]:
    """Yield growing changes: no system role, a reply after results, single calls, calls as text, no tools."""
    if _SYSTEM.search(said):
        yield replace(traits, takes_system=False)
    yield replace(traits, alternates=True)
    yield replace(traits, alternates=True, takes_parallel_calls=False)
    yield replace(traits, alternates=True, takes_calls=False)
    yield replace(traits, alternates=True, takes_calls=False, takes_system=False)
    if "tools" in body:  # a template that fails on functions names itself in its error, not the functions
        yield replace(traits, takes_tools=False, takes_system=None, takes_calls=None)
        yield replace(traits, takes_tools=False)


def _opaque_sent(body: Mapping[str, Any]) -> set[str]:
    """Return the non-standard fields in messages and calls, and those of Mistral's thinking parts."""
    names: set[str] = set()
    for message in body["messages"]:
        if message["role"] == "assistant":
            names |= set(message) - {"role", "content", "tool_calls"}
            names |= {"thinking"} if isinstance(message["content"], list) else set()
            for call in message.get("tool_calls", ()):
                names |= (set(call) - {"id", "type", "function"}) | (set(call["function"]) - {"name", "arguments"})
    return names
