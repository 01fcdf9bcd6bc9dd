"""Cells that are trained side by side: each has its bits alone, whatever the others do."""

from __future__ import annotations

import gc
import importlib
import logging
import sys
import weakref
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from safetensors.torch import load_file

from sakd.data import Augment
from sakd.foundation.vocabulary import DONE, FAILED
from sakd.objectives import Distillation, Optimisation
from sakd.study import memory
from sakd.study.bench import Bench
from sakd.study.memory import SHARE, Needs, needs
from sakd.study.pack import Pack, packs
from sakd.study.store import CellStore, Record
from sakd.study.train import run_training, run_trainings
from sakd.study.trainings import Training
from sakd.training import Callback, Run, train
from sakd.training.progress import Progress

Make = Callable[..., Training]
Same = Callable[[Any, Any], bool]

METHODS = [("none", "none"), ("kd", "heldout"), ("ft", "adaptive"), ("crd", "anti")]
BRIEF = Distillation(options={"ft": {"pretrain_epochs": 1}})


class Killed(BaseException):
    """A process ends in a step, and nothing is done any more."""


class Pressed(Progress):
    """A user who presses Ctrl-C in the second epoch of the last cell, or kills the run."""

    how: type[BaseException] = KeyboardInterrupt

    def of(self, name: str, number: int = 0) -> tuple[Callback, ...]:
        """Give a callback that presses."""
        how = self.how

        class Key(Callback):
            def on_step(self, run: Run) -> None:
                if (len(run.history), run.taken) == (1, 4) and "crd" in name:
                    raise how

        return (Key(),)


@pytest.fixture(params=[0, 1], ids=["computed", "kept"])
def trainings(make_training: Make, request: pytest.FixtureRequest) -> list[Training]:
    """Make the trainings of a row, which compute the outputs of their teacher or keep them."""
    how = replace(BRIEF, keep_outputs_mb=request.param)
    return [make_training(*method, distillation=how) for method in METHODS]


@pytest.fixture
def alone(trainings: list[Training], bench: Bench, tmp_path: Path) -> Bench:
    """Train each by itself; give the bench of the results."""
    other = replace(bench, store=CellStore(tmp_path / "alone"))
    for training in trainings:
        assert run_training(training, other, Progress("toys", 1)).status == DONE
    return other


def assert_alike(training: Training, one: Bench, other: Bench, same: Same) -> None:
    here, there = one.entry(training), other.entry(training)
    assert same(load_file(here.last), load_file(there.last))
    assert same(load_file(here.best), load_file(there.best))
    assert here.history() == there.history()
    ours, theirs = here.routing(), there.routing()
    assert (ours is None) == (theirs is None) == ("none" in training.id)
    if ours is not None and theirs is not None:
        pd.testing.assert_frame_equal(ours, theirs, check_exact=True)


def outcome(records: list[Record]) -> list[str]:
    return [record.status for record in records]


@pytest.mark.parametrize("pack", [None, 1, 3])
def test_cells_side_by_side_have_the_bits_of_each_alone(
    trainings: list[Training], bench: Bench, alone: Bench, same: Same, pack: int | None
) -> None:
    records = run_trainings(trainings, bench, Progress("toys", 4), pack)
    assert [record.id for record in records] == [training.id for training in trainings]
    assert outcome(records) == [DONE] * 4
    for training in trainings:
        assert_alike(training, bench, alone, same)


@pytest.mark.parametrize("trainings", [0], indirect=True)
def test_cells_beside_those_of_another_layout_have_their_bits_alone(
    trainings: list[Training], bench: Bench, tmp_path: Path, same: Same
) -> None:
    for number in (1, 2):
        recipe = replace(trainings[number].recipe, channels_last=True)
        trainings[number] = replace(trainings[number], recipe=recipe)
    other = replace(bench, store=CellStore(tmp_path / "alone"))
    for training in trainings:
        run_training(training, other, Progress("toys", 1))
    assert outcome(run_trainings(trainings, bench, Progress("toys", 4))) == [DONE] * 4
    for training in trainings:
        assert_alike(training, bench, other, same)


def test_one_that_fails_is_recorded_and_the_others_go_on(
    trainings: list[Training], bench: Bench, alone: Bench, same: Same
) -> None:
    def broken(_teacher: object) -> Any:
        raise RuntimeError("it burns")

    wild = {"student": Optimisation(lr=1e30)}
    first = replace(trainings[0], optimisation=wild, id="wild")
    second = replace(trainings[1], build=broken, id="broken")
    records = run_trainings([first, second, *trainings[2:]], bench, Progress("toys", 4))
    assert outcome(records) == [FAILED, FAILED, DONE, DONE]
    assert "lower the learning rate" in (records[0].error or "")
    assert "it burns" in (records[1].error or "")
    for training in trainings[2:]:
        assert_alike(training, bench, alone, same)


