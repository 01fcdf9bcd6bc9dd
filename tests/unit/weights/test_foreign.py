"""State dicts as others save them are found; nothing else is read."""

from __future__ import annotations

import os
import pickle
from argparse import Namespace
from pathlib import Path
from typing import Any
from zipfile import ZIP_DEFLATED, ZipFile

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from sakd.foundation.errors import UserError
from sakd.weights.foreign import read_states

STATE = {"conv.weight": torch.arange(6.0).view(2, 3), "bn.num_batches_tracked": torch.tensor(3)}


def assert_read(path: Path) -> None:
    (state,) = read_states(path).values()
    assert state.keys() == STATE.keys()
    assert all(torch.equal(state[name], value) for name, value in STATE.items())


def prefixed(prefix: str) -> dict[str, Tensor]:
    return {f"{prefix}{name}": value for name, value in STATE.items()}


def test_safetensors_are_read(tmp_path: Path) -> None:
    save_file(STATE, tmp_path / "weights.safetensors")
    assert_read(tmp_path / "weights.safetensors")


@pytest.mark.parametrize(
    "content",
    [
        STATE,
        {"model": STATE, "epoch": 240, "best_acc": torch.tensor(69.1)},
        {"opt": Namespace(model="resnet8"), "model": STATE},
        {"net": {"state_dict": prefixed("module.")}, "optimizer": {"state": {}}},
        prefixed("_orig_mod.module."),
        {"model": STATE, "best_acc": np.float64(69.1), "epoch": np.int64(240)},
        {"model": STATE, "best": (np.bool_(True), np.float16(2.5))},
    ],
    ids=[
        "bare",
        "with an epoch",
        "with options",
        "wrapped twice",
        "parallel",
        "with numpy scalars",
        "with small ones",
    ],
)
def test_a_state_dict_is_found_where_training_scripts_put_it(
    content: dict[str, Any], tmp_path: Path
) -> None:
    torch.save(content, tmp_path / "weights.pth")
    assert_read(tmp_path / "weights.pth")


def test_numpy_scalars_of_older_versions_are_read(tmp_path: Path) -> None:
    torch.save({"model": STATE, "best_acc": np.float64(69.1)}, tmp_path / "new.pth")
    with ZipFile(tmp_path / "new.pth") as new, ZipFile(tmp_path / "old.pth", "w") as old:
        for name in new.namelist():
            old.writestr(name, new.read(name).replace(b"numpy._core.", b"numpy.core."))
    assert (tmp_path / "old.pth").stat().st_size != (tmp_path / "new.pth").stat().st_size
    assert_read(tmp_path / "old.pth")


@pytest.mark.parametrize(
    ("content", "mixed", "parts"),
    [
        ({"model": STATE, "teacher": STATE}, [], ["model", "teacher"]),
        ({"student": STATE, "teacher": STATE}, [], ["student", "teacher"]),
        (prefixed("module.teacher."), [""], ["teacher"]),
        (
            {"model": {**prefixed("module.student."), **prefixed("module.teacher.module.")}},
            ["model"],
            ["model.student", "model.teacher"],
        ),
    ],
    ids=["two keys", "players", "one player", "a whole distiller"],
)
def test_every_state_dict_is_found_at_its_place(
    content: dict[str, Any], mixed: list[str], parts: list[str], tmp_path: Path
) -> None:
    torch.save(content, tmp_path / "weights.pth")
    states = read_states(tmp_path / "weights.pth")
    assert sorted(states) == sorted(mixed + parts)
    for state in map(states.__getitem__, parts):
        assert state.keys() == STATE.keys()
        assert all(torch.equal(state[name], value) for name, value in STATE.items())


class Trap:
    """Leaves a mark when unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        return Path.touch, (Path("sprung"),)


def test_nothing_in_a_file_is_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    torch.save({"model": STATE, "trap": Trap()}, tmp_path / "weights.pth")
    with pytest.raises(UserError, match=r"weights\.pth .*not read.*save the state dict"):
        read_states(tmp_path / "weights.pth")
    (tmp_path / "old.pth").write_bytes(pickle.dumps(Trap(), protocol=2))
    with pytest.raises(UserError, match=r"old.pth"):
        read_states(tmp_path / "old.pth")
    assert not (tmp_path / "sprung").exists()


@pytest.mark.parametrize(
    ("name", "content"),
    [("a.pth", b"not a file of torch"), ("a.safetensors", b"not safe"), ("a.pth", b"")],
)
def test_a_damaged_file_is_named(name: str, content: bytes, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=rf"{name} .*a(nother)? file of weights"):
        read_states(tmp_path / name)


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    torch.save({"weight": torch.ones(2)}, tmp_path / "a.pth")
    with ZipFile(tmp_path / "a.pth", "a") as archive:
        archive.writestr("a/data/1", bytes(10**6), ZIP_DEFLATED)
    with pytest.raises(UserError, match=r"a\.pth .*data/1 is packed.*another file of weights"):
        read_states(tmp_path / "a.pth")


@pytest.mark.parametrize("ending", [".pth", ".safetensors"])
def test_a_pipe_is_no_file_of_weights(ending: str, tmp_path: Path) -> None:
    os.mkfifo(path := tmp_path / f"a{ending}")
    with pytest.raises((UserError, OSError), match=rf"a\{ending}"):
        read_states(path)


def test_a_file_that_asks_for_too_much_memory_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def greedy(*_: object, **__: object) -> None:
        raise MemoryError

    torch.save({"weight": torch.ones(2)}, tmp_path / "a.pth")
    monkeypatch.setattr(torch, "load", greedy)
    with pytest.raises(UserError, match=r"a\.pth asks for more memory .*another file of weights"):
        read_states(tmp_path / "a.pth")


def test_missing_files_and_folders_have_messages_of_their_own(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"there are no weights at .*nothing.pth"):
        read_states(tmp_path / "nothing.pth")
    with pytest.raises(UserError, match="is a folder: name"):
        read_states(tmp_path)


@pytest.mark.parametrize(
    ("content", "held"),
    [
        ({"epoch": 3, "accuracy": 0.5}, "epoch, accuracy"),
        ({0: torch.zeros(2)}, "0"),
        ([1, 2], "no names"),
    ],
)
def test_a_file_without_state_dict_says_what_it_holds(
    content: object, held: str, tmp_path: Path
) -> None:
    torch.save(content, tmp_path / "weights.pth")
    with pytest.raises(UserError, match=rf"weights\.pth .*holds {held}; expected"):
        read_states(tmp_path / "weights.pth")
