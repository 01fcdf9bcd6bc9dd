"""The examples on the page on pretrained weights work."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from sakd.data import Splits
from sakd.study.matching import class_tensors
from sakd.study.networks import sketch
from sakd.study.parsing import parse_parameters

PAGE = (Path(__file__).parents[3] / "docs" / "pretrained.md").read_text()
BLOCKS = re.findall(r"^```yaml\n(.*?)```", PAGE, re.DOTALL | re.MULTILINE)
(SAID,) = re.findall(r"^```\n(.* starts from .*)\n```", PAGE, re.MULTILINE)


@pytest.mark.parametrize("block", BLOCKS)
def test_its_parameters_are_valid(block: str) -> None:
    given = yaml.safe_load(block)
    parameters = parse_parameters(given)
    assert all(getattr(parameters, name) for name in given)


def test_the_tensors_that_it_counts_are_those_of_the_network(splits: Splits) -> None:
    card = replace(splits.card, channels=3, height=32, width=32)
    name = SAID.split()[0]
    fresh = sorted(class_tensors(name, card))
    count = len(sketch(name, 3, card.image_shape).state_dict()) - len(fresh)
    expected = f"{name} starts from {count} tensors of resnet18-imagenet.pth; fresh: "
    assert expected + ", ".join(fresh) == SAID
