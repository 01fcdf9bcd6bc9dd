"""Modes are switched within a context, and come back."""

from __future__ import annotations

import pytest
from torch import nn

from sakd.networks.staged import in_mode


@pytest.mark.parametrize("training", [True, False])
def test_each_module_returns_to_its_own_mode(training: bool) -> None:
    model = nn.Sequential(nn.Sequential(nn.BatchNorm2d(2)), nn.Dropout())
    model[0].eval()
    before = [module.training for module in model.modules()]
    with in_mode(model, training=training):
        assert {module.training for module in model.modules()} == {training}
    assert [module.training for module in model.modules()] == before


def test_a_model_that_is_in_the_mode_is_left_alone() -> None:
    class Watched(nn.ReLU):
        def train(self, mode: bool = True) -> Watched:
            raise AssertionError(mode)

    with in_mode(Watched(), training=True):
        pass
