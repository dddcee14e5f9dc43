"""`memgpt facts import|export`: triples in, JSON lines, CSV, GraphML and Turtle out."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from memgpt_cli.cli.terminal.context import terminal_of
from memgpt_cli.cli.terminal.filters import Overwrite
from memgpt_cli.cli.terminal.texts import read_text
from memgpt_cli.domain.facts import FactFilters
from memgpt_cli.errors import UsageError
from memgpt_cli.services.fact_files import read_facts, written
from memgpt_cli.services.facts import fact_shape
from memgpt_cli.services.memory import open_memory
from memgpt_cli.services.wording import counted


class Format(StrEnum):
    """The file format of facts."""

    JSONL = "jsonl"
    CSV = "csv"
    GRAPHML = "graphml"
    TURTLE = "turtle"


_ENDINGS = {
    "": Format.JSONL,
    ".jsonl": Format.JSONL,
    ".csv": Format.CSV,
    ".graphml": Format.GRAPHML,
    ".ttl": Format.TURTLE,
    ".turtle": Format.TURTLE,
}


def import_facts(
    ctx: typer.Context,
    file: Annotated[
        str, typer.Argument(help="A CSV file with a heading, or JSON lines; - for standard input.", metavar="FILE")
    ],
) -> None:
    """Import facts from triples: columns or fields subject, predicate, object, and optionally valid_from, valid_until,
    kind, state, sentence, said_at. All or none are stored, as one operation.

    Examples:

        memgpt facts import facts.csv

        memgpt facts import facts.jsonl
    """  # noqa: D205
    terminal = terminal_of(ctx)
    text = read_text("-" if file == "-" else f"@{file}")
    is_csv = not text.lstrip("\ufeff \t\r\n").startswith("{")
    statements = read_facts(text, is_csv=is_csv, zone=terminal.zone)
    if not statements:
        raise UsageError(f"{file} holds no facts", hint="the first line of a CSV file names its columns")
    with open_memory(terminal.workspace, create=True) as memory:
        kept = memory.facts.import_all(statements)
    new = sum(1 for one in kept if one.new)
    closed = sum(len(one.closed) for one in kept)
    shape = {"read": len(kept), "new": new, "superseded": closed, "facts": [fact_shape(one.fact) for one in kept]}
    known = f", {len(kept) - new} known already" if len(kept) > new else ""
    terminal.show(shape, f"imported {counted(new, 'fact')}{known}" + (f", {closed} superseded" if closed else ""))


def export_facts(
    ctx: typer.Context,
    file: Annotated[Path | None, typer.Argument(help="Where to write; default: standard output.")] = None,
    form: Annotated[
        Format | None, typer.Option("--format", help="Default: by the ending of the file; without one jsonl.")
    ] = None,
    overwrite: Overwrite = False,
) -> None:
    """Export all facts, superseded and retracted ones too.

    Examples:

        memgpt facts export facts.csv

        memgpt facts export --format turtle
    """
    terminal = terminal_of(ctx)
    form = form or _format_of(file)
    if file is not None and file.exists() and not overwrite:
        raise UsageError(f"{file} exists already", hint="choose another name, or add --overwrite")
    with open_memory(terminal.workspace) as memory:
        facts, entities = memory.facts.all(FactFilters())
    lines = written(facts, entities, form)
    if file is None:
        sys.stdout.writelines(f"{line}\n" for line in lines)
        return
    file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    shape = {"file": str(file), "format": form.value, "facts": len(facts)}
    terminal.show(shape, f"wrote {counted(len(facts), 'fact')} to {file}")


def _format_of(file: Path | None) -> Format:
    ending = file.suffix.lower() if file else ""
    if ending not in _ENDINGS:
        known = ", ".join(name for name in _ENDINGS if name)
        raise UsageError(
            f"{ending} is not the ending of a format; the endings are {known}",
            hint=f"memgpt facts export --format {'|'.join(Format)} {file}",
        )
    return _ENDINGS[ending]
