"""The section on the data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from sakd.data import DataCard
from sakd.foundation.names import listed
from sakd.reporting.pages.sections import Block, Facts, Section, Tabular
from sakd.reporting.tables.shown import Shown

_CLASSES_SHOWN = 20
_SKIPPED_SHOWN = 10
_DUPLICATES = {
    "in_test": "in test too",
    "contradicting": "with contradicting labels",
    "repeated": "repeat others",
}


def data_section(card: DataCard | None) -> list[Section]:
    """Describe the data; no section without a card."""
    if not card:
        return []
    tables = Tabular("images_per_split", "Images per split", *_splits(card.counts)), _classes(card)
    blocks: tuple[Block, ...] = (Facts(_facts(card)), *tables)
    return [Section("Data", blocks)]


def _facts(card: DataCard) -> tuple[tuple[str, str], ...]:
    shown = listed(card.classes, _CLASSES_SHOWN)
    facts = {
        "name": card.name,
        "channels, height, width": " x ".join(map(str, card.image_shape)),
        "classes": f"{len(card.classes)}: {shown}",
        "imbalance": str(card.imbalance),
        "mean": _numbers(card.mean),
        "std": _numbers(card.std),
        "duplicates in train and val": _duplicates(card.duplicates),
        "notes": "; ".join(card.notes),
        "left out, as they cannot be used": listed(card.skipped, _SKIPPED_SHOWN),
        "source": card.source,
        "sha256": card.sha256,
    }
    return tuple((name, value) for name, value in facts.items() if value)


def _numbers(values: Sequence[float]) -> str:
    return ", ".join(f"{value:.4f}" for value in values)


def _duplicates(found: Mapping[str, int]) -> str:
    if not found:
        return ""
    number = sum(found[kind] for kind in _DUPLICATES)
    if not number:
        return "none"
    kinds = ", ".join(f"{found[kind]} {words}" for kind, words in _DUPLICATES.items())
    return f"{number}, {'left out' if found['left_out'] else 'kept'}: {kinds}"


def _splits(counts: Mapping[str, Sequence[int]]) -> Shown:
    totals = [sum(each) for each in counts.values()]
    text = {
        "split": list(counts),
        "images": list(map(str, totals)),
        "per class": [_range(each) for each in counts.values()],
    }
    fewest, most = (list(map(end, counts.values())) for end in (min, max))
    values = {"images": totals, "fewest of a class": fewest, "most of a class": most}
    return Shown(pd.DataFrame(text), pd.DataFrame(values))


def _range(counts: Sequence[int]) -> str:
    low, high = min(counts), max(counts)
    return str(low) if low == high else f"{low} to {high}"


def _classes(card: DataCard) -> Tabular:
    """Count every class, or the largest and the smallest of many."""
    frame = pd.DataFrame({"class": card.classes, **card.counts})
    caption = "Images per class"
    if len(frame) > _CLASSES_SHOWN:
        half = _CLASSES_SHOWN // 2
        frame = frame.sort_values(next(iter(card.counts)), ascending=False, kind="stable")
        frame = pd.concat([frame.head(half), frame.tail(half)])
        caption = f"{caption}: the {half} largest and the {half} smallest of {len(card.classes)}"
    frame = frame.reset_index(drop=True)
    return Tabular("images_per_class", caption, frame.astype(str), frame[list(card.counts)])
