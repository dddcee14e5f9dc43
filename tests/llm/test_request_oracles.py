"""What other people's code says of the requests that go out: Mistral's validator and the openai package's types."""

from typing import Any

import pytest
from hypothesis import given, settings
from pydantic import TypeAdapter
from support.families import plain
from support.histories import HISTORIES

from memgpt_cli.domain.chat import PromptMessage
from memgpt_cli.llm.wire_messages import WireForm, wire_messages

FORMS = {"v3": WireForm(text_calls=True), "v7": WireForm(bridged=True), "v13": WireForm(bridged=True)}
"""v3 takes no text beside calls."""


@pytest.mark.parametrize("version", list(FORMS))
def test_mistral_takes_any_history(version: str) -> None:
    pytest.importorskip("mistral_common")
    from mistral_common.protocol.instruct.request import ChatCompletionRequest
    from mistral_common.protocol.instruct.validator import ValidationMode, get_validator
    from mistral_common.tokens.tokenizers.base import TokenizerVersion

    validator = get_validator(TokenizerVersion(version), ValidationMode.serving)

    @settings(max_examples=60)
    @given(HISTORIES)
    def taken(history: list[PromptMessage]) -> None:
        messages = plain({"messages": wire_messages(history, FORMS[version])})["messages"]
        validator.validate_request(ChatCompletionRequest.from_openai(messages, model="m"))

    taken()


@given(HISTORIES)
def test_every_message_has_the_type_that_the_openai_package_declares(history: list[PromptMessage]) -> None:
    from openai.types.chat import ChatCompletionMessageParam

    for message in plain({"messages": wire_messages(history, WireForm())})["messages"]:
        _adapter(ChatCompletionMessageParam).validate_python(message)


def _adapter(declared: Any) -> TypeAdapter[Any]:
    if not _ADAPTERS:
        _ADAPTERS.append(TypeAdapter(declared))
    return _ADAPTERS[0]


_ADAPTERS: list[TypeAdapter[Any]] = []
