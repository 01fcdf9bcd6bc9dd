"""Names of networks, and their form in ids and file names."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from kedro.framework.cli.utils import _split_params
from omegaconf import OmegaConf

from sakd.foundation.errors import UserError
from sakd.networks import NETWORKS
from sakd.networks.outside.names import (
    EXAMPLE,
    OutsideName,
    is_outside,
    parse_name,
    slug,
)
from sakd.networks.paths import split_pair

FULL = EXAMPLE


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("torchvision:resnet18", ("torchvision", "resnet18", {})),
        ("timm:vit_tiny_patch16_224.augreg", ("timm", "vit_tiny_patch16_224.augreg", {})),
        ("my.package.nets:small", ("my.package.nets", "small", {})),
        (FULL, ("torchvision", "vit_b_16", {"image_size": 64, "dropout": 0.1})),
        ("a:b()", ("a", "b", {})),
        (" a:b( x = -1.5e-3 , y = 'w/o;x' ) ", ("a", "b", {"x": -1.5e-3, "y": "w/o;x"})),
        ('a:b(x=["it\'s; so"; 1])', ("a", "b", {"x": ["it's; so", 1]})),
        ("a:b(x=true; y=null; z=False)", ("a", "b", {"x": True, "y": None, "z": False})),
        ("a:b(x=[true; false; none])", ("a", "b", {"x": [True, False, None]})),
        ("a:b(stages=['stem'; 'l.1']; x=1)", ("a", "b", {"x": 1}, ("stem", "l.1"))),
        ("a:b(size=(2, 3))", ("a", "b", {"size": (2, 3)})),
    ],
)
def test_a_name_has_a_source_an_item_and_arguments(name: str, parts: tuple[Any, ...]) -> None:
    assert parse_name(name) == OutsideName(*parts)
    assert is_outside(name)


@pytest.mark.parametrize(
    "name", ["a:", ":b", "a:b:c", "a:b(x=1", "a:b(x=1)c", "a b:c", "a:1b", "hf-hub:a/b", ""]
)
def test_a_malformed_name_is_refused_with_the_valid_forms(name: str) -> None:
    with pytest.raises(UserError, match="write torchvision:NAME, timm:NAME"):
        parse_name(name)


@pytest.mark.parametrize(
    "given",
    ["1", "x", "x=", "x=y", "**{}", "*[]", "x=1; x=2", "x=f()", "x=__import__('os')", "x=1) + (1"],
)
def test_arguments_are_plain_values_with_a_name(given: str) -> None:
    with pytest.raises(UserError, match=r"name=value with plain values"):
        parse_name(f"torchvision:resnet18({given})")


@pytest.mark.parametrize("stages", ["'stem'", "[1]", "{'stem': 1}"])
def test_stages_are_a_list_of_names(stages: str) -> None:
    with pytest.raises(UserError, match="stages is a list of names"):
        parse_name(f"a:b(stages={stages})")


@pytest.mark.parametrize(
    ("pair", "split"),
    [
        ("resnet20/resnet8", ("resnet20", "resnet8")),
        ("torchvision:resnet18/resnet8", ("torchvision:resnet18", "resnet8")),
        (f"{FULL}/{FULL}", (FULL, FULL)),
        ("a:b(path='x/y')/c:d(z='/')", ("a:b(path='x/y')", "c:d(z='/')")),
        ("a:b(size=(1,2))/c:d(size=(1,2))", ("a:b(size=(1,2))", "c:d(size=(1,2))")),
        ("a/b/c", ("a/b", "c")),
    ],
)
def test_a_pair_splits_at_the_slash_outside_of_brackets(pair: str, split: tuple[str, str]) -> None:
    assert split_pair(pair) == split


@pytest.mark.parametrize("pair", ["resnet20", "/resnet8", "resnet20/", "a:b(x='/')", ""])
def test_a_malformed_pair_is_refused_with_the_valid_form(pair: str) -> None:
    with pytest.raises(UserError, match="write teacher/student"):
        split_pair(pair)


def test_the_names_of_the_zoo_stay_as_they_are_in_ids() -> None:
    assert [slug(name) for name in NETWORKS] == list(NETWORKS)
    assert not any(map(is_outside, NETWORKS))


@settings(max_examples=30)
@given(st.text(max_size=200))
def test_a_slug_is_fit_for_node_dataset_and_file_names(arguments: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9_]{1,64}", slug(f"a:b({arguments})"))


def test_long_names_that_differ_at_the_end_have_different_slugs() -> None:
    names = [f"a:b(x='{'long' * 30}{end}')" for end in "01"]
    assert slug(names[0]) != slug(names[1])


def test_arguments_survive_the_command_line_and_yaml() -> None:
    pair = f"{EXAMPLE}/torchvision:resnet18"
    from_command_line = _split_params(None, None, f"grid.pairs={pair},threads=1")
    assert from_command_line == {"grid": {"pairs": pair}, "threads": 1}
    assert OmegaConf.create(f"pairs: [resnet20/resnet8, {pair}]").pairs[1] == pair