@pytest.mark.parametrize(
    ("how", "places"),
    [(KeyboardInterrupt, [(1, 4), None, (1, 4), (1, 4)]), (Killed, [(1, 4), None, (1, 3), (1, 0)])],
)
def test_finished_and_resumed_trainings_join_at_their_steps_with_the_same_bits(
    how: type[BaseException],
    places: list[tuple[int, int] | None],
    trainings: list[Training],
    bench: Bench,
    alone: Bench,
    same: Same,
) -> None:
    for number, one in enumerate(trainings, start=1):
        trainings[number - 1] = replace(one, recipe=replace(one.recipe, checkpoint_steps=number))
    run_training(trainings[1], bench, Progress("toys", 1))
    pressed = Pressed("toys", 4)
    pressed.how = how
    with pytest.raises(how):
        run_trainings(trainings, bench, pressed)
    states = [bench.entry(training).checkpoints.read(training.key) for training in trainings]
    assert [state and (len(state["history"]), state["taken"]) for state in states] == places
    assert outcome(run_trainings(trainings, bench, Progress("toys", 4))) == [DONE] * 4
    for training in trainings:
        assert_alike(training, bench, alone, same)


def test_one_that_runs_out_of_memory_is_tried_again_with_the_memory_to_itself(
    trainings: list[Training], bench: Bench, alone: Bench, same: Same
) -> None:
    others: list[Any] = []
    left: list[int] = []

    def watched(build: Any) -> Any:
        def building(teacher: Any) -> Any:
            objective = build(teacher)
            others.append(weakref.ref(objective))
            return objective

        return building

    def greedy(teacher: Any) -> Any:
        gc.collect()
        left.append(sum(other() is not None for other in others))
        if len(left) == 2:  # the first is thrown away to measure it
            held = trainings[1].build(teacher)
            raise torch.OutOfMemoryError(f"not enough for {type(held).__name__}")
        return trainings[1].build(teacher)

    given = [replace(one, build=watched(one.build)) for one in trainings]
    given[1] = replace(trainings[1], build=greedy)
    assert outcome(run_trainings(given, bench, Progress("toys", 4))) == [DONE] * 4
    assert len(left) == 3
    assert left[1:] == [1, 0]
    assert_alike(trainings[1], bench, alone, same)


@pytest.mark.parametrize("of", ["one", "teacher"])
def test_a_pack_that_runs_out_of_memory_halves_itself_and_goes_on(
    make_training: Make,
    bench: Bench,
    tmp_path: Path,
    same: Same,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
    of: str,
) -> None:
    """More than one at a time do not fit; the lack is met by one of them, or by their teacher."""
    given = [make_training(name, "adaptive") for name in ("kd", "at", "sp")]
    other = replace(bench, store=CellStore(tmp_path / "alone"))
    for training in given:
        run_training(training, other, Progress("toys", 1))
    sizes: list[int] = []
    module = importlib.import_module("sakd.study.pack")

    def limited(runs: list[Run], stream: Any, **how: Any) -> None:
        sizes.append(len(runs))
        if len(runs) == 1:
            train(runs, stream, **how)
            return
        lack = RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to ...")
        if of == "teacher":
            raise lack
        for run in runs:
            run.failure = lack

    monkeypatch.setattr(module, "train", limited)
    records = run_trainings(given, bench, Progress("toys", 3), 3)
    assert outcome(records) == [DONE] * 3
    assert sizes == [3, 1, 1, 1]
    assert "out of memory with 3 side by side; 3 go on, at most 1 side by side" in caplog.text
    for training in given:
        assert_alike(training, bench, other, same)


def test_a_full_disk_stops_all(trainings: list[Training], bench: Bench) -> None:
    def full(_teacher: object) -> Any:
        raise OSError("no space left")

    given = [replace(trainings[0], build=full), *trainings[1:]]
    with pytest.raises(OSError, match="no space left"):
        run_trainings(given, bench, Progress("toys", 4))


def test_the_log_names_the_shared_parts_and_counts_the_cells(
    trainings: list[Training], bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "sakd")
    with Progress("toys", 4) as progress:
        run_trainings(trainings, bench, progress)
    assert "toys: 4 side by side share their batches and their teacher" in caplog.messages
    ends = [line for line in caplog.messages if "epoch 2/2" in line]
    assert [line.split(":")[0] for line in ends] == [f"toys {k}/4" for k in (1, 2, 3, 4)]


