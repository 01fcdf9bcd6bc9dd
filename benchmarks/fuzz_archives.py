"""Changes that keep to the form of archives: zip with right checksums, pickles, pictures in PNG."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable
from functools import cache
from typing import Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile

import torch
from fuzz_changes import Draw, damage, often, one_of, times
from fuzz_json import TRAP, other_value

BOMB = 64 * 2**20
"""Zeros in a packed member of an archive, in bytes."""

PICKLES = (
    f"\x80\x02c{TRAP}\ntrap\n)R.".encode("latin-1"),
    b"\x80\x02cos\nsystem\nX\x04\x00\x00\x00true\x85R.",
    b"\x80\x02cbuiltins\neval\nX\x03\x00\x00\x001+1\x85R.",
    b"\x80\x02ccollections\nOrderedDict\n)R.",
    b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n)R.",
    b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".",
    b"\x80\x02]q\x00" + b"h\x00a" * 1000 + b".",
    b"\x80\x02X\xff\xff\xff\x7fx.",
    b"\x80\x02\x8b\xff\xff\xff\x7f.",
    b"\x80\x04\x96\xff\xff\xff\xff\xff\xff\xff\x7f.",
    b"\x80\x02}q\x00(X\x03\x00\x00\x00keyK\x01u.",
    b"\x80\x02N.",
    b"\x80\xff.",
)
"""Pickles that call functions, nest endlessly, or claim to be long."""

INSTRUCTIONS = b"}]()\x81\x85\x86\x87RbcQa.eu0N\x88\x89KMJ\x8aGXU\x8cq\x94hj2S"
"""Instructions of pickles."""

Members = list[tuple[str, bytes]]


def other_pickle(content: bytes, draw: Draw) -> bytes:
    """Change instructions of a pickle, or put another in its place."""
    spoilt = bytearray(content)
    for _ in range(times(draw)):
        spoilt[draw.integers(len(spoilt))] = one_of(draw, INSTRUCTIONS)
    return one_of(draw, (bytes(spoilt), bytes(spoilt), one_of(draw, PICKLES)))


def other_archive(content: bytes, draw: Draw) -> bytes:
    """Rename, double, drop, spoil or pack members of a zip archive, with right checksums."""
    with ZipFile(io.BytesIO(content)) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    members = one_of(draw, (_renamed, _doubled, _dropped, _spoilt, _spoilt, _run, _run))(
        members, draw
    )
    packed, bomb = io.BytesIO(), often(draw, 0.1)
    with ZipFile(packed, "w") as archive:
        for name, inside in members:
            archive.writestr(name, inside)
        if bomb:
            way = one_of(draw, (ZIP_DEFLATED, ZIP_STORED))
            archive.writestr("archive/data/x", _zeros(BOMB if way else 100), way)
    return packed.getvalue()


def _renamed(members: Members, draw: Draw) -> Members:
    at = int(draw.integers(len(members)))
    name, inside = members[at]
    names = (f"../{name}", f"/{name}", "archive/data.pkl", name.upper(), "x", f"{name}/x")
    return [*members[:at], (one_of(draw, names), inside), *members[at + 1 :]]


def _doubled(members: Members, draw: Draw) -> Members:
    return [*members, one_of(draw, members)]


def _dropped(members: Members, draw: Draw) -> Members:
    at = int(draw.integers(len(members)))
    return members[:at] + members[at + 1 :]


def _spoilt(members: Members, draw: Draw) -> Members:
    at = int(draw.integers(len(members)))
    name, inside = members[at]
    return [*members[:at], (name, damage(inside, draw)), *members[at + 1 :]]


def _run(members: Members, draw: Draw) -> Members:
    """Change the pickle."""
    return [(n, other_pickle(x, draw) if n.endswith("data.pkl") else x) for n, x in members]


@cache
def _zeros(size: int) -> bytes:
    return bytes(size)


def other_state(
    content: bytes, draw: Draw, other: Callable[[Any, Draw], Any] = other_value
) -> bytes:
    """Write another state of a training, by changes of entries at any depth, tensors among them."""
    state = torch.load(io.BytesIO(content), weights_only=True)
    for _ in range(times(draw)):
        state = other(state, draw)
    written = io.BytesIO()
    torch.save(state, written)
    return written.getvalue()


PNG, HEAD, TAIL = b"\x89PNG\r\n\x1a\n", 8, 4
"""The beginning of the file; length and kind before a part, in bytes; and the checksum after it."""

COMMENTS = (b"tEXt", b"x\0" + b"y" * 10_000), (b"zTXt", b"x\0\0" + zlib.compress(bytes(10**7)))


def other_picture(content: bytes, draw: Draw) -> bytes:
    """Spoil a part of a PNG and correct its checksum; damage another picture."""
    parts = _parts(content)
    if not content.startswith(PNG) or not parts:
        return damage(content, draw)
    at = int(draw.integers(len(parts)))
    kind, data = parts[at]
    parts[at] = kind, damage(data, draw)
    if often(draw, 0.2):
        parts.insert(1, one_of(draw, COMMENTS))
    each = (
        len(d).to_bytes(4, "big") + k + d + zlib.crc32(k + d).to_bytes(TAIL, "big")
        for k, d in parts
    )
    return PNG + b"".join(each)


def _parts(content: bytes) -> list[tuple[bytes, bytes]]:
    found, at = [], len(PNG)
    while at + HEAD + TAIL <= len(content):
        size = int.from_bytes(content[at : at + 4], "big")
        found.append((content[at + 4 : at + HEAD], content[at + HEAD :][:size]))
        at += HEAD + size + TAIL
    return found
