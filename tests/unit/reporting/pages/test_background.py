"""Settings and provenance: whoever reads a report can make it again."""

from __future__ import annotations

from pathlib import Path

from sakd.reporting.pages.background import provenance_section, settings_section
from sakd.reporting.pages.sections import Facts, Text


def test_settings_have_dotted_names_and_unset_ones_no_line():
    settings = {
        "student": {"epochs": 3, "optimisation": {"lr": 0.05, "milestones": (1, 2)}},
        "data": {"path": Path("pets"), "size": None, "download": False},
        "grid": {"seeds": [0]},
        "student_lr": {},
        "betas": (),
    }
    (section,) = settings_section(settings)
    assert section.blocks[1] == Facts(
        (
            ("student.epochs", "3"),
            ("student.optimisation.lr", "0.05"),
            ("student.optimisation.milestones", "1, 2"),
            ("data.path", "pets"),
            ("data.download", "False"),
            ("grid.seeds", "0"),
        )
    )


def test_without_settings_there_is_no_section():
    assert settings_section({}) == settings_section({"student_lr": {}}) == []


def test_a_report_says_that_its_provenance_is_not_recorded():
    (section,) = provenance_section({})
    assert section.blocks == (Text("Not recorded."),)
