"""Weights on disk: the same bits back, and never half a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch
from safetensors import SafetensorError
from torch import Tensor, nn

import sakd.weights.saved
from sakd.foundation.errors import UserError
from sakd.foundation.files import at_once, write_json
from sakd.weights.saved import FORMAT, Weights, load_weights, save_weights


def state() -> dict[str, Tensor]:
    return {
        "weight": torch.arange(6.0).view(2, 3) / 7,
        "bias": torch.tensor([1e-30, -0.0]),
        "count": torch.tensor(5),
    }


def test_tensors_and_card_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "network.safetensors"
    card = {"network": "resnet8", "metrics": {"val_top1": 0.5}}
    save_weights(Weights(state(), card), path)
    found = load_weights(path)
    assert found.card == card
    assert found.state.keys() == state().keys()
    for name, tensor in state().items():
        assert torch.equal(found.state[name], tensor)
        assert found.state[name].dtype == tensor.dtype
    assert sorted(p.name for p in path.parent.iterdir()) == [
        "network.json",
        "network.safetensors",
    ]


def test_the_card_says_its_format(tmp_path: Path) -> None:
    path = tmp_path / "network.safetensors"
    save_weights(Weights(state(), {"network": "resnet8"}), path)
    card = path.with_suffix(".json")
    assert json.loads(card.read_text()) == {"format": FORMAT, "network": "resnet8"}


@pytest.mark.parametrize("card", [{"format": 99}, {"format": "1"}, {}])
def test_another_format_is_refused(card: dict[str, object], tmp_path: Path) -> None:
    path = tmp_path / "network.safetensors"
    save_weights(Weights(state()), path)
    write_json(path.with_suffix(".json"), card)
    with pytest.raises(UserError, match=rf"network\.safetensors .*{card.get('format')}.* train"):
        load_weights(path)


def test_a_transposed_tensor_comes_back_as_it_looked(tmp_path: Path) -> None:
    path = tmp_path / "network.safetensors"
    save_weights(Weights({"weight": state()["weight"].t()}), path)
    assert torch.equal(load_weights(path).state["weight"], state()["weight"].t())


def test_a_layer_with_two_names_is_kept_under_both(tmp_path: Path) -> None:
    layer = nn.Linear(2, 2)
    network = nn.ModuleDict({"one": layer, "other": layer})
    save_weights(Weights(network.state_dict()), tmp_path / "network.safetensors")
    found = load_weights(tmp_path / "network.safetensors").state
    assert found.keys() == network.state_dict().keys()
    assert torch.equal(found["other.weight"], layer.weight)


def test_a_write_that_fails_leaves_the_old_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "network.safetensors"
    save_weights(Weights(state(), {"epoch": 1}), path)

    def full_disk(_state: object, where: Path) -> None:
        where.write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(sakd.weights.saved, "save_file", full_disk)
    with pytest.raises(OSError, match="no space left"):
        save_weights(Weights({"weight": torch.zeros(1)}, {"epoch": 2}), path)
    found = load_weights(path)
    assert torch.equal(found.state["weight"], state()["weight"])
    assert found.card == {"epoch": 1}


@pytest.mark.parametrize("error", [SafetensorError("I/O error"), RuntimeError("unexpected pos")])
def test_any_librarys_failure_to_write_is_an_error_of_the_disk_and_leaves_nothing(
    tmp_path: Path, error: Exception
) -> None:
    def write() -> None:
        with at_once(tmp_path / "network.safetensors") as partial:
            partial.write_bytes(b"half")
            raise error

    with pytest.raises(OSError, match=rf"network\.safetensors cannot be written: {error}"):
        write()
    assert not list(tmp_path.iterdir())


def test_a_card_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    write_json(path, {"epoch": 1})
    with pytest.raises(TypeError):
        write_json(path, {"epoch": {2}})
    assert path.read_text() == '{\n  "epoch": 1\n}\n'


@pytest.mark.parametrize("suffix", [".safetensors", ".json"])
def test_a_missing_file_is_named_with_the_remedy(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "network.safetensors"
    save_weights(Weights(state()), path)
    path.with_suffix(suffix).unlink()
    with pytest.raises(UserError, match=rf"network\{suffix}: train"):
        load_weights(path)


@pytest.mark.parametrize(
    ("suffix", "content"),
    [
        (".safetensors", b""),
        (".safetensors", b"{"),
        (".json", b"{"),
        (".json", b"5"),
        (".json", b"\xff\xfe\x00 not text"),
    ],
)
def test_a_damaged_file_is_named_with_the_remedy(
    tmp_path: Path, suffix: str, content: bytes
) -> None:
    path = tmp_path / "network.safetensors"
    save_weights(Weights(state()), path)
    path.with_suffix(suffix).write_bytes(content)
    with pytest.raises(UserError, match=r"network\.safetensors is damaged .*train again"):
        load_weights(path)


def test_a_file_cut_off_is_damaged(tmp_path: Path) -> None:
    path = tmp_path / "network.safetensors"
    save_weights(Weights(state()), path)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises(UserError, match=r"network\.safetensors is damaged"):
        load_weights(path)


def test_the_hash_is_of_the_content_not_of_the_order() -> None:
    backwards = dict(reversed(state().items()))
    assert Weights(backwards).sha256() == Weights(state(), {"any": "card"}).sha256()


def test_the_hash_is_of_what_a_tensor_holds_not_of_how_it_lies_in_memory() -> None:
    lying = {"weight": torch.arange(6.0).view(3, 2).t()}
    standing = {"weight": lying["weight"].contiguous()}
    assert Weights(lying).sha256() == Weights(standing).sha256()


@pytest.mark.parametrize(
    "changed",
    [
        {"weight": state()["weight"] + 1e-7},
        {"weight": state()["weight"].view(3, 2)},
        {"weight": state()["weight"].view(torch.int32)},
        {"bias": torch.tensor([1e-30, 0.0])},
        {"count": torch.tensor(6)},
        {"more": torch.zeros(0)},
    ],
)
def test_the_hash_changes_with_any_value_shape_type_or_name(changed: dict[str, Tensor]) -> None:
    assert Weights(state() | changed).sha256() != Weights(state()).sha256()
