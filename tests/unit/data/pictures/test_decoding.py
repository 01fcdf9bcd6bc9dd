"""Many pictures to one tensor: in order, through threads, and seen on a terminal."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from sakd.data.pictures.conversion import Form
from sakd.data.pictures.decoding import Encoded, Files, decode, survey
from sakd.foundation import console
from sakd.foundation.errors import UserError

FORM = Form(3, 8, 8)


def encoded(contents: list[bytes | None]) -> Encoded:
    return Encoded(contents, [(Path("x.parquet"), row) for row in range(len(contents))])


def test_many_pictures_keep_their_order(encode, draw) -> None:
    images = [draw(seed) for seed in range(300)]
    found = decode(encoded([encode(image) for image in images]), FORM, "train")
    assert torch.equal(found, torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2))
    assert found.is_contiguous()


@pytest.mark.parametrize("terminal", [True, False])
def test_on_a_terminal_a_bar_counts_what_is_decoded(
    encode, draw, monkeypatch: pytest.MonkeyPatch, terminal: bool
) -> None:
    shown = io.StringIO()
    screen = Console(force_terminal=terminal, file=shown, width=200, _environ={})
    monkeypatch.setattr(console, "get_console", lambda: screen)
    decode(encoded([encode(draw(seed)) for seed in range(70)]), FORM, "val")
    assert ("decoding 70 images, val" in shown.getvalue()) == terminal
    assert ("70/70" in shown.getvalue()) == terminal


def test_one_unreadable_header_has_all_pictures_checked_to_their_ends(encode, draw) -> None:
    fine = encode(draw(0, 64, 64, 3))
    parts = {"train": encoded([fine, fine[:900], b"no", None])}
    with pytest.raises(UserError, match=r"3 of 4 images cannot be used: image 1 of x.p"):
        survey(parts, None)


def test_a_file_that_goes_missing_is_named_once(tmp_path: Path) -> None:
    with pytest.raises(UserError) as error:
        decode(Files([tmp_path / "gone.png"]), FORM, "train")
    assert str(error.value).count("gone.png") == 1
    assert "(No such file or directory)" in str(error.value)
