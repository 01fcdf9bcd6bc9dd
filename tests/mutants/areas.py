"""What is changed, and the tests that must notice it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple


class Area(NamedTuple):
    """Modules and packages, and the files and folders of their tests.

    Attributes:
        code: Names below ``sakd``, with dots.
        tests: Paths below ``tests``.
        sample: Number of mutants that are tried if nothing else is asked for; 0 for all.
    """

    code: tuple[str, ...]
    tests: tuple[str, ...]
    sample: int

    def modules(self, source: Path) -> Iterator[str]:
        """Yield the names of all modules below ``source``, the folder of the packages."""
        for name in self.code:
            path = source.joinpath("sakd", *name.split("."))
            files = sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
            for file in files:
                parts = file.relative_to(source).with_suffix("").parts
                yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


AREAS = {
    "losses": Area(
        ("distillers",),
        ("unit/distillers", "conformance/test_losses.py", "conformance/test_survey.py"),
        sample=500,
    ),
    "routing": Area(
        ("routing", "objectives.router", "objectives.routed", "measures.routing"),
        (
            "unit/routing",
            "unit/objectives/test_routing_loss.py",
            "unit/objectives/test_graft.py",
            "unit/objectives/test_set_aside.py",
            "unit/objectives/test_shares.py",
            "unit/objectives/test_spot_distillation.py",
            "unit/training/test_tally.py",
            "unit/measures/test_routing.py",
        ),
        sample=0,
    ),
    "splits": Area(("data.splits",), ("unit/data/splits",), sample=0),
    "statistics": Area(
        (
            "evidence",
            "measures",
            "reporting.tables.chance",
            "reporting.tables.contrasts",
            "reporting.tables.paired",
            "reporting.tables.spread",
            "reporting.tables.verdicts",
        ),
        (
            "unit/evidence",
            "unit/measures",
            "unit/reporting/tables",
        ),
        sample=330,
    ),
    "keys": Area(
        (
            "foundation.fingerprint",
            "foundation.keys",
            "foundation.sealing",
            "study.facts",
            "study.lessons",
            "study.trainings",
            "pipelines.keys",
        ),
        (
            "unit/foundation/test_fingerprint.py",
            "unit/foundation/test_keys.py",
            "unit/foundation/test_sealing.py",
            "unit/study/test_lasting_keys.py",
            "unit/study/test_code_in_keys.py",
            "unit/study/test_trainings.py",
            "unit/pipelines/test_keys.py",
            "unit/pipelines/test_stages_alone.py",
            "unit/pipelines/test_sweeps.py",
        ),
        sample=0,
    ),
}
