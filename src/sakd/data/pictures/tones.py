"""One scale of 16-bit levels and one background for a whole set, found from its pixels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

import numpy as np
from PIL import Image

from sakd.data.pictures.conversion import deep_levels
from sakd.data.pictures.form import BLACK, DEEPEST, WHITE, Header, Tones, read_header
from sakd.foundation.errors import UserError

MIDDLE = 128

Background = Literal["white", "black", "grey"]
"""Behind transparent parts, in the order in which they are preferred."""

BACKGROUNDS: Mapping[Background, int] = {"white": WHITE, "black": BLACK, "grey": MIDDLE}

FEWEST = 64  # of the 256 levels of 8 bits: 16-bit pictures that use fewer are not cut to them
VISIBLE = 16  # levels of 8 bits by which a drawing must differ from its background somewhere


class Seen(NamedTuple):
    """The pixels of a picture, as far as they bear on the tones of its set.

    Attributes:
        deep: The lowest and highest of its 16-bit grey levels, if it has such.
        halved: The lowest and highest level of its colours, if these have 16 bits in the file.
        vanishes: For each of `BACKGROUNDS` whether nothing of the picture would be seen over it;
            empty where no part of it is transparent.
    """

    deep: tuple[int, int] | None = None
    halved: tuple[int, int] | None = None
    vanishes: tuple[bool, ...] = ()


def matters(header: Header) -> bool:
    """Tell whether the pixels of such a picture bear on the tones of its set."""
    return header.deep or header.halved or header.clear


def look_at_tones(picture: Image.Image, _number: int) -> Seen:
    """Decode a picture and note what bears on the tones of its set.

    Raises:
        ValueError: It cannot be used.
    """
    header = read_header(picture)
    if header.deep:
        levels = deep_levels(picture)
        shown = levels[levels != picture.info.get("transparency", -1)]
        return Seen(deep=(int(shown.min()), int(shown.max())) if shown.size else None)
    vanishes = _vanishes(picture.convert("RGBA")) if header.clear else ()
    if not header.halved:
        return Seen(vanishes=vanishes)
    colours = np.asarray(picture.convert("RGB"))
    return Seen(halved=(int(colours.min()), int(colours.max())), vanishes=vanishes)


def _vanishes(picture: Image.Image) -> tuple[bool, ...]:
    *colours, alpha = (np.asarray(band).astype(np.int32) for band in picture.split())
    if alpha.min() == WHITE:
        return ()

    def contrast(level: int) -> int:
        return max(int((np.abs(band - level) * alpha).max()) for band in colours)

    return tuple(contrast(level) < VISIBLE * WHITE for level in BACKGROUNDS.values())


def common_tones(
    seen: Sequence[Seen], background: Background | None
) -> tuple[Tones, tuple[str, ...]]:
    """Find the tones that suit a set, and say in words how they show it.

    The levels that become 0 to 255 are a whole number of bits, as many as the set uses: 0 to 4095
    for 12 bits. Where it uses less than a quarter of these, they are its lowest to its highest
    level. The background is the first of `BACKGROUNDS` over which the fewest pictures vanish.

    Args:
        seen: The pictures whose pixels matter.
        background: One of `BACKGROUNDS`, or None to choose it.

    Raises:
        UserError: Colours of 16 bits use few of them.
    """
    _refuse_few_colours([each.halved for each in seen if each.halved])
    deep = [each.deep for each in seen if each.deep]
    low, high = _level_range(deep) if deep else (0, DEEPEST)
    clear = [each.vanishes for each in seen if each.vanishes]
    lost = {name: sum(each[at] for each in clear) for at, name in enumerate(BACKGROUNDS)}
    chosen = background or sorted(lost, key=lambda name: lost[name])[0]
    notes = []
    if deep:
        notes.append(f"levels {low} to {high} of {len(deep):,} pictures of 16 bits become 0 to 255")
    if clear:
        notes.append(_on_background(chosen, lost, len(clear)))
    return Tones(low, high, BACKGROUNDS[chosen]), tuple(notes)


def _level_range(found: Sequence[tuple[int, int]]) -> tuple[int, int]:
    low, high = min(each[0] for each in found), max(each[1] for each in found)
    levels = 2 ** max(8, high.bit_length())
    return (0, levels - 1) if high - low >= levels // 4 else (low, high)


def _refuse_few_colours(found: Sequence[tuple[int, int]]) -> None:
    if not found:
        return
    low, high = min(each[0] for each in found), max(each[1] for each in found)
    if high - low < FEWEST:
        raise UserError(
            f"{len(found):,} pictures in colour of 16 bits use {high - low + 1} of 256 levels once "
            "they have 8 bits: few of their bits are used; save them with 8 bits per channel"
        )


def _on_background(chosen: Background, lost: Mapping[Background, int], count: int) -> str:
    said = f"transparent parts of {count:,} pictures are laid over {chosen}"
    others = {name: number for name, number in lost.items() if number and name != chosen}
    for name, number in others.items():
        said += f"; over {name} {number:,} of them would vanish"
    if lost[chosen]:
        said += f"; {lost[chosen]:,} of them vanish over it (data.options.background)"
    return said
