"""Pictures that cannot be used; all others of the folder are fine."""

from __future__ import annotations

import io
import pickle
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from bad_input.case import Case, read
from bad_input.layouts import changed, folder


def png(mode: str = "RGB", size: tuple[int, int] = (8, 8), **options: object) -> bytes:
    return saved("png", mode, size, **options)


def saved(kind: str, mode: str = "RGB", size: tuple[int, int] = (8, 8), **options: object) -> bytes:
    content = io.BytesIO()
    Image.new(mode, size).save(content, kind, **options)
    return content.getvalue()


def claiming(width: int, height: int) -> bytes:
    """Give a PNG whose header claims a size that it has not."""
    head = struct.pack(">II5B", width, height, 8, 2, 0, 0, 0)
    parts = (b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 25)), (b"IEND", b"")
    chunks = (
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunks)


def one(
    name: str,
    content: bytes,
    value: str = r"1 of 17 .*bad.png \(cannot identify",
    file: str = "bad.png",
    remedy: str = "replace or remove",
) -> Case:
    """Give a case of one such picture among good ones."""

    def put(top: Path) -> None:
        (top / "ant" / file).write_bytes(content)

    return read(name, changed(put), value, remedy)


def spoilt(name: str, change: Callable[[bytes], bytes], value: str, kind: str = "png") -> Case:
    """Give a case of a noisy picture that was changed after it was written."""
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, kind)
    return one(name, change(content.getvalue()), rf"bad.{kind} \({value}", f"bad.{kind}")


def option(name: str, options: str, value: str, remedy: str) -> Case:
    """Give a case of good pictures that are to be read in a wrong way."""
    return read(name, folder, value, remedy, options)


def half(content: bytes) -> bytes:
    return content[: len(content) // 2]


def bomb(kind: str, side: int = 20_000) -> bytes:
    """Give a small file of one colour that fills gigabytes."""
    return saved(kind, "1", (side, side))


FLOAT = io.BytesIO()
Image.fromarray(np.zeros((8, 8), dtype=np.float32)).save(FLOAT, "tiff")

CASES = [
    one("empty", b"", r"1 of 17 .* \(0 bytes\): .*bad.png"),
    one("text", b"no picture"),
    one("html", b"<html><script>alert(1)</script>"),
    one("nulls-as-image", bytes(1000)),
    one("pickle", pickle.dumps({"pixels": [1, 2]})),
    one("pdf-as-image", b"%PDF-1.4 1 0 obj"),
    one("postscript-as-image", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n"),
    one("icon-as-image", saved("ico", size=(16, 16))),
    one("archive-as-image", b"PK\x03\x04" + bytes(100)),
    one("program-as-image", b"\x7fELF" + bytes(100), "bad.jpg .*cannot identify", "bad.jpg"),
    spoilt("half-a-png", half, "image file is truncated"),
    spoilt("half-a-jpeg", half, "image file is truncated", "jpeg"),
    spoilt("half-a-webp", half, "could not create decoder", "webp"),
    spoilt("half-a-tiff", half, "image file is truncated", "tiff"),
    spoilt("half-a-gif", half, "image file is truncated", "gif"),
    spoilt("half-a-bmp", half, "image file is truncated", "bmp"),
    spoilt("half-a-ppm", half, "image file is truncated", "ppm"),
    spoilt("half-an-avif", half, r"\w", "avif"),
    spoilt("head-alone", lambda content: content[:40], r"\w"),
    spoilt("flipped-bits", lambda content: content[:60] + b"?" + content[61:], "broken data"),
    one("bomb", claiming(60000, 60000), r"bad.png \(Image size \(3600000000 pixels"),
    one("wide-bomb", claiming(2**31 - 1, 1), r"bad.png \(Image size \(2147483647 pixels"),
    one("bomb-of-one-colour", bomb("png"), r"bad.png \(Image size \(400000000 pixels"),
    one("bomb-of-runs", bomb("tiff"), r"bad.tiff \(Image size", "bad.tiff"),
    one("no-pixels", claiming(0, 8)),
    one("one-pixel", png(size=(1, 1)), r"bad.png \(1 x 1 pixels; allowed: 2 to"),
    one("strip", png("1", (30_000, 2)), r"bad.png \(30000 x 2 pixels; allowed: 2 to"),
    one("floating-point", FLOAT.getvalue(), "bad.tiff .*floating-point", "bad.tiff"),
    one(
        "vector",
        b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "bad.svg",
        "bad.svg",
        "allowed: .png",
    ),
    one("heic", b"\0\0\0\x18ftypheic", "not images: bad.heic", "bad.heic", "allowed: .png"),
    one("heic-as-avif", b"\0\0\0\x18ftypheic" + bytes(90), "bad.avif .*cannot", "bad.avif"),
    option("too-small-a-size", "data.options.size=0", "size 0 pixels", "allowed: 2 to"),
    option("too-large-a-size", "data.options.size=1000000", "size 1000000 pixels", "allowed: 2 to"),
    option("size-in-words", "data.options.size=big", "size .* got 'big'", "takes int"),
    option("unknown-way-out", "data.on_error=ignore", "'data.on_error'.* 'ignore'", "or 'skip'"),
    option("unknown-background", "data.options.background=pink", "'pink'", "'white' or 'black'"),
    option("unknown-choice", "data.options.sise=8", "data.options.sise", "its options: size"),
    option("workers-of-nothing", "data.workers=2", "data.workers", "set data.streamed, or leave"),
]
