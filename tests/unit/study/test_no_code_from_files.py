"""Names that files give are compared, never imported or called."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

import pytest
import torch

from sakd.data import Prepared
from sakd.foundation.errors import UserError
from sakd.foundation.sealing import read_sealed
from sakd.study.bench import Bench
from sakd.study.evaluation import Evaluator
from sakd.study.grid import Cell
from sakd.study.networks import trained_network
from sakd.study.store import Record
from sakd.study.train import run_training
from sakd.study.trainings import Training
from sakd.training.progress import Progress
from sakd.weights.saved import Weights

CPU = torch.device("cpu")
COMMAND = "os:system(command='touch sprung')"
MODULE = "springing:Network"
CODE = (
    "from pathlib import Path\nPath('sprung').touch()\nfrom torch.nn import Identity as Network\n"
)

Evaluate = Callable[[Cell, Record], Mapping[str, float]]


@pytest.fixture(params=[COMMAND, MODULE], ids=["command", "module"])
def trap(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> object:
    """Give a name that leaves a mark when it is imported or called; check that there is none."""
    (tmp_path / "springing.py").write_text(CODE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    yield request.param
    assert not Path("sprung").exists()


def every_word(content: object, word: str) -> object:
    """Replace every text of ``content``, which is JSON, by ``word``, except the status."""
    if isinstance(content, dict):
        return {k: v if k == "status" else every_word(v, word) for k, v in content.items()}
    if isinstance(content, list):
        return [every_word(part, word) for part in content]
    return word if isinstance(content, str) else content


@pytest.mark.parametrize("distiller", ["none", "kd", "simkd"])
def test_the_evaluated_network_is_named_by_the_grid(
    distiller: str,
    trap: str,
    make_training: Callable[..., Training],
    make_cell: Callable[..., Cell],
    evaluate: Evaluate,
    bench: Bench,
    progress: Progress,
) -> None:
    policy = "none" if distiller == "none" else "always"
    training, cell = make_training(distiller, policy), make_cell(distiller, policy)
    record = run_training(training, bench, progress)
    entry = bench.store.entry(training.group, training.id, training.key)
    written = sorted(entry.folder.rglob("*.json"))
    assert len(written) >= 3
    for path in written:
        content = read_sealed(path)
        del content["sha256"]  # as versions without checksums wrote it, or somebody who knows them
        path.write_text(json.dumps(every_word(content, trap)))
    with pytest.raises(
        UserError, match=rf"safetensors .*{trap[:8]}.* {training.network!r}: .*delete"
    ):
        evaluate(cell, record)
    doctored = Record(**every_word(asdict(record), trap) | {"key": record.key})
    with pytest.raises(UserError, match=repr(training.network)):
        evaluate(cell, doctored)
    run_training(training, bench, progress)


def test_a_teacher_is_named_by_the_grid(
    trap: str, teacher: Weights, bench: Bench, test: Prepared
) -> None:
    weights = Weights(teacher.state, {"network": trap})
    with pytest.raises(UserError, match="'resnet14'"):
        Evaluator(bench.store, test, bench.val, CPU).teacher("resnet14", weights)
    with pytest.raises(UserError, match="'resnet14'"):
        trained_network("resnet14", test.card, weights)
