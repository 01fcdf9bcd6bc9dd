"""The section that says which study a report is of."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

import pandas as pd

from sakd.data import DataCard
from sakd.data.splits.restricted import card_of_classes, named_classes
from sakd.foundation.names import listed
from sakd.networks.paths import split_path
from sakd.networks.variants import split_variant
from sakd.reporting.pages.origin import Origin
from sakd.reporting.pages.sections import Block, Facts, Section, Tabular, Text
from sakd.reporting.tables import formats
from sakd.reporting.tables.columns import ORIGIN
from sakd.reporting.tables.duration import training_seconds
from sakd.reporting.tables.frames import PAIR, distilled
from sakd.reporting.tables.kinds import system_kind
from sakd.reporting.tables.settings import differing, flat, shown_differences

UNKNOWN = "not known"
NO_COMMAND = f"{UNKNOWN}: the report was not made by a run of the project"

_NAMED = 12
"""Settings that the line of differences names."""

_LONGEST = 160
"""Characters of a value in the table of differences."""


def study_section(cells: pd.DataFrame, origin: Origin, data: DataCard | None) -> Section:
    """Say what was trained on how many images, by which command, when, where and for how long."""
    facts = {
        "command": origin.command or NO_COMMAND,
        "environment": origin.environment or UNKNOWN,
        **_changes(origin),
        **lessons(origin.settings, data),
        "cells": _cells(cells),
        "training in all": _spent(cells),
        **dict(_trained(cells)),
        "report made": origin.made or UNKNOWN,
    }
    blocks: list[Block] = [Facts(tuple(facts.items()))]
    others = {"conf/base": origin.base, "default": origin.defaults}
    known = {name: settings for name, settings in others.items() if settings}
    table = shown_differences(origin.settings, known)
    if len(table):
        caption = f"Settings that differ from {' or from '.join(known)}"
        clipped = table.map(lambda value: formats.clipped(value, _LONGEST))
        blocks.append(Tabular("settings", caption, clipped, names=len(table.columns)))
    elif known and origin.settings:
        blocks.append(Text(f"No setting differs from {' or from '.join(known)}."))
    return Section("The study", tuple(blocks))


def outline(origin: Origin, data: DataCard | None) -> str:
    """Say in one line which study it is."""
    trained = [f"{who}: {what}" for who, what in lessons(origin.settings, data).items()]
    named = [f"environment {origin.environment}"] if origin.environment else []
    return "; ".join([*named, *trained, *([origin.made] if origin.made else [])])


def lessons(settings: Mapping[str, Any], data: DataCard | None) -> dict[str, str]:
    """Say how many images teachers and students saw, and for how many epochs and steps.

    Where every seed has its own split, ``data`` is the card of the first.
    """
    if not settings or data is None:
        return {}
    number = sum(data.counts["train"])
    few = settings["data"].get("student_per_class")
    labelled = number if few is None else few * len(data.classes)
    whose = "" if settings["data"].get("splits") != "per_seed" else " of the first seed's split"
    own = [_lesson(number, settings["teacher"], whose), *_variants(data, settings, whose)]
    teachers = "; ".join(own)
    if files := settings.get("teacher_weights"):
        teachers = f"{teachers}; finished, from a file: {', '.join(files)}"
    return {"teachers": teachers, "students": _lesson(labelled, settings["student"], whose)}


def _variants(data: DataCard, settings: Mapping[str, Any], whose: str) -> Iterator[str]:
    """Say how the variants of teachers that the grid names were trained."""
    for name, recipe in settings.get("teacher_variants", {}).items():
        names = (one for pair in settings["grid"]["pairs"] for one in split_path(pair)[0])
        if name in (split_variant(one)[1] for one in names):
            noise = recipe["label_noise"]
            wrong = f", {formats.percent(noise)} % of the labels wrong" if noise else ""
            known, some = data, ""
            if given := recipe.get("classes"):
                known = card_of_classes(data, named_classes(given, data.classes))
                some = f", of the classes {listed(known.classes)}"
            images = sum(known.counts["train"])
            yield f"{name}: {_lesson(images, recipe, whose)}{some}{wrong}"


def _lesson(images: int, recipe: Mapping[str, Any], whose: str) -> str:
    epochs, batch = recipe["epochs"], recipe["batch_size"]
    steps = epochs * math.ceil(images / batch)
    seen = f"{images:,} images{whose} x {formats.plural(epochs, 'epoch')}"
    return f"{seen} ({steps:,} {'step' if steps == 1 else 'steps'} of {batch})"


def _changes(origin: Origin) -> dict[str, str]:
    """Name the settings that are not those of ``conf/base``."""
    if not origin.base:
        return {"differs from conf/base in": UNKNOWN}
    names = differing(origin.settings, origin.base)
    ours = flat(origin.settings)
    shown = [f"{name}={ours.get(name, formats.NOTHING)}" for name in names[:_NAMED]]
    more = [f"{len(names) - _NAMED} more, see below"] if len(names) > _NAMED else []
    return {"differs from conf/base in": "; ".join([*shown, *more]) or "nothing"}


def _cells(cells: pd.DataFrame) -> str:
    methods = distilled(cells)
    names = set(methods["distiller"])
    systems = {name for name in names if system_kind(name)}
    counts = {
        "pairs": len(cells[PAIR].drop_duplicates()),
        "distillers": len(names - systems),
        **({"systems": len(systems)} if systems else {}),
        "policies": methods["policy"].nunique(),
        "seeds": cells["seed"].nunique(),
    }
    shown = ", ".join(f"{name} {count}" for name, count in counts.items())
    return f"{len(cells)} ({shown}; and students alone)"


def _spent(cells: pd.DataFrame) -> str:
    seconds = training_seconds(cells)
    if math.isnan(seconds):
        return f"{UNKNOWN}: cells do not say when they ended"
    return f"{timedelta(seconds=round(seconds))} (hours:minutes:seconds, teachers and cells)"


def _trained(cells: pd.DataFrame) -> Iterator[tuple[str, str]]:
    """Say with what the cells were trained: revisions, versions, machines."""
    for name in ORIGIN[1:]:
        values = cells[name].dropna() if name in cells else pd.Series(dtype=str)
        counts = values[values != ""].astype(str).value_counts(sort=False)
        shown = [
            value if len(counts) == 1 else f"{value} ({formats.plural(count, 'cell')})"
            for value, count in counts.items()
        ]
        yield f"cells trained with {name}", ", ".join(shown) or UNKNOWN
