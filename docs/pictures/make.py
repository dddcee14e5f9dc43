"""`python docs/pictures/make.py`: the pictures of the README, drawn from a real run in a pseudo-terminal.

Nothing in them is written by hand but what the person types: the offline responder answers, the record is a fresh one
that this script fills, and each picture is the terminal's screen as it stands at the end. A test holds the pictures to
what this draws, numbers aside.
"""  # noqa: INP001 - a script

import io
import itertools
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.style import Style
from rich.terminal_theme import TerminalTheme
from rich.text import Text

HERE: Final = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "tests"))

from support.terminal import Terminal, environment_of  # noqa: E402 - found by the line above

AGENT: Final = "ada"
COLUMNS: Final = 80
LINES: Final = 31
WINDOW: Final = "4096"
"""A small window, so that a short conversation outgrows it."""

EARLIER: Final = (
    "Hi, I am Ada. I live in Lisbon with my sister Mara.",
    "Mara is allergic to peanuts, so we cook without them.",
    "I work as a marine biologist and count cuttlefish off the coast.",
)
LATER: Final = (
    "Today I dived twice. The water was cold and green, and I saw {n} cuttlefish between the rocks, most of them"
    " asleep, two of them changing colour as if they were talking to each other about me. In the evening I wrote"
    " everything down, washed the nets, mended the torn one, and read a little before I fell asleep at my desk with the"
    " lamp still on."
)
SAID: Final = (
    "I moved to Porto last week.",
    "Is there anything Mara should not eat?",
    "/why",
)

_COLOURS: Final = [
    *((72, 79, 88), (255, 123, 114), (63, 185, 80), (210, 153, 34)),
    *((88, 166, 255), (188, 140, 255), (57, 197, 207), (177, 186, 196)),
]
THEME: Final = TerminalTheme((22, 27, 34), (201, 209, 217), _COLOURS, [(110, 118, 129), *_COLOURS[1:]])
_NAMES: Final = {"brown": "yellow", "brightblack": "bright_black", "brightbrown": "bright_yellow"}
"""Colours that the screen model calls otherwise than rich."""

FORMAT: Final = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">
<style>
.{unique_id}-matrix, .{unique_id}-title {{
  font-family: ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre; }}
.{unique_id}-matrix {{ font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font-size: 18px; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""
"""rich's own, without fonts from the network."""


def draw(folder: Path) -> None:
    """Write both pictures into a folder."""
    with tempfile.TemporaryDirectory(prefix="memgpt-pictures-") as scratch:
        home = Path(scratch) / "home"
        _live_a_while(home)
        window = {"MEMGPT_WINDOW": WINDOW}
        with Terminal(home, "chat", "-a", AGENT, columns=COLUMNS, lines=LINES, env=window) as terminal:
            terminal.prompt()
            for line in SAID:
                terminal.say(line)
                terminal.prompt()
            _save(terminal, f"memgpt chat -a {AGENT}", folder / "chat.svg")
        with Terminal(home, "context", "-a", AGENT, columns=COLUMNS, lines=LINES, env=window) as terminal:
            terminal.exit_code()
            _save(terminal, f"memgpt context -a {AGENT}", folder / "context.svg")


def _live_a_while(home: Path) -> None:
    """Three weeks of talk, a message a day."""
    said = [*EARLIER, *(LATER.format(n=number) for number in range(3, 21))]
    messages = [
        {"content": text, "created_at": f"2026-03-{day:02}T18:00:00Z"} for day, text in enumerate(said, start=1)
    ]
    file = home.parent / "talk.jsonl"
    file.write_text(json.dumps({"id": AGENT, "messages": messages}) + "\n", encoding="utf-8")
    command = [sys.executable, "-m", "memgpt_cli", "batch", str(file), "--keep"]
    environment = {**environment_of(home), "MEMGPT_WINDOW": WINDOW}
    subprocess.run(command, env=environment, check=True, capture_output=True)  # noqa: S603 - our own command


def _save(terminal: Terminal, command: str, file: Path) -> None:
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(Text.assemble(("$ ", "bright_black"), (command, "bold")))
    rows = [_row(terminal, y) for y in range(terminal.screen.lines)]
    while rows and not rows[-1].plain.strip():
        rows.pop()
    for row in rows:
        console.print(row, no_wrap=True, crop=True)
    picture = console.export_svg(title=command, theme=THEME, code_format=FORMAT, unique_id=f"memgpt-{file.stem}")
    file.write_text("\n".join(line.rstrip() for line in picture.splitlines()) + "\n", encoding="utf-8")


def _row(terminal: Terminal, y: int) -> Text:
    """A line, word by word, so that each stands where it should whatever the font."""
    cells = [terminal.screen.buffer[y][x] for x in range(COLUMNS)]
    row = Text()
    for (char, _), run in itertools.groupby(cells, key=lambda cell: (cell._replace(data=""), cell.data.isspace())):
        style = Style(
            color=_colour(char.fg),
            bgcolor=_colour(char.bg),
            bold=char.bold,
            italic=char.italics,
            underline=char.underscore,
            reverse=char.reverse,
            dim=char.blink,  # as tests/support/terminal.py stores it
        )
        row.append("".join(cell.data for cell in run), style)
    row.rstrip()
    return row


def _colour(name: str) -> str | None:
    if name == "default":
        return None
    return _NAMES.get(name, name) if not _is_hex(name) else f"#{name}"


def _is_hex(name: str) -> bool:
    return len(name) == 6 and all(digit in "0123456789abcdef" for digit in name)  # noqa: PLR2004


if __name__ == "__main__":
    draw(HERE)
