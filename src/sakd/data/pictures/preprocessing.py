"""The conversion of a picture as plain data, for code that has a network but not this package."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sakd.data.pictures.form import LONGEST_SIDE, Form, Tones


def preprocessing(form: Form, mean: Sequence[float], std: Sequence[float]) -> list[dict[str, Any]]:
    """List all that is done to a picture before a network sees it, in order.

    docs/preprocessing.md explains each step and has a function that follows them.

    Args:
        form: The form that pictures are converted to.
        mean: Mean per channel, of pixels in [0, 1].
        std: Standard deviation per channel, likewise.

    Returns:
        The steps as JSON can hold them, each with its name under ``step``.
    """
    size = {"width": form.width, "height": form.height}
    return [
        {"step": "draft", "width": 2 * form.width, "height": 2 * form.height},
        {"step": "orient", "by": "EXIF"},
        {"step": "levels", "low": form.tones.low, "high": form.tones.high},
        {"step": "flatten", "background": form.tones.background},
        {"step": "mode", "mode": "L" if form.channels == 1 else "RGB"},
        {"step": "crop", "share": form.share, **size},
        {"step": "resize", "filter": "bilinear", "antialias": True, **size},
        {"step": "scale", "divisor": 255},
        {"step": "normalise", "mean": list(mean), "std": list(std)},
        {"step": "layout", "order": "CHW", "type": "float32"},
    ]


def form_of(steps: Iterable[Mapping[str, Any]]) -> Form:
    """Read the form from the steps of `preprocessing`; pictures of any size are given it.

    Raises:
        KeyError: A step, or a part of one, is missing.
        TypeError: A part is not a number.
        ValueError: A number makes no form.
    """
    do = {step["step"]: step for step in steps}
    form = Form(
        channels={"L": 1, "RGB": 3}[do["mode"]["mode"]],
        height=do["resize"]["height"],
        width=do["resize"]["width"],
        resized=True,
        tones=Tones(do["levels"]["low"], do["levels"]["high"], do["flatten"]["background"]),
        share=do["crop"]["share"],
    )
    sides = range(1, LONGEST_SIDE + 1)
    fine = form.height in sides and form.width in sides and 0 < form.share <= 1
    if not (fine and form.tones.low < form.tones.high and form.tones.background in range(256)):
        raise ValueError(f"{form} is not the form of a picture")
    return form
