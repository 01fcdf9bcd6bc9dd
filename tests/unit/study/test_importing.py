"""Weights from elsewhere fit exactly, or are refused with the differences."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torchvision.models import mobilenet_v2, resnet18

from sakd.data import DataCard
from sakd.foundation.errors import UserError
from sakd.networks import NETWORKS, build_network
from sakd.networks.reference_names import given_names
from sakd.networks.renormalised import Statistics
from sakd.study.importing import import_weights
from sakd.study.networks import trained_network
from sakd.weights.saved import Weights, save_weights

CLASSES = 7
DATA = Statistics((0.5, 0.4, 0.3), (0.2, 0.25, 0.3))


def test_torchvisions_weights_fit_its_network(tmp_path: Path, card: DataCard) -> None:
    original = resnet18(num_classes=CLASSES).eval()
    torch.save(original.state_dict(), tmp_path / "resnet18.pth")
    weights = import_weights("torchvision:resnet18", card, tmp_path / "resnet18.pth")
    network = trained_network("torchvision:resnet18", card, weights).eval()
    images = torch.randn(2, 3, 16, 16)
    assert torch.equal(network(images), original(images))


def test_a_zoo_network_of_the_same_shapes_takes_them_by_renames(
    tmp_path: Path, card: DataCard
) -> None:
    state = {f"backbone.{k}": v for k, v in NETWORKS["resnet8"](CLASSES).state_dict().items()}
    torch.save(state, tmp_path / "a.pth")
    weights = import_weights("resnet8", card, tmp_path / "a.pth", renames={"backbone.": ""})
    assert set(weights.state) == {key.removeprefix("backbone.") for key in state}


def test_renames_that_lose_a_weight_are_refused(tmp_path: Path, card: DataCard) -> None:
    state = NETWORKS["resnet8"](CLASSES).state_dict()
    torch.save({**state, "ema.head.bias": state["head.bias"]}, tmp_path / "a.pth")
    with pytest.raises(UserError, match=r"2 weights .*'head.bias': correct the renames"):
        import_weights("resnet8", card, tmp_path / "a.pth", renames={"ema.": ""})


def test_the_longest_prefix_counts() -> None:
    rename = given_names({"a.": "x.", "a.b.": "y.", "c": ""})
    assert [rename(name) for name in ("a.c", "a.b.c", "cd", "z.a.")] == ["x.c", "y.c", "d", "z.a."]


def test_half_precision_and_missing_counters_are_made_good(tmp_path: Path, card: DataCard) -> None:
    state = NETWORKS["resnet8"](CLASSES).state_dict()
    kept = {k: v.half() for k, v in state.items() if not k.endswith("num_batches_tracked")}
    torch.save(kept, tmp_path / "a.pth")
    weights = import_weights("resnet8", card, tmp_path / "a.pth")
    assert {k: v.dtype for k, v in weights.state.items()} == {k: v.dtype for k, v in state.items()}
    torch.testing.assert_close(weights.state["head.bias"], state["head.bias"], rtol=1e-3, atol=0)


@pytest.mark.parametrize("network", ["resnet8", "torchvision:resnet18"])
def test_another_number_of_classes_is_named(network: str, tmp_path: Path, card: DataCard) -> None:
    other = build_network(network, num_classes=10, image_shape=(3, 16, 16))
    torch.save(other.state_dict(), tmp_path / "a.pth")
    with pytest.raises(UserError, match=r"10 classes.* 7: .*teacher_start"):
        import_weights(network, card, tmp_path / "a.pth")


def test_a_teacher_is_refused_if_its_card_names_other_classes(
    tmp_path: Path, card: DataCard
) -> None:
    state, file = NETWORKS["resnet8"](CLASSES).state_dict(), tmp_path / "a.safetensors"
    save_weights(Weights(state, {"data": card.to_json()}), file)
    import_weights("resnet8", card, file)
    other = replace(card, classes=(*card.classes[:-1], "cat"))
    with pytest.raises(UserError, match=f"'6' .*'cat' .*delete {tmp_path / 'a.json'}"):
        import_weights("resnet8", other, file)
    for strange in ("{}", '{"data": {}}', '{"data": {"classes": 7}}'):
        (tmp_path / "a.json").write_text(strange)
        import_weights("resnet8", other, file)


def test_a_card_that_is_damaged_does_not_pass_for_that_of_others(
    tmp_path: Path, card: DataCard
) -> None:
    state, file = NETWORKS["resnet8"](CLASSES).state_dict(), tmp_path / "a.safetensors"
    save_weights(Weights(state, {"data": card.to_json()}), file)
    sealed = (tmp_path / "a.json").read_text()
    for broken in ("[]", sealed[:-9], sealed.replace('"classes"', '"claszes"'), "[" * 100_000):
        (tmp_path / "a.json").write_text(broken)
        with pytest.raises(UserError, match=r"a\.json is damaged .*an intact copy"):
            import_weights("resnet8", card, file)


def distiller_state(student: str, teacher: str) -> dict[str, Tensor]:
    """Make the state of a whole distiller, as training scripts save it."""
    parts = {"student": student, "teacher": teacher}
    states = {part: NETWORKS[name](CLASSES).state_dict() for part, name in parts.items()}
    named = {f"module.{p}.{key}": value for p in parts for key, value in states[p].items()}
    return {**named, "module.adapter.weight": torch.zeros(3)}


@pytest.mark.parametrize(("name", "part"), [("resnet8", "student"), ("resnet14", "teacher")])
def test_of_a_whole_distiller_the_part_that_fits_is_read(
    name: str, part: str, tmp_path: Path, card: DataCard
) -> None:
    state = distiller_state("resnet8", "resnet14")
    torch.save({"epoch": 240, "model": state}, tmp_path / "a.pth")
    found = import_weights(name, card, tmp_path / "a.pth").state
    assert all(torch.equal(found[key], state[f"module.{part}.{key}"]) for key in found)


@pytest.mark.parametrize("part", ["student", "teacher"])
def test_of_two_parts_that_fit_the_renames_choose(
    part: str, tmp_path: Path, card: DataCard
) -> None:
    state, file = distiller_state("resnet8", "resnet8"), tmp_path / "a.pth"
    torch.save(state, file)
    with pytest.raises(UserError, match=r"student and teacher.*resnet8.*\{'teacher\.': ''\}"):
        import_weights("resnet8", card, file)
    found = import_weights("resnet8", card, file, renames={f"{part}.": ""}).state
    assert all(torch.equal(found[key], state[f"module.{part}.{key}"]) for key in found)


def test_of_the_keys_model_and_teacher_the_one_that_fits_is_read(
    tmp_path: Path, card: DataCard
) -> None:
    states = {"model": "resnet8", "teacher": "resnet14"}
    content = {key: NETWORKS[name](CLASSES).state_dict() for key, name in states.items()}
    file = tmp_path / "a.pth"
    torch.save(content, file)
    for key, name in states.items():
        found = import_weights(name, card, file).state
        assert all(torch.equal(found[k], content[key][k]) for k in found)
    with pytest.raises(UserError, match=r"a\.pth is not for resnet20: .* missing"):
        import_weights("resnet20", card, file)
    again = NETWORKS["resnet8"](CLASSES).state_dict()
    torch.save({"model": again, "teacher": content["model"]}, file)
    with pytest.raises(UserError, match=r"model and teacher.*\{'teacher\.': ''\}"):
        import_weights("resnet8", card, file)
    chosen = import_weights("resnet8", card, file, renames={"teacher.": ""}).state
    assert torch.equal(chosen["head.weight"], content["model"]["head.weight"])
    torch.save({"model": again, "state_dict": again}, file)
    assert torch.equal(import_weights("resnet8", card, file).state["head.bias"], again["head.bias"])


def test_a_choice_may_rename_within_the_part(tmp_path: Path, card: DataCard) -> None:
    state = distiller_state("resnet8", "resnet8")
    renamed = {key.replace("teacher.head.", "teacher.last."): v for key, v in state.items()}
    torch.save(renamed, tmp_path / "a.pth")
    renames = {"teacher.": "", "teacher.last.": "head."}
    found = import_weights("resnet8", card, tmp_path / "a.pth", renames=renames).state
    assert torch.equal(found["head.bias"], state["module.teacher.head.bias"])


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e6])
def test_values_that_are_not_finite_are_refused(
    value: float, tmp_path: Path, card: DataCard
) -> None:
    state = NETWORKS["resnet8"](CLASSES).state_dict()
    state["stage1.0.bn1.weight"][3] = value
    half = {key: tensor.half() for key, tensor in state.items()}  # of which 65504 is the largest
    torch.save(half, tmp_path / "a.pth")
    with pytest.raises(UserError, match=r"stage1\.0\.bn1\.weight.*another checkpoint"):
        import_weights("resnet8", card, tmp_path / "a.pth")


def test_quantised_weights_are_refused(tmp_path: Path, card: DataCard) -> None:
    state = NETWORKS["resnet8"](CLASSES).state_dict()
    state["head.weight"] = (state["head.weight"] * 100).to(torch.int8)
    torch.save(state, tmp_path / "a.pth")
    with pytest.raises(UserError, match=r"head\.weight as torch\.int8.*before"):
        import_weights("resnet8", card, tmp_path / "a.pth")


def test_differences_are_reported_in_one_line(tmp_path: Path, card: DataCard) -> None:
    state = NETWORKS["resnet8"](CLASSES).state_dict()
    del state["stage1.0.bn1.bias"], state["stage1.0.bn1.weight"]
    state["extra.weight"] = torch.zeros(1)
    state["stem.0.weight"] = torch.zeros(16, 3, 7, 7)
    state["head.bias"] = torch.zeros(())
    torch.save(state, tmp_path / "a.pth")
    with pytest.raises(UserError) as caught:
        import_weights("resnet8", card, tmp_path / "a.pth")
    assert (
        "a.pth is not for resnet8: 2 missing (stage1.0.bn1.weight, stage1.0.bn1.bias); "
        "1 not expected (extra.weight); "
        "2 of another shape (stem.0.weight 16x3x7x7 instead of 16x3x3x3, "
        "head.bias one number instead of 7); take weights of that network"
    ) in str(caught.value)


def test_of_many_differences_the_first_few_are_shown(tmp_path: Path, card: DataCard) -> None:
    torch.save(mobilenet_v2(num_classes=CLASSES).state_dict(), tmp_path / "a.pth")
    with pytest.raises(UserError, match=r"\(stem.0.weight, .+, .+, \.\.\.\); 314 "):
        import_weights("resnet8", card, tmp_path / "a.pth")
