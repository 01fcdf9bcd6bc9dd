"""The settings that published accuracies stand for, and where those of a study are others."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from sakd.foundation.vocabulary import Published
from sakd.reporting.published.entries import STUDENT, TEACHER, Entry
from sakd.reporting.tables.kinds import PLAIN_KD, REFERENCE
from sakd.reporting.tables.verdicts import ADAPTIVE

Settings = Mapping[str, object]
"""By dotted names, see `sakd.reporting.tables.settings`."""

KD_WEIGHT = "distillation.kd_weight"
"""The setting that an entry has itself."""

_RECIPE: Settings = {
    "epochs": 240,
    "batch_size": 64,
    "optimisation.lr": 0.05,
    "optimisation.momentum": 0.9,
    "optimisation.weight_decay": 5e-4,
    "optimisation.milestones": (0.625, 0.75, 0.875),
    "optimisation.decay": 0.1,
    "optimisation.method": "sgd",
    "optimisation.schedule": "milestones",
    "optimisation.cycles": 1,
    "augment.flip": True,
}

_SHARED: Settings = {
    "data.splits": "shared",
    **{
        f"{player}.{name}": each
        for player in ("teacher", "student")
        for name, each in _RECIPE.items()
    },
    "student_lr.MobileNetV2": 0.01,
    "student_lr.ShuffleNetV1": 0.01,
    "distillation.objective": "distillation",
    "distillation.ce_weight": 1,
    "distillation.weights.at": 1000,
    "distillation.weights.sp": 3000,
    "distillation.weights.pkt": 30000,
    "distillation.weights.ft": 200,
    "routing.same_family_bias": 10,
    "routing.lr_factor": 0.5,
    "routing.weight_decay": 1e-3,
}

PROTOCOLS: Mapping[Published, Settings] = {
    "sakd-cifar100": {
        **_SHARED,
        "data.name": "cifar100",
        "teacher.augment.crop_padding": 4,
        "student.augment.crop_padding": 4,
    },
    "sakd-tiny_imagenet": {**_SHARED, "data.name": "tiny_imagenet", "routing.gamma": 2},
}
"""The values of ``report.published``; a setting that is not listed is off."""

_SMALL_BATCHES = {"student.batch_size": 32}

_OF_ENTRIES: Mapping[tuple[str, str, str], Settings] = {
    ("ResNet50", "MobileNetV2", "nst"): _SMALL_BATCHES,
    ("wrn_40_2", "ShuffleNetV1", "nst"): _SMALL_BATCHES,
}
"""Settings of single rows of the tables: teacher, student, method."""

_MOST_VAL = 0.1

_FREE = (
    *("path", "source", "download", "options", "classes", "on_error", "streamed", "workers"),
    *("duplicates", "val_fraction", "split_seed"),
)
_FREE_OF_RECIPES = (
    *("keep_epochs", "checkpoint_seconds", "checkpoint_steps", "ema"),
    *("precision", "autocast", "channels_last", "tf32", "compile"),
)
_IMMATERIAL = (
    *(f"data.{name}" for name in _FREE),
    *(f"{player}.{name}" for player in ("teacher", "student") for name in _FREE_OF_RECIPES),
    *(
        "teacher_seed",
        "teacher_variants",
        "teacher_renames",
        "student_renames",
        "distillation.keep_outputs_mb",
    ),
)
"""Settings that may differ; `standing` names those of them that a reader must know."""

_CONCERN = {
    TEACHER: ("data.", "teacher"),
    STUDENT: ("data.", "student"),
    REFERENCE: ("data.", "teacher", "student", "distillation."),
    ADAPTIVE: ("data.", "teacher", "student", "distillation.", "routing."),
}
"""The beginnings of the settings on which an accuracy depends."""


class Departure(NamedTuple):
    """A setting that is not as published; None where it is not set."""

    name: str
    ours: object
    published: object

    def __str__(self) -> str:
        """Say it in words."""
        ours, published = ("not set" if each is None else each for each in self[1:])
        return f"{self.name} is {ours} (published: {published})"


def departures(
    settings: Settings, published: Published, entry: Entry, policy: str = REFERENCE
) -> list[Departure]:
    """List where the settings behind an accuracy of a study are not those of ``entry``.

    Args:
        settings: Those of the study, and of its cells where they have others.
        published: The protocol.
        entry: The published row.
        policy: Plain distillation, or ``adaptive`` for its other accuracy.
    """
    role = entry.method if entry.method in (TEACHER, STUDENT) else policy
    joined = settings.get(KD_WEIGHT) if math.isnan(entry.kd_weight) else entry.kd_weight
    own = _OF_ENTRIES.get((entry.teacher, entry.student, entry.method), {})
    protocol = {**PROTOCOLS[published], KD_WEIGHT: joined, **own}
    return [
        each
        for each in _departures(settings, protocol)
        if each.name.startswith(_CONCERN[role]) and _concerns(each.name, entry)
    ]


def _departures(settings: Settings, protocol: Settings) -> Iterator[Departure]:
    for name in dict.fromkeys((*settings, *protocol)):
        ours, published = settings.get(name), protocol.get(name)
        if (ours or None) != (published or None) and not _immaterial(name):
            yield Departure(name, ours, published)
    val = settings.get("data.val_fraction")
    if isinstance(val, float) and val > _MOST_VAL:
        yield Departure("data.val_fraction", val, None)


def _immaterial(name: str) -> bool:
    return f"{name}.".startswith(tuple(f"{free}." for free in _IMMATERIAL))


def _concerns(name: str, entry: Entry) -> bool:
    """Tell whether a setting by network, distiller or policy is one of those of ``entry``."""
    owners = {
        **dict.fromkeys(
            ("teacher_weights.", "teacher_start.", "teacher_statistics."), entry.teacher
        ),
        **dict.fromkeys(("student_weights.", "student_lr."), entry.student),
        "distillation.weights.": entry.method,
        "distillation.options.": (entry.method, PLAIN_KD),
        "routing.options.": ADAPTIVE,
    }
    for prefix, owner in owners.items():
        if name.startswith(prefix):
            known = (owner,) if isinstance(owner, str) else owner
            return f"{name.removeprefix(prefix)}.".startswith(tuple(f"{each}." for each in known))
    return True


def standing(settings: Settings) -> list[str]:
    """Say in which ways even a study by the protocol is not that of the papers."""
    said = []
    val = settings.get("data.val_fraction")
    if isinstance(val, float):
        said.append(f"{val:g} of the training images are val here, and train no network")
    if settings.get("data.duplicates") == "drop":
        said.append("images that are there twice are left out")
    if settings.get("data.options.statistics") == "own":
        said.append("images are normalised by their own mean and deviation")
    kept, epochs = (settings.get(f"student.{name}") for name in ("keep_epochs", "epochs"))
    if isinstance(kept, int) and not (isinstance(epochs, int) and epochs <= kept):
        said.append(
            f"the best epoch is that of the last {kept} and the val-selected one, not of all"
        )
    said.append("seeds share one teacher")
    return said
