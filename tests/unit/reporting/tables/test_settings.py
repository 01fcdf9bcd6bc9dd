"""The settings of a cell are read as they were written."""

from __future__ import annotations

import pytest

from sakd.reporting.tables.settings import read_settings
from sakd.study.deviations import shown


@pytest.mark.parametrize(
    "value",
    [
        32,
        1000.0,
        0.05,
        1e-05,
        True,
        None,
        "fast",
        "resnet20@brief",
        (150, 180.5),
        ("a", 2),
        (150,),
        ("a",),
        (),
    ],
)
def test_every_kind_of_value_comes_back(value) -> None:
    settings = {"student.batch_size": 8, "student.of_this_kind": value}
    assert read_settings(shown(settings)) == settings


def test_a_cell_without_settings_of_its_own_has_none() -> None:
    assert read_settings(shown({})) == {}
