"""The form of a set of pictures follows from their headers."""

import pytest
from PIL import Image

from sakd.data.pictures.form import Form, Header, common_form, read_header, require_size
from sakd.foundation.errors import UserError


@pytest.mark.parametrize("size", [(1, 8), (8, 1), (20_001, 2), (2, 20_001)])
def test_absurd_sizes_are_refused(size: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="pixels; allowed: 2 to 20,000 pixels a side"):
        read_header(Image.new("1", size))


@pytest.mark.parametrize(
    ("sizes", "size", "expected"),
    [
        ([(6, 4), (6, 4)], None, Form(1, 4, 6)),
        ([(6, 4), (6, 4)], 5, Form(1, 5, 5, resized=True)),
        ([(9, 9), (9, 9)], 9, Form(1, 9, 9)),
        ([(10, 40), (30, 20), (50, 60)], None, Form(1, 20, 20, resized=True)),
        ([(100, 400), (300, 200)], None, Form(1, 64, 64, resized=True)),
        ([(100, 400), (300, 200)], 96, Form(1, 96, 96, resized=True)),
    ],
)
def test_the_form_of_pictures_follows_from_their_sizes(sizes, size, expected) -> None:
    headers = [Header(grey=True, width=width, height=height) for width, height in sizes]
    assert common_form(headers, size) == expected


def test_one_picture_in_colour_makes_all_of_them_colour() -> None:
    grey, colour = (Header(grey=grey, width=4, height=4) for grey in (True, False))
    assert common_form([grey, colour, grey], None).channels == 3
    assert common_form([grey, grey], None).channels == 1


@pytest.mark.parametrize("size", [-1, 0, 1, 20_001])
def test_an_absurd_target_is_refused(size: int) -> None:
    with pytest.raises(UserError, match=rf"data.options.size {size} pixels; allowed: 2"):
        require_size(size)
    for fine in (None, 2, 20_000):
        require_size(fine)
