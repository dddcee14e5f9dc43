"""The prompt on a real terminal: history, editing, multi-line, large pastes, completion, the bottom line.

Imports prompt_toolkit, so it is imported only when there is a terminal.
"""

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from prompt_toolkit import PromptSession
from prompt_toolkit.buffer import Buffer
from prompt_toolkit.completion import CompleteEvent, Completer
from prompt_toolkit.filters import Condition, is_searching
from prompt_toolkit.history import History
from prompt_toolkit.key_binding import KeyBindings, KeyPressEvent
from prompt_toolkit.styles import Style

from memgpt_cli.cli.chat.input import is_open, unquoted

_LARGE_PASTE: Final = 1_000
"""Minimum characters of a paste that is shown as a placeholder: a prompt of many screens cannot be edited."""

_LARGE_LINES: Final = 12
_HISTORY_BYTES: Final = 512 * 1024
"""Bytes that are read from the end of the history file."""

_LARGEST_ENTRY: Final = 20_000
"""Maximum characters of a pasted text in the history."""

_STYLE: Final = Style.from_dict({"prompt": "bold", "bottom-toolbar": "noreverse fg:ansibrightblack"})


class PromptLines:
    """Reads messages from a terminal. `first_key` is called once, when the user begins to type."""

    def __init__(
        self, *, history: Path, completer: Completer, toolbar: Callable[[], str], first_key: Callable[[], None]
    ) -> None:
        self._first_key: Callable[[], None] | None = first_key
        self._pastes: dict[str, str] = {}
        self._begun = ""
        self._session: PromptSession[str] = PromptSession(
            [("class:prompt", "> ")],
            history=PrivateHistory(history, self._whole),
            completer=completer,
            complete_while_typing=Condition(lambda: self._session.default_buffer.text.startswith("/")),
            key_bindings=self._keys(),
            multiline=True,
            prompt_continuation="  ",
            bottom_toolbar=toolbar,
            enable_open_in_editor=True,
            tempfile_suffix=".md",
            style=_STYLE,
        )
        self._session.default_buffer.on_text_changed += lambda _: self._typing()

    def read(self) -> str | None:
        """The next message; None for Ctrl-D."""
        begun, self._begun = self._begun, ""
        try:
            text = self._session.prompt(default=begun)
        except EOFError:
            return None
        return unquoted(self._whole(text))

    def begin_with(self, text: str) -> None:
        """Let the next message begin with input from before the prompt."""
        self._begun = text

    def ask(self, question: str, *, default: str = "") -> str:
        """Return one line, not stored in the history; empty for Ctrl-D. Raises KeyboardInterrupt."""
        asking: PromptSession[str] = PromptSession(style=_STYLE)
        try:
            return asking.prompt(question, default=default)
        except EOFError:
            return ""

    def _whole(self, text: str) -> str:
        for placeholder, paste in self._pastes.items():
            text = text.replace(placeholder, paste)
        return text

    def _typing(self) -> None:
        call, self._first_key = self._first_key, None
        if call is not None:
            call()

    def _keys(self) -> KeyBindings:
        keys = KeyBindings()

        @keys.add("enter")
        def _send(event: KeyPressEvent) -> None:
            buffer = event.current_buffer
            if is_open(buffer.text):
                buffer.newline(copy_margin=False)
            else:
                buffer.validate_and_handle()

        @keys.add("tab", filter=Condition(lambda: self._session.default_buffer.text.startswith("/")))
        def _tab(event: KeyPressEvent) -> None:
            _complete(event.current_buffer)

        @keys.add("escape", "enter")
        def _new_line(event: KeyPressEvent) -> None:
            event.current_buffer.newline(copy_margin=False)

        @keys.add("c-c", filter=~is_searching)
        def _interrupt(event: KeyPressEvent) -> None:
            buffer = event.current_buffer
            if not buffer.text:
                event.app.exit(exception=KeyboardInterrupt, style="class:aborting")
                return
            buffer.append_to_history()  # the arrow up restores it
            buffer.reset()

        @keys.add("<bracketed-paste>")
        def _paste(event: KeyPressEvent) -> None:
            text = event.data.replace("\r\n", "\n").replace("\r", "\n")
            lines = text.count("\n") + 1
            if len(text) < _LARGE_PASTE and lines < _LARGE_LINES:
                event.current_buffer.insert_text(text)
                return
            placeholder = f"[pasted text {len(self._pastes) + 1}: {lines:,} lines, {len(text):,} characters]"
            self._pastes[placeholder] = text
            event.current_buffer.insert_text(placeholder)

        return keys


def _complete(buffer: Buffer) -> None:
    """Insert the only completion, or the next one, or show the list."""
    found = list(buffer.completer.get_completions(buffer.document, CompleteEvent(completion_requested=True)))
    if len(found) == 1:
        buffer.apply_completion(found[0])
    elif buffer.complete_state:
        buffer.complete_next()
    else:
        buffer.start_completion(select_first=True)


class PrivateHistory(History):
    """The history of input, in a file that only its owner can read; only its newest part is loaded.

    The format is that of prompt_toolkit's FileHistory. `whole` replaces placeholders by the pasted texts.
    """

    def __init__(self, path: Path, whole: Callable[[str], str]) -> None:
        super().__init__()
        self._path = path
        self._whole = whole

    def load_history_strings(self) -> Iterable[str]:
        """Return a page of passages, newest first."""
        try:
            with self._path.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - _HISTORY_BYTES))
                text = file.read().decode("utf-8", "replace")
        except OSError:
            return []
        entries = []
        for part in text.split("\n# ")[1:]:
            lines = [line[1:] for line in part.split("\n")[1:] if line.startswith("+")]
            if lines:
                entries.append("\n".join(lines))
        return reversed(entries)

    def store_string(self, string: str) -> None:
        """Append one entry. An error does not end the chat."""
        from datetime import datetime

        whole = self._whole(string)
        text = whole if len(whole) <= _LARGEST_ENTRY else string
        lines = "".join(f"+{line}\n" for line in text.split("\n"))
        entry = f"\n# {datetime.now().astimezone():%Y-%m-%d %H:%M:%S}\n{lines}"
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
            with os.fdopen(handle, "ab") as file:
                file.write(entry.encode("utf-8", "replace"))
        except OSError:
            return
