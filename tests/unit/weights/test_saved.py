"""Weights on disk: the same bits back, and never half a file."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn

import sakd.foundation.tensors
from sakd.foundation.errors import DamagedError, UserError
from sakd.foundation.files import write_json
from sakd.foundation.sealing import read_sealed
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
    assert found.card == {**card, "sha256": Weights(state()).sha256()}
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
    card = read_sealed(path.with_suffix(".json"))
    assert card == {"format": FORMAT, "network": "resnet8", "sha256": Weights(state()).sha256()}


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

    def full_disk(_state: object, where: Path, **_: object) -> None:
        where.write_bytes(b"half")
        raise OSError("no space left on device")

    monkeypatch.setattr(sakd.foundation.tensors, "save_file", full_disk)
    with pytest.raises(OSError, match="no space left"):
        save_weights(Weights({"weight": torch.zeros(1)}, {"epoch": 2}), path)
    found = load_weights(path)
    assert torch.equal(found.state["weight"], state()["weight"])
    assert found.card["epoch"] == 1


@pytest.mark.parametrize("suffix", [".safetensors", ".json"])
def test_a_missing_file_is_named_with_the_remedy(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / "network.safetensors"
    save_weights(Weights(state()), path)
    path.with_suffix(suffix).unlink()
    with pytest.raises(UserError, match=rf"network\{suffix}: .*train again"):
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
    with pytest.raises(DamagedError, match=rf"network\{suffix} is damaged .*train again"):
        load_weights(path)


def test_tensors_of_another_card_are_damaged(tmp_path: Path) -> None:
    path = tmp_path / "network.safetensors"
    save_weights(Weights({"weight": torch.zeros(1)}), tmp_path / "other.safetensors")
    save_weights(Weights(state()), path)
    (tmp_path / "other.safetensors").replace(path)  # as if killed before the card was written
    with pytest.raises(DamagedError, match=r"not those of network\.json\): delete it and train"):
        load_weights(path)


def test_weights_of_versions_without_checksums_are_read(tmp_path: Path) -> None:
    path = tmp_path / "network.safetensors"
    save_file(state(), path)
    write_json(path.with_suffix(".json"), {"format": FORMAT, "network": "resnet8"})
    found = load_weights(path)
    assert found.sha256() == Weights(state()).sha256()
    assert found.card == {"network": "resnet8"}


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
