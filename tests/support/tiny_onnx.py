"""The smallest sentence model: a table of token vectors as an ONNX file, and a tokenizer of whole words beside it.

ONNX is protobuf; what little of it a `Gather` needs is written here by hand, field by field.
"""

import struct
from collections.abc import Sequence
from pathlib import Path

FLOAT, INT64 = 1, 7


def write_model(folder: Path, table: dict[str, Sequence[float]]) -> None:
    """`model.onnx` and `tokenizer.json` in `folder`: each word of `table` has its vector, all others have a zero."""
    from tokenizers import Tokenizer
    from tokenizers.models import WordLevel
    from tokenizers.pre_tokenizers import Whitespace

    folder.mkdir(parents=True, exist_ok=True)
    dimensions = len(next(iter(table.values())))
    rows = {"[PAD]": [9.0] * dimensions, "[UNK]": [0.0] * dimensions, **table}
    tokenizer = Tokenizer(WordLevel({word: number for number, word in enumerate(rows)}, unk_token="[UNK]"))  # noqa: S106
    tokenizer.pre_tokenizer = Whitespace()
    tokenizer.save(str(folder / "tokenizer.json"))
    (folder / "model.onnx").write_bytes(_model(list(rows.values())))


def _model(rows: list[Sequence[float]]) -> bytes:
    """ModelProto: last_hidden_state = Gather(table, input_ids); the attention mask is taken and not used."""
    dimensions = len(rows[0])
    numbers = b"".join(struct.pack(f"<{dimensions}f", *row) for row in rows)
    table = _number(1, len(rows)) + _number(1, dimensions) + _number(2, FLOAT) + _text(8, "table") + _bytes(9, numbers)
    node = _text(1, "table") + _text(1, "input_ids") + _text(2, "last_hidden_state") + _text(4, "Gather")
    graph = b"".join(
        [
            _bytes(1, node),
            _text(2, "tiny"),
            _bytes(5, table),
            _bytes(11, _value("input_ids", INT64, ["batch", "tokens"])),
            _bytes(11, _value("attention_mask", INT64, ["batch", "tokens"])),
            _bytes(12, _value("last_hidden_state", FLOAT, ["batch", "tokens", dimensions])),
        ]
    )
    return _number(1, 8) + _bytes(7, graph) + _bytes(8, _number(2, 13))


def _value(name: str, kind: int, shape: list[str | int]) -> bytes:
    """ValueInfoProto."""
    axes = [_number(1, axis) if isinstance(axis, int) else _text(2, axis) for axis in shape]
    tensor = _number(1, kind) + _bytes(2, b"".join(_bytes(1, axis) for axis in axes))
    return _text(1, name) + _bytes(2, _bytes(1, tensor))


def _number(field: int, value: int) -> bytes:
    return _varint(field << 3) + _varint(value)


def _text(field: int, value: str) -> bytes:
    return _bytes(field, value.encode())


def _bytes(field: int, value: bytes) -> bytes:
    return _varint(field << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])
