"""The looks of methods and policies: no two alike, the same in every study, for every eye."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from sakd.distillers import DISTILLERS
from sakd.reporting.figures.styles import (
    DASHES,
    MATPLOTLIB_MARKERS,
    PALETTE,
    PLOTLY_MARKERS,
    combined,
    method_styles,
    policy_styles,
    styles,
)
from sakd.routing import POLICIES

METHODS = [*DISTILLERS, *(f"mine.distillers:Mine{number}" for number in range(20))]
LAB = np.array([[0.4339, 0.3762, 0.1899], [0.2126, 0.7152, 0.0722], [0.0177, 0.1095, 0.8728]])
SIGHT = {
    "all cones": np.eye(3),
    # Machado, Oliveira and Fernandes (2009), full severity, on linear RGB.
    "no long cones": [
        *([0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216]),
        [-0.003882, -0.048116, 1.051998],
    ],
    "no medium cones": [
        *([0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413]),
        [-0.011820, 0.042940, 0.968881],
    ],
    "no short cones": [
        *([1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602]),
        [0.004733, 0.691367, 0.303900],
    ],
}


def test_no_two_methods_under_a_policy_look_the_same():
    methods, policies = method_styles(METHODS), policy_styles(POLICIES)
    assert len({style[:2] for style in methods.values()}) == len(METHODS) + 1
    assert len({style.dash for style in policies.values()}) == len(POLICIES)
    both = {combined(methods[m], policies[p]) for m in METHODS for p in POLICIES}
    assert len(both) == len(METHODS) * len(POLICIES)


def test_a_name_of_a_table_looks_the_same_in_every_study():
    every = method_styles(METHODS)
    assert {name: method_styles([name])[name] for name in DISTILLERS} == {
        name: every[name] for name in DISTILLERS
    }
    assert method_styles(reversed(METHODS)) == every


def test_a_name_of_no_table_looks_the_same_wherever_its_place_is_free():
    alone = method_styles(["mine.distillers:Mine"])
    assert method_styles(["kd", "mine.distillers:Mine"]).items() >= alone.items()


def test_plain_distillation_is_solid():
    style = policy_styles(["always", "adaptive"])["always"]
    assert style.plotly_dash == "solid"


def test_dashes_and_markers_have_a_name_in_every_library():
    style = styles(["b"], ["a", "b"])["b"]
    assert style.plotly_dash == "9px,4px"
    assert list(PLOTLY_MARKERS) == list(MATPLOTLIB_MARKERS)
    for named in (PLOTLY_MARKERS, MATPLOTLIB_MARKERS):
        assert len(set(named.values())) == len(named)
    assert len(set(DASHES)) == len(DASHES)


def test_more_names_than_looks_still_have_one_each():
    assert len(styles(map(str, range(200)))) == 200


@pytest.mark.parametrize("sight", SIGHT)
def test_colours_differ_for_every_kind_of_colour_vision(sight):
    codes = np.array([[int(code[k : k + 2], 16) / 255 for k in (1, 3, 5)] for code in PALETTE])
    light = np.where(codes <= 0.04045, codes / 12.92, ((codes + 0.055) / 1.055) ** 2.4)
    x, y, z = np.cbrt(np.clip(light @ np.transpose(SIGHT[sight]), 1e-4, 1) @ LAB.T).T
    seen = np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=1)
    nearest = min(np.linalg.norm(one - other) for one, other in combinations(seen, 2))
    assert nearest > 15  # in CIELAB, where 2 are just seen
