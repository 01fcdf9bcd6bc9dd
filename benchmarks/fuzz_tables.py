"""Changes that keep to the form of Parquet and safetensors: other columns, other tensors."""

from __future__ import annotations

import io
from collections.abc import Callable

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import torch
from fuzz_changes import Draw, damage, often, one_of
from fuzz_json import WORDS, other_json
from safetensors.torch import load, save
from torch import Tensor

from sakd.foundation.tensors import CHECKSUM, tensors_sha256

KINDS = (pa.string(), pa.float64(), pa.int8(), pa.large_binary(), pa.list_(pa.int64()))
NUMBERS = (float("nan"), float("inf"), -1e300, 0.5, 2.0**60)
LABELS = (-1, 0, 1, 2, 3, 127)
LENGTH = 8
"""Bytes in which a file of tensors has the length of its header."""


def other_table(content: bytes, draw: Draw) -> bytes:
    """Write a Parquet file with other columns, types, nulls, values or metadata."""
    table = pq.read_table(io.BytesIO(content))
    changed = one_of(draw, COLUMNS)(table, int(draw.integers(table.num_columns)), draw)
    written = io.BytesIO()
    pq.write_table(changed, written)
    return written.getvalue()


def _dropped(table: pa.Table, at: int, _draw: Draw) -> pa.Table:
    return table.remove_column(at)


def _renamed(table: pa.Table, at: int, draw: Draw) -> pa.Table:
    names = table.column_names
    names[at] = one_of(draw, WORDS)[:50].encode("ascii", "replace").decode()
    return table.rename_columns(names)


def _doubled(table: pa.Table, at: int, _draw: Draw) -> pa.Table:
    return table.append_column(table.column_names[at], table.column(at))


def _shortened(table: pa.Table, _at: int, draw: Draw) -> pa.Table:
    return table.slice(0, one_of(draw, (0, 1)))


def _emptied(table: pa.Table, at: int, draw: Draw) -> pa.Table:
    kind = one_of(draw, (table.column(at).type, *KINDS))
    return table.set_column(at, table.column_names[at], pa.nulls(len(table), kind))


def _holed(table: pa.Table, at: int, draw: Draw) -> pa.Table:
    holes = pa.array(draw.random(len(table)) < 0.5)  # noqa: PLR2004 - half of them
    return table.set_column(at, table.column_names[at], pc.if_else(holes, table.column(at), None))


def _filled(table: pa.Table, at: int, draw: Draw) -> pa.Table:
    labels, numbers = [one_of(draw, LABELS)], [one_of(draw, NUMBERS)]
    values = one_of(draw, (pa.array(labels * len(table)), pa.array(numbers * len(table))))
    return table.set_column(at, table.column_names[at], values)


def _said(table: pa.Table, _at: int, draw: Draw) -> pa.Table:
    told = table.schema.metadata or {b"pandas": b"{}"}
    return table.replace_schema_metadata({n: other_json(said, draw) for n, said in told.items()})


def _spoilt(table: pa.Table, at: int, draw: Draw) -> pa.Table:
    """Damage the bytes of the pictures in a column; fill one without pictures."""
    kind = table.column(at).type
    if not pa.types.is_struct(kind):
        return _filled(table, at, draw)
    rows = [{**row, "bytes": damage(row["bytes"], draw)} for row in table.column(at).to_pylist()]
    return table.set_column(at, table.column_names[at], pa.array(rows, kind))


COLUMNS = (
    *(_dropped, _renamed, _doubled, _shortened, _emptied, _holed, _filled, _said, _said),
    *(_spoilt, _spoilt),
)

TENSORS: tuple[Callable[[Tensor], Tensor], ...] = (
    lambda tensor: tensor.double(),
    lambda tensor: tensor.to(torch.float16),
    lambda tensor: tensor.to(torch.int8),
    lambda tensor: tensor.bool(),
    lambda tensor: tensor.reshape(-1),
    lambda tensor: tensor[None],
    lambda tensor: tensor.reshape(-1)[:0],
    lambda tensor: tensor + 1,
    lambda tensor: tensor.double() * float("nan"),
    lambda tensor: tensor.double().fill_(float("inf")),
    lambda tensor: tensor.long().fill_(2**62),
    lambda tensor: tensor.long().fill_(-1),
)
"""Other types, shapes and values of a tensor."""


def other_tensors(content: bytes, draw: Draw) -> bytes:
    """Write another tensor, or another name, with the checksum of what is there now, or none."""
    tensors = load(content)
    name = one_of(draw, sorted(tensors))
    tensors[name] = one_of(draw, TENSORS)(tensors[name]).contiguous()
    if often(draw, 0.2):
        other = one_of(draw, WORDS).encode("ascii", "replace").decode()
        tensors[other] = tensors.pop(name)
    return save(tensors, one_of(draw, ({CHECKSUM: tensors_sha256(tensors)}, None)))


def other_header(content: bytes, draw: Draw) -> bytes:
    """Change the header of a file of tensors, or the length that it is said to have."""
    size = int.from_bytes(content[:LENGTH], "little")
    header, rest = content[LENGTH : LENGTH + size], content[LENGTH + size :]
    lengths = (0, 1, size - 1, size + 1, len(content), 2**31, 2**63, 2**64 - 1, 100_000_001)
    if often(draw, 0.2):
        return one_of(draw, lengths).to_bytes(LENGTH, "little") + content[LENGTH:]
    header = other_json(header, draw)
    return len(header).to_bytes(LENGTH, "little") + header + rest
