"""Facts in files: read from triples (CSV, JSON lines), written as JSON lines, CSV, GraphML or RDF Turtle."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import TYPE_CHECKING, Any, Final
from xml.sax.saxutils import escape as xml
from xml.sax.saxutils import quoteattr

from memgpt_cli.domain.facts import FactKind, FactState, entity_ref
from memgpt_cli.domain.times import parse
from memgpt_cli.errors import UsageError
from memgpt_cli.services.facts import date_of, fact_shape, validity

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime, tzinfo

    from memgpt_cli.domain.facts import Entity, Fact
    from memgpt_cli.facts.keeping import Statement

FORMATS: Final = ("jsonl", "csv", "graphml", "turtle")

_COLUMNS: Final = (
    "id", "subject", "predicate", "object", "sentence", "kind", "state", "valid_from", "valid_until", "said_at", "says",
)  # fmt: skip
_OTHER_NAMES: Final = {
    "s": "subject", "p": "predicate", "o": "object", "relation": "predicate", "value": "object", "from": "valid_from",
    "since": "valid_from", "until": "valid_until", "to": "valid_until", "text": "sentence", "type": "kind",
}  # fmt: skip
_MOST_ROWS: Final = 200_000
_ESCAPED: Final = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def read_facts(text: str, *, is_csv: bool, zone: tzinfo) -> list[tuple[Statement, datetime | None]]:
    """The statements of a file, each with when it was said. Raises UsageError that names the line."""
    rows = list(_csv_rows(text) if is_csv else _json_rows(text))
    if len(rows) > _MOST_ROWS:
        raise UsageError(f"the file has more than {_MOST_ROWS:,} facts", hint="split it")
    found = []
    for number, row in rows:
        try:
            found.append(_statement(row, zone))
        except (UsageError, ValueError) as error:
            raise UsageError(
                f"line {number}: {getattr(error, 'message', error)}", hint="nothing was imported"
            ) from error
    return found


def written(facts: Sequence[Fact], entities: Mapping[int, Entity], form: str) -> Iterator[str]:
    """The lines of a file in one of `FORMATS`."""
    if form == "jsonl":
        yield from (json.dumps(fact_shape(fact), ensure_ascii=False) for fact in facts)
    elif form == "csv":
        yield from _csv_lines(facts)
    elif form == "graphml":
        yield from graphml(facts, entities)
    else:
        yield from _turtle(facts, entities)


def graphml(facts: Iterable[Fact], entities: Mapping[int, Entity]) -> Iterator[str]:
    """A GraphML document: entities and values are nodes, facts are edges."""
    facts = list(facts)
    yield '<?xml version="1.0" encoding="UTF-8"?>'
    yield '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">'
    for name in ("label", "kind"):
        yield f'<key id="node_{name}" for="node" attr.name="{name}" attr.type="string"/>'
    for name in ("label", "kind", "state", "valid_from", "valid_until"):
        yield f'<key id="{name}" for="edge" attr.name="{name}" attr.type="string"/>'
    yield '<graph id="facts" edgedefault="directed">'
    used = {number for fact in facts for number in fact.entities}
    for number in sorted(used):
        entity = entities[number]
        yield _node(entity_ref(number), entity.name, entity.kind.value)
    for fact in facts:
        values = fact.to_values()
        targets = [entity_ref(n) for n in dict.fromkeys((*((fact.object_id and (fact.object_id,)) or ()), *fact.about))]
        if not targets:
            targets = [f"{fact.ref}-value"]
            yield _node(targets[0], fact.object or fact.sentence, "value")
        data = {
            "label": fact.predicate or fact.text,
            **{k: values[k] for k in ("kind", "state", "valid_from", "valid_until")},
        }
        for place, target in enumerate(targets):
            told = "".join(f'<data key="{key}">{_xml(value)}</data>' for key, value in data.items() if value)
            yield (
                f'<edge id="{fact.ref}{f"-{place}" if place else ""}" source="{entity_ref(fact.subject_id)}"'
                f' target="{target}">{told}</edge>'
            )
    yield "</graph></graphml>"


def _node(number: str, label: str, kind: str) -> str:
    return (
        f'<node id={quoteattr(number)}><data key="node_label">{_xml(label)}</data>'
        f'<data key="node_kind">{_xml(kind)}</data></node>'
    )


def _xml(text: str) -> str:
    """Text for XML, without the characters that XML cannot hold."""
    return xml(re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]", "", text))


def _csv_lines(facts: Iterable[Fact]) -> Iterator[str]:
    yield _csv_line(_COLUMNS)
    for fact in facts:
        shape = fact_shape(fact)
        yield _csv_line([shape[column] or "" for column in _COLUMNS])


def _csv_line(cells: Iterable[Any]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow(list(cells))
    return buffer.getvalue()


def _turtle(facts: Iterable[Fact], entities: Mapping[int, Entity]) -> Iterator[str]:
    """Each fact as a resource with its subject, predicate and object, since plain triples have no validity."""
    yield "@prefix m: <urn:memgpt:terms#> ."
    yield "@prefix d: <urn:memgpt:data#> ."
    yield "@prefix rdfs: <http://www.w3.org/2000/01/rdf-schema#> ."
    facts = list(facts)
    for number in sorted({number for fact in facts for number in fact.entities}):
        entity = entities[number]
        names = [f"rdfs:label {_literal(entity.name)}", *(f"m:alias {_literal(alias)}" for alias in entity.aliases)]
        yield f"d:{entity_ref(number)} a m:Entity ; {' ; '.join(names)} ."
    for fact in facts:
        values = fact.to_values()
        parts = [f"m:subject d:{entity_ref(fact.subject_id)}", f"rdfs:label {_literal(fact.text)}"]
        parts += [f"m:predicate {_literal(fact.predicate)}"] if fact.predicate else []
        parts += [f"m:value {_literal(fact.object)}"] if fact.object else []
        parts += [f"m:object d:{entity_ref(n)}" for n in fact.entities if n != fact.subject_id]
        keys = ("kind", "state", "valid_from", "valid_until")
        parts += [f"m:{key} {_literal(values[key])}" for key in keys if values[key]]
        yield f"d:{fact.ref} a m:Fact ; {' ; '.join(parts)} ."


def _literal(text: str) -> str:
    return '"' + "".join(_ESCAPED.get(c, c if c >= " " else f"\\u{ord(c):04X}") for c in text) + '"'


def _csv_rows(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff")))
    try:
        for row in reader:
            yield reader.line_num, {k: v for k, v in row.items() if isinstance(k, str) and isinstance(v, str)}
    except csv.Error as error:
        raise UsageError(f"line {reader.line_num}: {error}", hint="nothing was imported") from error


def _json_rows(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UsageError(f"line {number}: not valid JSON", hint="one JSON object in each line") from error
        if not isinstance(row, dict):
            raise UsageError(f"line {number}: not a JSON object", hint="one JSON object in each line")
        yield number, row


def _statement(row: Mapping[str, Any], zone: tzinfo) -> tuple[Statement, datetime | None]:
    from memgpt_cli.facts.keeping import Statement

    fields = {_OTHER_NAMES.get(key.strip().lower(), key.strip().lower()): _field(value) for key, value in row.items()}
    is_triple = fields.get("predicate") and fields.get("object")
    if not fields.get("subject") or not (is_triple or fields.get("sentence")):
        raise UsageError("a fact needs the fields subject, predicate and object")
    said = fields.get("said_at", "")
    start, until = (date_of(name, fields.get(name) or None) for name in ("valid_from", "valid_until"))
    return (
        Statement(
            subject=fields["subject"],
            predicate=fields.get("predicate", ""),
            object=fields.get("object", ""),
            sentence="" if is_triple else fields.get("sentence", ""),
            kind=FactKind(fields.get("kind") or "attribute"),
            state=FactState(fields.get("state") or "current"),
            valid=validity("", start, until),
            says=fields.get("says", ""),
        ),
        parse(said, zone) if said else None,
    )


def _field(value: Any) -> str:
    return (
        value.strip()
        if isinstance(value, str)
        else ""
        if value is None or isinstance(value, list | dict)
        else str(value)
    )
