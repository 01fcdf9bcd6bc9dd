"""What a run names is looked up before it starts."""

from __future__ import annotations

from typing import Any

import pytest
from kedro.pipeline import Node, Pipeline
from kedro.runner import SequentialRunner, ThreadRunner

from sakd import settings
from sakd.foundation.errors import UserError
from sakd.project.session import Session, look_up

FIRST = Pipeline([Node(len, "raw", "sized", name="measure", tags=["early"])])
SECOND = Pipeline([Node(len, "sized", "told", name="tell", tags=["late"])])
REGISTERED = {"first": FIRST, "second": SECOND, "__default__": FIRST + SECOND}


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"runner": SequentialRunner()},
        {"pipeline_names": [], "node_names": (), "tags": (), "namespaces": ()},
        {"pipeline_names": ["first", "second"], "node_names": ("measure", "tell")},
        {"from_nodes": ["tell"], "tags": ("late",), "to_outputs": ["told"]},
    ],
)
def test_what_there_is_may_be_named(chosen: dict[str, Any]) -> None:
    look_up(chosen, REGISTERED)


@pytest.mark.parametrize(
    ("chosen", "told"),
    [
        ({"pipeline_names": ["frist"]}, "unknown pipeline 'frist'; did you mean 'first'. known: "),
        ({"node_names": ("measured",)}, "unknown node 'measured'; did you mean 'measure'. known: "),
        ({"pipeline_names": ["second"], "to_nodes": ["measure"]}, "'measure'; known: tell$"),
        ({"tags": ("erly",)}, "unknown tag 'erly'; did you mean 'early'. known: early, late$"),
        ({"from_inputs": ["row"]}, "unknown dataset 'row'; did you mean 'raw'. known: raw, sized"),
        ({"tags": ("early",), "node_names": ("tell",)}, "no nodes after applying all"),
        ({"namespaces": ("deep",)}, "namespaces.*deep"),
        ({"runner": ThreadRunner()}, "could not be repeated; use SequentialRunner"),
    ],
)
def test_what_there_is_not_is_told_with_what_is_near(chosen: dict[str, Any], told: str) -> None:
    with pytest.raises(UserError, match=told):
        look_up(chosen, REGISTERED)


def test_the_session_is_the_one_that_kedro_is_told_of() -> None:
    assert settings.SESSION_CLASS is Session