def test_a_teacher_that_learns_is_nobody_elses(
    make_training: Make, bench: Bench, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "sakd")
    joint = Distillation(objective="joint")
    two = [make_training(d, "always", distillation=joint) for d in ("kd", "at")]
    assert [training.taught_by for training in two] == [None, None]
    assert outcome(Pack(two, bench, Progress("toys", 2)).run()) == [DONE, DONE]
    assert "toys: 2 side by side share their batches" in caplog.messages


def test_only_those_that_see_the_same_batches_make_a_pack(
    make_training: Make, bench: Bench
) -> None:
    given = [
        *(make_training("kd"), make_training("at"), make_training("kd", batch_size=4)),
        *(make_training("kd", seed=1), make_training("at", seed=1, epochs=3)),
        *(make_training(name, augment=Augment(views=2, flip=True)) for name in ("kd", "at")),
        make_training("kd", augment=Augment(views=3, flip=True)),
    ]
    assert [len(pack) for pack in packs(given, bench, None)] == [2, 1, 2, 2, 1]
    assert [len(pack) for pack in packs(given, bench, 1)] == [1] * 8


class TestMemory:
    def test_as_many_fit_as_leave_room_for_one_step(self) -> None:
        assert Needs(kept=10, passing=100).fit(1000) == 70
        assert Needs(kept=10, passing=10_000).fit(1000) == 1
        assert Needs(kept=0, passing=0).fit(1000) == 800
        assert Needs(kept=10, passing=100, shared=300).fit(1000) == 40

    def test_weights_count_three_times_and_buffers_once(
        self, make_training: Make, bench: Bench
    ) -> None:
        training = make_training("none", "none")
        objective = training.build(None)
        weights = sum(p.numel() * 4 for p in objective.parameters())
        buffers = sum(b.numel() * b.element_size() for b in objective.buffers())
        batch = next(iter(bench.stream(training).epoch(0)))
        need = needs(objective, batch)
        assert need.kept == 3 * weights + buffers
        assert need.passing >= batch.images.numel() * 4

    def test_a_pack_is_as_large_as_memory_allows(
        self, make_training: Make, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        given = [make_training(name) for name in ("kd", "at", "sp", "rkd")]
        for free, sizes in {sys.maxsize: [4], 1: [1, 1, 1, 1]}.items():
            monkeypatch.setattr("sakd.study.memory.free_memory", lambda _device, n=free: n)
            assert [len(pack) for pack in packs(given, bench, None)] == sizes

    def test_kept_outputs_take_the_place_of_trainings(
        self, make_training: Make, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def row(keep: int) -> list[Training]:
            how = Distillation(keep_outputs_mb=keep)
            return [make_training(name, distillation=how) for name in ("kd", "at", "sp", "rkd")]

        batch = next(iter(bench.stream(row(0)[0]).epoch(0)))
        found = [needs(training.build(None), batch) for training in row(0)]
        free = 1 + int(max(need.passing + 4 * need.kept for need in found) / SHARE)
        monkeypatch.setattr("sakd.study.memory.free_memory", lambda _device: free)
        assert [len(pack) for pack in packs(row(0), bench, None)] == [4]
        assert [len(pack) for pack in packs(row(1), bench, None)] == [3, 1]


def test_a_bench_decides_on_graphs_and_runs_have_the_names_of_their_trainings(
    make_training: Make, bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[torch.device] = []
    names: list[str] = []

    class Watch(Progress):
        def of(self, name: str, number: int = 0) -> tuple[Callback, ...]:
            class Name(Callback):
                def on_start(self, run: Run) -> None:
                    names.append(run.name)

            return (Name(),)

    module = importlib.import_module("sakd.training.fit")
    monkeypatch.setattr(module, "recorder_for", asked.append)
    training = make_training("ft", "always", distillation=BRIEF)
    graphs = replace(bench, graph=True, store=CellStore(tmp_path / "graphs"))
    for place, times in ((bench, 0), (graphs, 2)):  # of the pretraining, too
        run_training(training, place, Watch("toys", 1))
        assert asked == [torch.device("cpu")] * times
    assert names == ["PretrainingObjective", training.id] * 2


def test_a_graph_needs_memory_for_every_lane(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda _device: 10_000)
    gpu, cpu = torch.device("cuda"), torch.device("cpu")

    def found(need: Needs) -> list[int]:
        return [
            memory.room_for(need, device, graph=graph) for device in (cpu, gpu) for graph in (0, 1)
        ]

    assert found(Needs(kept=100, passing=400)) == [76, 76, 76, 8 + 8]  # eight lanes, two steps each
    assert found(Needs(kept=100, passing=1000)) == [70, 70, 70, 8_000 // 2_100]
    assert found(Needs(kept=100, passing=9000)) == [1, 1, 1, 1]
