"""Pictures of every kind become pixels of one kind, by rules that are checked pixel by pixel."""

import io

import numpy as np
import pytest
from PIL import Image

from sakd.data.pictures.conversion import convert
from sakd.data.pictures.form import Form, Header, Tones, read_header

GREY, COLOUR = Form(1, 4, 6), Form(3, 4, 6)
ORIENTATION = 0x0112  # the EXIF tag


def pixels(picture: Image.Image, form: Form) -> np.ndarray:
    return np.asarray(convert(picture, form))


@pytest.mark.parametrize(("shape", "form"), [((4, 6), GREY), ((4, 6, 3), COLOUR)])
def test_eight_bits_stay_as_they_are(draw, shape, form) -> None:
    image = draw(0, *shape)
    assert np.array_equal(pixels(Image.fromarray(image), form), image)


def test_grey_among_colour_is_repeated_on_all_channels(draw) -> None:
    grey = draw(0, 4, 6)
    assert np.array_equal(pixels(Image.fromarray(grey), COLOUR), np.stack([grey] * 3, axis=2))


def test_a_palette_is_looked_up(draw) -> None:
    index, colours = draw(0, 4, 6) % 7, draw(1, 7, 3)
    picture = Image.fromarray(index).convert("P")
    picture.putpalette(colours.tobytes())
    picture.putdata(index.reshape(-1).tolist())
    assert np.array_equal(pixels(picture, COLOUR), colours[index])


@pytest.mark.parametrize(("mode", "channels"), [("RGBA", 3), ("LA", 1)])
@pytest.mark.parametrize("background", [255, 128, 0])
def test_transparent_parts_show_the_background(draw, mode: str, channels, background) -> None:
    image = draw(0, 4, 6, len(mode))
    image[0, 0, -1], image[0, 1, -1] = 0, 255
    share = image[:, :, -1:].astype(float) / 255
    expected = share * image[:, :, :-1] + (1 - share) * background
    form = Form(channels, 4, 6, tones=Tones(background=background))
    found = pixels(Image.fromarray(image, mode), form).reshape(4, 6, -1)
    assert np.abs(found - expected).max() <= 1
    assert (found[0, 0] == background).all()
    assert np.array_equal(found[0, 1], image[0, 1, :-1])


def test_a_transparent_colour_shows_white(draw, encode) -> None:
    index = draw(0, 4, 6) % 2
    picture = Image.fromarray(index).convert("P")
    picture.putpalette(bytes([10, 20, 30, 40, 50, 60]))
    picture.putdata(index.reshape(-1).tolist())
    stored = Image.open(io.BytesIO(encode(picture, transparency=1)))
    expected = np.where(index[:, :, None] == 1, 255, np.array([10, 20, 30]))
    assert np.array_equal(pixels(stored, COLOUR), expected)


def test_ink_of_four_colours_becomes_light_of_three(draw) -> None:
    ink = draw(0, 4, 6, 4)
    light = 255 - ink.astype(float)
    expected = light[:, :, :3] * light[:, :, 3:] / 255
    assert np.abs(pixels(Image.fromarray(ink, "CMYK"), COLOUR) - expected).max() <= 1


@pytest.mark.parametrize(("shape", "form"), [((4, 6), GREY), ((4, 6, 3), COLOUR)])
def test_of_sixteen_bits_the_higher_eight_are_kept(deep_png, shape, form) -> None:
    deep = np.random.default_rng(0).integers(0, 2**16, shape)
    deep[0, 0], deep[0, 1] = 0, 65535
    found = pixels(Image.open(io.BytesIO(deep_png(deep))), form)
    assert np.array_equal(found, deep // 256)
    assert (found[0, 0] == 0).all()
    assert (found[0, 1] == 255).all()


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [
        (0, 4095, [0, 0, 1, 128, 255]),
        (0, 255, [0, 15, 16, 255, 255]),
        (16, 2063, [0, 0, 0, 254, 255]),
    ],
)
def test_levels_of_a_range_become_0_to_255_in_equal_steps(low, high, expected) -> None:
    levels = np.array([[0, 15, 16, 2048, 4095]], dtype=np.uint16).repeat(2, axis=0)
    form = Form(1, 2, 5, tones=Tones(low, high))
    assert pixels(Image.fromarray(levels), form)[0].tolist() == expected


@pytest.mark.parametrize("background", [0, 255])
def test_a_transparent_level_of_sixteen_bits_shows_the_background(deep_png, background) -> None:
    picture = Image.open(io.BytesIO(deep_png(np.arange(24).reshape(4, 6) * 257)))
    picture.info["transparency"] = 257
    found = pixels(picture, Form(1, 4, 6, tones=Tones(background=background)))
    assert found.reshape(-1)[:4].tolist() == [0, background, 2, 3]


@pytest.mark.parametrize(
    "picture",
    [Image.new("F", (6, 4)), Image.new("I", (6, 4), 70000), Image.new("I", (6, 4), -1)],
)
def test_levels_without_a_known_range_are_refused(picture: Image.Image) -> None:
    with pytest.raises(ValueError, match="save it with 8 or 16 bits"):
        convert(picture, GREY)


@pytest.mark.parametrize("form", ["PNG", "WEBP", "TIFF"])
def test_a_turned_picture_is_turned_back(draw, encode, form: str) -> None:
    upright = draw(0, 4, 6, 3)
    exif = Image.Exif()
    exif[ORIENTATION] = 6  # stored a quarter turn to the left
    options = {"lossless": True} if form == "WEBP" else {}
    stored = encode(np.ascontiguousarray(np.rot90(upright)), form, exif=exif, **options)
    assert read_header(Image.open(io.BytesIO(stored))) == Header(grey=False, width=6, height=4)
    assert np.array_equal(pixels(Image.open(io.BytesIO(stored)), COLOUR), upright)


@pytest.mark.parametrize("size", [(24, 12), (12, 24), (36, 12)])
def test_of_another_size_the_shorter_side_is_resized_and_the_centre_is_left(draw, size) -> None:
    picture = Image.fromarray(draw(0, size[1], size[0], 3))
    width, height = size[0] // 2, size[1] // 2
    whole = np.asarray(picture.resize((width, height), Image.Resampling.BILINEAR)).astype(int)
    left, top = (width - 6) // 2, (height - 6) // 2
    found = pixels(picture, Form(3, 6, 6, resized=True))
    assert np.abs(found - whole[top : top + 6, left : left + 6]).max() <= 1


def test_a_fine_pattern_averages_out_when_it_shrinks() -> None:
    board = (np.indices((64, 64)).sum(axis=0) % 2 * 255).astype(np.uint8)
    shrunk = pixels(Image.fromarray(board), Form(1, 8, 8, resized=True)).astype(int)
    assert np.abs(shrunk[1:-1, 1:-1] - 127.5).max() <= 3


def test_a_large_jpeg_shrinks_to_nearly_the_same_by_the_short_way(draw, encode) -> None:
    smooth = Image.fromarray(draw(0, 6, 6, 3)).resize((480, 480), Image.Resampling.BICUBIC)
    form = Form(3, 32, 32, resized=True)
    stored = encode(smooth, "JPEG", quality=95)
    short = pixels(Image.open(io.BytesIO(stored)), form).astype(int)
    whole = pixels(Image.open(io.BytesIO(stored)).convert("RGB"), form)
    assert np.abs(short - whole).max() <= 6


def test_a_picture_of_another_size_is_refused_where_all_must_be_of_one() -> None:
    with pytest.raises(ValueError, match="5 x 4 pixels; allowed: 6 x 4"):
        convert(Image.new("L", (5, 4)), GREY)
