"""Many pictures to one tensor: in order, through threads, and seen on a terminal."""

import io
from pathlib import Path

import numpy as np
import pytest
import torch
from rich.console import Console

from sakd.data.pictures.decoding import decode, survey
from sakd.data.pictures.form import Form
from sakd.data.pictures.stored import Encoded, Files
from sakd.foundation import console
from sakd.foundation.errors import UserError

FORM = Form(3, 8, 8)


def encoded(contents: list[bytes | None]) -> Encoded:
    return Encoded(contents, [(Path("x.parquet"), row) for row in range(len(contents))])


def test_many_pictures_keep_their_order(encode, draw) -> None:
    images = [draw(seed) for seed in range(300)]
    found, faults = decode(encoded([encode(image) for image in images]), FORM, "train")
    assert torch.equal(found, torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2))
    assert found.is_contiguous()
    assert faults == []


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


def test_pictures_that_cannot_be_used_are_named_and_the_others_decoded(encode, draw) -> None:
    images = [draw(seed, 8, 8, 3) for seed in range(2)]
    fine, other = map(encode, images)
    found, faults = decode(encoded([fine, other[:100], b"no", None, other]), FORM, "train")
    assert [fault.number for fault in faults] == [1, 2, 3]
    assert str(faults[2]) == "image 3 of x.parquet (no bytes)"
    expected = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2)
    assert torch.equal(found[[0, 4]], expected)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "AVIF", "BMP", "GIF", "TIFF", "PPM"])
def test_a_truncated_picture_of_any_kind_cannot_be_used(encode, draw, form: str) -> None:
    content = encode(draw(0, 64, 64, 3), form)
    _, faults = decode(encoded([content, content[: len(content) * 2 // 3]]), Form(3, 64, 64), "val")
    assert [fault.number for fault in faults] == [1]
    assert faults[0].reason


def test_the_form_is_found_from_the_pictures_that_can_be_read(encode, draw) -> None:
    fine, grey = encode(draw(0, 8, 8)), encode(draw(0, 9, 9))
    assert survey({"train": encoded([b"no", fine])}, None).form == Form(1, 8, 8)
    assert survey({"train": encoded([fine]), "test": encoded([grey])}, None).form.resized
    with pytest.raises(UserError, match=r"no image can be used: image 0 of .*; replace"):
        survey({"train": encoded([b"no", None])}, None)


def test_a_file_that_goes_missing_is_named_once(tmp_path: Path) -> None:
    _, (fault,) = decode(Files([tmp_path / "gone.png"]), FORM, "train")
    assert str(fault).count("gone.png") == 1
    assert fault.reason == "No such file or directory"
