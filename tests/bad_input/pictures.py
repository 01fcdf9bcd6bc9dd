"""Pictures that cannot be used; all others of the folder are fine."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from bad_input.case import Case, read
from bad_input.layouts import changed


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


def one(name: str, content: bytes, shown: str, file: str = "bad.png", options: str = "") -> Case:
    """Give a case of one such picture among good ones."""

    def put(top: Path) -> None:
        (top / "ant" / file).write_bytes(content)

    return read(name, changed(put), shown, options)


def spoilt(name: str, change: Callable[[bytes], bytes], kind: str = "png") -> Case:
    """Give a case of a noisy picture that was changed after it was written."""
    pixels = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    content = io.BytesIO()
    Image.fromarray(pixels).save(content, kind)
    return one(name, change(content.getvalue()), rf"bad.{kind} ?\(?.*replace", f"bad.{kind}")


FLOAT = io.BytesIO()
Image.fromarray(np.zeros((8, 8), dtype=np.float32)).save(FLOAT, "tiff")

CASES = [
    one("empty", b"", r"1 of 17 .* empty \(0 bytes\): .*bad.png"),
    one("text", b"no picture", "bad.png .*cannot identify"),
    one("html", b"<html><script>alert(1)</script>", "bad.png .*cannot identify"),
    spoilt("half-a-png", lambda content: content[: len(content) // 2]),
    spoilt("half-a-jpeg", lambda content: content[: len(content) // 2], "jpeg"),
    spoilt("half-a-webp", lambda content: content[: len(content) // 2], "webp"),
    spoilt("half-a-tiff", lambda content: content[: len(content) // 2], "tiff"),
    spoilt("flipped-bits", lambda content: content[:60] + b"?" + content[61:]),
    one("bomb", claiming(60000, 60000), "bad.png .*(pixels|bomb|exceeds)"),
    one("wide-bomb", claiming(2**31 - 1, 1), "bad.png"),
    one("no-pixels", claiming(0, 8), "bad.png"),
    one("floating-point", FLOAT.getvalue(), "bad.tiff .*floating-point", "bad.tiff"),
    one("vector", b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not images: bad.svg", "bad.svg"),
    one("heic", b"\0\0\0\x18ftypheic", "not images: bad.heic", "bad.heic"),
    one("program-as-image", b"\x7fELF" + bytes(100), "bad.jpg .*cannot identify", "bad.jpg"),
    one("pdf-as-image", b"%PDF-1.4 1 0 obj", "bad.png .*cannot identify"),
    one("postscript-as-image", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 8 8\n", "bad.png"),
    one("too-small-a-size", png(), "size", options="data.options.size=0"),
    one("too-large-a-size", png(), "memory|size", options="data.options.size=1000000"),
    one("size-in-words", png(), "size", options="data.options.size=big"),
    one("unknown-way-out", png(), "on_error", options="data.on_error=ignore"),
    one("unknown-background", png(), "background", options="data.options.background=pink"),
    one("unknown-choice", png(), "does not take data.options.sise", options="data.options.sise=8"),
]
