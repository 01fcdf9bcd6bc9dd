"""The section on the data: what was learned from and measured on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from sakd.reporting.pages.sections import Block, Facts, Section, Tabular

_CLASSES_SHOWN = 20
_DUPLICATES = {
    "in_test": "in test too",
    "contradicting": "with contradicting labels",
    "repeated": "repeat others",
}

Counts = Mapping[str, Sequence[int]]
"""Images per class, for each split."""


def data_section(card: Mapping[str, object]) -> list[Section]:
    """The data card; no section without one."""
    if not card:
        return []
    blocks: list[Block] = [Facts(tuple(_facts(card)))]
    counts = card.get("counts")
    if isinstance(counts, Mapping) and counts:
        blocks.append(Tabular("Images per split", _splits(counts)))
        classes = card.get("classes")
        if isinstance(classes, Sequence) and classes:
            blocks.append(_classes(classes, counts))
    return [Section("Data", tuple(blocks))]


def _facts(card: Mapping[str, object]) -> list[tuple[str, str]]:
    facts = [("name", card.get("name"))]
    size = [card.get(axis) for axis in ("channels", "height", "width")]
    if None not in size:
        facts.append(("channels, height, width", " x ".join(map(str, size))))
    facts += [(name, card.get(name)) for name in ("classes", "imbalance", "mean", "std")]
    facts.append(("duplicates in train and val", _duplicates(card.get("duplicates"))))
    facts += [(name, card.get(name)) for name in ("source", "sha256")]
    return [(name, _shown(name, value)) for name, value in facts if value is not None]


def _duplicates(found: object) -> str | None:
    if not isinstance(found, Mapping) or not found:
        return None
    number = sum(int(found[kind]) for kind in _DUPLICATES)
    if not number:
        return "none"
    kinds = ", ".join(f"{found[kind]} {words}" for kind, words in _DUPLICATES.items())
    return f"{number}, {'left out' if found['left_out'] else 'kept'}: {kinds}"


def _shown(name: str, value: object) -> str:
    if isinstance(value, str) or not isinstance(value, Sequence):
        return str(value)
    if name in ("mean", "std"):
        return ", ".join(f"{float(part):.4f}" for part in value)
    named = ", ".join(str(part) for part in value[:_CLASSES_SHOWN])
    more = len(value) - _CLASSES_SHOWN
    return f"{len(value)}: {named}" + (f" and {more} more" if more > 0 else "")


def _splits(counts: Counts) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "split": list(counts),
            "images": [str(sum(each)) for each in counts.values()],
            "per class": [_range(each) for each in counts.values()],
        }
    )


def _range(counts: Sequence[int]) -> str:
    low, high = min(counts, default=0), max(counts, default=0)
    return str(low) if low == high else f"{low} to {high}"


def _classes(classes: Sequence[object], counts: Counts) -> Tabular:
    """Every class with its images, or the largest and the smallest of many."""
    frame = pd.DataFrame({"class": list(map(str, classes))} | {s: list(counts[s]) for s in counts})
    caption = "Images per class"
    if len(frame) > _CLASSES_SHOWN:
        half = _CLASSES_SHOWN // 2
        frame = frame.sort_values(next(iter(counts)), ascending=False, kind="stable")
        frame = pd.concat([frame.head(half), frame.tail(half)])
        caption = f"Images per class: the {half} largest and the {half} smallest of {len(classes)}"
    return Tabular(caption, frame.astype(str))
