"""A model that replays a file: for tests, documentation and demonstrations. `docs/models.md` describes the format.

It stores no position: the position is read from the request, by matching the script's own replies with its assistant
messages. So it continues in another process and after an eviction, goes one reply back after an undo, and any number of
agents can use one file.
"""

import re
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from typing_extensions import override

from memgpt_cli.domain.chat import (
    CallDelta,
    ChatRequest,
    Delta,
    PromptMessage,
    TextDelta,
    ThoughtDelta,
    arguments_object,
)
from memgpt_cli.domain.messages import FunctionCall
from memgpt_cli.errors import APIKeyError, ContextLengthError, ModelError
from memgpt_cli.llm.prompt_reading import read
from memgpt_cli.llm.replies.call_ids import CallIds
from memgpt_cli.llm.script_file import ScriptStep, read_script
from memgpt_cli.ports import ChatModel

PREFIX: Final = "scripted:"

_PIECES: Final = re.compile(r"\s*\S+|\s+")
_PLAIN_NAME: Final = re.compile(r"[a-zA-Z0-9_-]{1,64}")


class ScriptedModel(ChatModel):
    """A model that replies from a file, named `scripted:FILE` or by its path.

    Raises NotFoundError for a missing file, ConfigError with line and field for an invalid one.
    """

    def __init__(self, file: str) -> None:
        self._file = file.removeprefix(PREFIX)
        self._steps = read_script(Path(self._file).expanduser())
        self._sequence = [step for step in self._steps if step.when is None]
        self._rules = [step for step in self._steps if step.when is not None]
        self._had: set[int] = set()  # lines without a trace in a request that this process has used

    @override
    @property
    def name(self) -> str:
        return PREFIX + self._file

    @override
    @property
    def origin(self) -> str:
        return self.name

    @override
    def body(self, request: ChatRequest) -> dict[str, Any]:
        return request.body()

    @override
    def close(self) -> None:
        """Do nothing."""

    @override
    def stream(self, request: ChatRequest) -> Iterator[Delta]:
        step = self._next(request)
        if _is_traceless(step):
            self._had.add(step.line)
        if step.delay_s:
            time.sleep(step.delay_s)
        if step.error is not None:
            raise _error(step.error)
        if step.thought:
            yield ThoughtDelta(step.thought)
        for piece in _PIECES.findall(step.text):
            yield TextDelta(piece)
        ids = CallIds(request)
        for index, call in enumerate(step.calls):
            yield CallDelta(index=index, id=ids.new(), name=call.name, arguments=call.arguments)
        if step.usage is not None:
            yield step.usage

    def _next(self, request: ChatRequest) -> ScriptStep:
        if (rule := self._rule(request)) is not None:
            return rule
        given = [m for m in request.messages if m.role == "assistant" and not self._came_from_rule(m)]
        for step in self._sequence[position(self._sequence, given) :]:
            if step.line not in self._had:
                return step
        raise ModelError(
            f"The script {self._file} is at its end after {len(self._sequence)} replies.",
            hint="add lines to it, or choose another model with --model",
        )

    def _rule(self, request: ChatRequest) -> ScriptStep | None:
        """Return the line whose `when` matches the last message: of several with the same `when`, one for each step."""
        situation = read(request)
        said = situation.pending[-1].text if situation.pending else ""
        fitting = [s for s in self._rules if s.when is not None and s.when.search(said) and s.line not in self._had]
        same = [step for step in fitting if step.when == fitting[0].when]
        done = len(situation.steps)
        return same[done] if done < len(same) else None

    def _came_from_rule(self, message: PromptMessage) -> bool:
        return any(gave(step, message) for step in self._rules)


def position(sequence: Sequence[ScriptStep], given: Sequence[PromptMessage]) -> int:
    """Return the position in a script, from the assistant messages in the prompt.

    The longest run of them at the end of the prompt's replies that is in the script in the same order decides; of
    equally long ones, the first in the script. Later replies of other models are skipped.
    """
    traces = [index for index, step in enumerate(sequence) if not _is_traceless(step)]
    for end in range(len(given), 0, -1):
        best = length = 0
        for place in range(len(traces)):
            run = 0
            while run <= place and run < end and gave(sequence[traces[place - run]], given[end - 1 - run]):
                run += 1
            if run > length:
                best, length = traces[place] + 1, run
        if length:
            return best
    return 0


def gave(step: ScriptStep, message: PromptMessage) -> bool:
    """Whether that assistant message is this step's reply, complete or interrupted."""
    if _is_traceless(step):
        return False
    said, text = (message.content or "").strip(), step.text.strip()
    if message.calls:
        alike = len(message.calls) == len(step.calls) and all(map(_is_same_call, step.calls, message.calls))
        return alike and said == text
    if said == text:
        return not step.calls
    begun, _, mark = said.rpartition("\n")  # an interrupted reply has a mark in brackets below it
    return bool(begun.strip()) and mark.startswith("[") and text.startswith(begun.strip())


def _is_traceless(step: ScriptStep) -> bool:
    """Whether it leaves no assistant message by which it could be recognised."""
    return step.error is not None or not (step.text.strip() or step.calls)


def _is_same_call(scripted: FunctionCall, given: FunctionCall) -> bool:
    """Whether names and arguments are equal; invalid names and arguments come back changed."""
    mine, theirs = arguments_object(scripted.arguments), arguments_object(given.arguments)
    same_name = scripted.name == given.name or not _PLAIN_NAME.fullmatch(scripted.name)
    return same_name and (mine is None or mine == theirs)


def _error(kind: str) -> ModelError | APIKeyError:
    if kind == "context_length":
        return ContextLengthError(
            "The script says that the prompt is over the window.", hint="set a smaller window: --window TOKENS"
        )
    if kind == "key":
        return APIKeyError("The script says that the key was refused.", hint="take the line out of the script")
    return ModelError("The script says that the network failed.", hint="try again; your message is stored")
