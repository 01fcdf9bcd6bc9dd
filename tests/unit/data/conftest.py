"""Small datasets to test with, made here: nothing is read that a test did not write."""

import io
import json
import struct
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from sakd.data import ImageSet, RawData

Make = Callable[..., ImageSet]
WriteFolder = Callable[..., Path]


@pytest.fixture
def make_images() -> Make:
    """Give a maker of random images, ``per_class`` of each class, in shuffled order."""

    def make(per_class: int = 20, classes: int = 4, size: int = 8, seed: int = 0) -> ImageSet:
        source = torch.Generator().manual_seed(seed)
        labels = torch.arange(classes).repeat(per_class)
        labels = labels[torch.randperm(len(labels), generator=source)]
        shape = (len(labels), 3, size, size)
        images = torch.randint(256, shape, dtype=torch.uint8, generator=source)
        return ImageSet(images, labels)

    return make


@pytest.fixture
def raw(make_images: Make) -> RawData:
    """80 images of four classes, without test images."""
    return RawData(make_images(), None, ("ant", "bee", "cat", "dog"), "made for the test")


@pytest.fixture(scope="session")
def encode() -> Callable[..., bytes]:
    """Encode a picture, or the pixels of one."""

    def make(picture: Image.Image | np.ndarray, form: str = "PNG", **options: object) -> bytes:
        if isinstance(picture, np.ndarray):
            picture = Image.fromarray(picture)
        buffer = io.BytesIO()
        picture.save(buffer, form, **options)
        return buffer.getvalue()

    return make


@pytest.fixture(scope="session")
def deep_png() -> Callable[[np.ndarray], bytes]:
    """Write a PNG of 16 bits, (H, W) grey or (H, W, 3) colour, by hand: Pillow cannot."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checked = kind + content
        return struct.pack(">I", len(content)) + checked + struct.pack(">I", zlib.crc32(checked))

    def make(pixels: np.ndarray) -> bytes:
        height, width = pixels.shape[:2]
        colour = 0 if pixels.ndim == 2 else 2
        header = struct.pack(">IIBBBBB", width, height, 16, colour, 0, 0, 0)
        rows = b"".join(b"\0" + row.astype(">u2").tobytes() for row in pixels)
        chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
        return b"\x89PNG\r\n\x1a\n" + chunks

    return make


@pytest.fixture(scope="session")
def draw() -> Callable[..., np.ndarray]:
    """Draw random pixels, (H, W) grey or (H, W, channels), from a seed."""

    def make(seed: int, *shape: int) -> np.ndarray:
        return np.random.default_rng(seed).integers(0, 256, shape or (8, 8, 3), dtype=np.uint8)

    return make


@pytest.fixture(scope="session")
def write_folder(encode: Callable[..., bytes], draw: Callable[..., np.ndarray]) -> WriteFolder:
    """Write so many different PNG images of each class and split, named like the split's folder."""

    def write(top: Path, count: int = 4, classes: str = "ant bee", splits: str = "train") -> Path:
        seed = 0
        for split in splits.split():
            for name in classes.split():
                folder = top if split == "." else top / split
                (folder / name).mkdir(parents=True)
                for number in range(count):
                    seed += 1
                    (folder / name / f"{number}.png").write_bytes(encode(draw(seed)))
        return top

    return write


@pytest.fixture(scope="session")
def write_parquet() -> Callable[..., None]:
    """Write a parquet file as Hugging Face does: a column of images, others of class labels."""

    def write(
        file: Path,
        contents: Sequence[bytes | None],
        names: Sequence[str] | None = None,
        image: str = "image",
        **labels: Sequence[object],
    ) -> None:
        struct = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
        images = pa.array([{"bytes": content, "path": "x.png"} for content in contents], struct)
        table = pa.table({image: images, **labels})
        if names is not None:
            kind = {"names": list(names), "_type": "ClassLabel"}
            features = dict.fromkeys(labels, kind)
            content = json.dumps({"info": {"features": features}})
            table = table.replace_schema_metadata({"huggingface": content})
        pq.write_table(table, file)

    return write
