"""Levels of 16 bits and backgrounds are chosen for a set, so that no picture is lost."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sakd.data.pictures.decoding import Survey, decode, survey
from sakd.data.pictures.form import Tones
from sakd.data.pictures.stored import Encoded
from sakd.foundation.errors import UserError

FULL = Tones()


def stored(contents: Sequence[bytes]) -> Encoded:
    return Encoded(contents, [(Path("x.parquet"), row) for row in range(len(contents))])


def surveyed(train: Sequence[bytes], test: Sequence[bytes] = (), **options: str) -> Survey:
    parts = {"train": stored(train)} | ({"test": stored(test)} if test else {})
    return survey(parts, None, **options)


def levels(low: int, high: int, seed: int = 0) -> np.ndarray:
    drawn = np.random.default_rng(seed).integers(low, high + 1, (6, 6))
    drawn[0, 0], drawn[0, 1] = low, high
    return drawn


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 65535, FULL),
        (9, 33000, FULL),
        (3, 4092, Tones(0, 4095)),
        (0, 600, Tones(0, 1023)),
        (0, 200, Tones(0, 255)),
        (30_000, 31_000, Tones(30_000, 31_000)),
    ],
)
def test_levels_of_sixteen_bits_are_scaled_by_the_bits_or_the_range_that_the_set_uses(
    deep_png, low: int, high: int, expected: Tones
) -> None:
    pictures = [deep_png(levels(low, high)), deep_png(levels(low, (low + high) // 2, seed=1))]
    found = surveyed(pictures)
    assert found.form.tones == expected
    assert f"levels {expected.low} to {expected.high} of 2 pictures" in found.notes[0]
    pixels, faults = decode(stored(pictures), found.form, "train")
    assert faults == []
    assert len(pixels[0].unique()) >= min(20, high - low)


def test_one_scale_holds_for_all_splits(deep_png) -> None:
    train, test = deep_png(levels(0, 1000)), deep_png(levels(0, 4000))
    assert surveyed([train], [test]).form.tones == Tones(0, 4095)


def test_few_bits_in_colour_are_refused_and_many_are_read_by_the_higher_byte(deep_png) -> None:
    deep = levels(0, 65535)[:, :, None].repeat(3, axis=2)
    found = surveyed([deep_png(deep)])
    assert np.array_equal(
        decode(stored([deep_png(deep)]), found.form, "train")[0][0].permute(1, 2, 0), deep // 256
    )
    with pytest.raises(UserError, match=r"1 pictures .* use 16 of 256 levels .*; save them"):
        surveyed([deep_png(deep // 16)])


def drawing(level: int, encode, *, clear: bool = True) -> bytes:
    """A square of one grey level in the middle of a transparent ground."""
    pixels = np.zeros((8, 8, 4), dtype=np.uint8)
    pixels[..., :3] = 255 - level
    pixels[2:6, 2:6, :3] = level
    pixels[2:6, 2:6, 3] = 255
    return encode(pixels if clear else Image.fromarray(pixels).convert("RGB"))


@pytest.mark.parametrize(
    ("drawn", "background"),
    [
        ([0, 100, 200], 255),
        ([255, 250], 0),
        ([255, 200], 0),
        ([255, 0], 128),
        ([0, 128], 255),
        ([], 255),
    ],
)
def test_the_background_is_the_one_over_which_the_fewest_drawings_vanish(
    encode, drawn: list[int], background: int
) -> None:
    contents = [drawing(level, encode) for level in drawn] + [drawing(255, encode, clear=False)]
    found = surveyed(contents)
    assert found.form.tones.background == background
    pixels, _ = decode(stored(contents), found.form, "train")
    assert all(len(picture.unique()) > 1 for picture in pixels)
    name = {255: "white", 0: "black", 128: "grey"}[background]
    assert [f"laid over {name}" in note for note in found.notes] == [True] * bool(drawn)


def test_a_background_that_was_asked_for_is_taken_and_what_vanishes_over_it_is_said(encode) -> None:
    found = surveyed([drawing(255, encode), drawing(0, encode)], background="black")
    assert found.form.tones.background == 0
    (note,) = found.notes
    assert "over white 1 of them would vanish" in note
    assert "1 of them vanish over it (data.options.background)" in note
