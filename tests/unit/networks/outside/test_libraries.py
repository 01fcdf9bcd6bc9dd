"""Networks from outside: found by name, made for the data, refused in one line."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import nn

from sakd.foundation.errors import UserError
from sakd.networks import build_network, check_network, feature_shapes
from sakd.networks.zoo.resnet import resnet
from sakd.study.networks import sketch

NETS = """
import torch
from torch import nn
from sakd.networks.zoo.resnet import resnet

def fixed():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 2))

def asked(num_classes, in_channels, width=4):
    layers = nn.Conv2d(in_channels, width, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten()
    return nn.Sequential(*layers, nn.Linear(width, num_classes))

def staged(num_classes):
    return resnet(num_classes, depth=8, widths=(2, 2, 3, 4))

def stubborn():
    return resnet(5, depth=8, widths=(2, 2, 3, 4))

def numbers(width=4):
    return asked(int(torch.tensor(2.0)), 3, width)

ONCE = fixed()

def same():
    return ONCE

def pretrained(num_classes):
    model = asked(num_classes, 3)
    read = {k: torch.full(v.shape, 5.0, device="cpu") for k, v in model.state_dict().items()}
    model.load_state_dict(read)
    return model

def text():
    return "no network"

def broken():
    raise ZeroDivisionError("a slip")

def unwritten():
    raise NotImplementedError("later")

CONSTANT = 3
"""


@pytest.fixture(autouse=True)
def nets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "users_nets.py").write_text(NETS)
    (tmp_path / "users_slip.py").write_text("import users_missing_package\n")
    (tmp_path / "users_old.py").write_text("from json import of_another_version\n")
    (tmp_path / "users_typo.py").write_text("x = 1\ndef fixed(:\n")
    (tmp_path / "users_bug.py").write_text("\nONCE = 1 / 0\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "users_nets", raising=False)


@pytest.mark.parametrize(
    ("name", "embedding"),
    [
        ("users_nets:fixed", 4),
        ("users_nets:asked", 4),
        ("users_nets:asked(width=6)", 6),
        ("users_nets:staged", 4),
        ("users_nets:numbers", 4),
        ("torchvision:resnet18(small_images=true; width_per_group=64)", 512),
        ("torchvision:googlenet", 1024),
        ("torchvision.models:resnet18", 512),
        ("resnet8", 64),
    ],
)
def test_a_name_gives_a_network_for_the_classes_and_images(name: str, embedding: int) -> None:
    check_network(name)
    network = build_network(name, num_classes=7, image_shape=(3, 16, 16)).eval()
    assert network(torch.zeros(2, 3, 16, 16)).shape == (2, 7)
    assert feature_shapes(network, (3, 16, 16))[-1] == (embedding,)


@pytest.mark.parametrize("name", ["users_nets:fixed", "users_nets:asked", "torchvision:resnet18"])
def test_networks_from_outside_take_grey_images(name: str) -> None:
    network = build_network(name, num_classes=7, image_shape=(1, 16, 16)).eval()
    assert network(torch.zeros(2, 1, 16, 16)).shape == (2, 7)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("torchvision:resnet19", "torchvision 'resnet19'; did you mean .*'resnet18'"),
        ("torchvision:fcn_resnet50", "torchvision 'fcn_resnet50'"),
        ("torchvision:resnet18(depth=3)", "cannot be made: TypeError: .*'depth'"),
        ("torchvision:regnet_y_400mf(x=1)", "cannot be made: TypeError: .*'x'"),
        ("torchvision:squeezenet1_1(small_images=true)", "small_images is for torchvision's"),
        ("torchvision:resnet18(num_classes=3)", "leave out num_classes: that follows from the"),
        ("users_nets:fixd", "unknown .* of users_nets 'fixd'; did you mean 'fixed'"),
        ("users_nets:CONSTANT", "users_nets 'CONSTANT'"),
        ("users_nets:asked(breadth=2)", "cannot be made: TypeError: .*'breadth'"),
        ("users_nothing:fixed", "there is no module 'users_nothing': put it where Python finds"),
        ("users_slip:fixed", "users_slip cannot be imported: .*'users_missing_package'"),
        ("users_old:fixed", "users_old cannot be imported: .*'of_another_version'.*or the package"),
        (
            "users_typo:fixed",
            "users_typo cannot be imported: SyntaxError: .*line 2.*mend users_typo",
        ),
        ("users_bug:fixed", "ZeroDivisionError: .*line 2 of .*users_bug.py.*mend users_bug"),
        ("resnet9", "unknown network 'resnet9'; did you mean .*; or torchvision:NAME, timm:NAME"),
        ("a:b:c", "'a:b:c' .* write torchvision:NAME"),
    ],
)
def test_a_wrong_name_is_refused_before_there_is_data(name: str, complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        check_network(name)


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("users_nets:text", "of type str, .*torch.nn.Module"),
        ("users_nets:broken", "cannot be made: ZeroDivisionError: a slip"),
        ("users_nets:unwritten", "cannot be made: NotImplementedError: later"),
    ],
)
def test_a_function_is_called_where_its_network_is_built_and_not_before(
    name: str, complaint: str
) -> None:
    check_network(name)
    with pytest.raises(UserError, match=f"^{name}: .*{complaint}"):
        build_network(name, num_classes=2, image_shape=(3, 16, 16))


def test_the_door_costs_no_memory_for_weights(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[nn.Module] = []
    linear = nn.Linear.__init__

    def watched(self: nn.Linear, *args: object, **kwargs: object) -> None:
        linear(self, *args, **kwargs)
        made.append(self)

    monkeypatch.setattr(nn.Linear, "__init__", watched)
    check_network("torchvision:vgg11")
    assert made
    assert all(layer.weight.is_meta for layer in made)


def test_images_of_the_wrong_size_name_the_network_and_the_remedy() -> None:
    told = r"^torchvision:vit_b_32: .*Expected 224 .*image_size=64"
    with torch.device("meta"), pytest.raises(UserError, match=told):
        build_network("torchvision:vit_b_32", num_classes=2, image_shape=(3, 32, 32))


def test_two_networks_are_never_one_model() -> None:
    one, other = (
        build_network("users_nets:same", num_classes=2, image_shape=(3, 16, 16)) for _ in range(2)
    )
    held = {id(tensor) for tensor in (*other.parameters(), *other.buffers())}
    assert not held & {id(tensor) for tensor in (*one.parameters(), *one.buffers())}


@pytest.mark.parametrize("name", ["users_nets:pretrained", "resnet8@users_nets:pretrained"])
def test_a_function_that_loads_weights_is_shown_with_them_and_without_a_warning(
    name: str, recwarn: pytest.WarningsRecorder
) -> None:
    network = sketch(name, 7, (3, 16, 16))
    (loaded,) = (value for key, value in network.state_dict().items() if key.endswith("3.weight"))
    assert torch.equal(loaded, torch.full((7, 4), 5.0))
    assert len(feature_shapes(network, (3, 16, 16))) == network.depth
    assert not recwarn.list


def test_a_staged_network_of_other_classes_is_refused() -> None:
    with pytest.raises(UserError, match=r"^users_nets:stubborn: .*\(5,\), .* data has 7 classes"):
        build_network("users_nets:stubborn", num_classes=7, image_shape=(3, 16, 16))


def test_without_timm_the_error_has_the_command_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(UserError, match=r"timm is not installed: .*sakd\[timm\]"):
        check_network("timm:resnet18")


def test_timm_is_asked_for_classes_channels_and_arguments(monkeypatch: pytest.MonkeyPatch) -> None:
    timm = ModuleType("timm")
    asked: dict[str, object] = {}

    def create_model(item: str, *, num_classes: int, in_chans: int, **given: object) -> nn.Module:
        asked.update(given, item=item)
        return resnet(num_classes, in_chans, depth=8, widths=(2, 2, 3, 4))

    vars(timm).update(create_model=create_model, list_models=lambda: ["tiny", "small"])
    monkeypatch.setitem(sys.modules, "timm", timm)
    network = build_network("timm:tiny.a1(drop=0.5)", num_classes=4, image_shape=(1, 8, 8))
    assert asked == {"item": "tiny.a1", "drop": 0.5}
    assert network(torch.zeros(2, 1, 8, 8)).shape == (2, 4)
    with pytest.raises(UserError, match="timm 'tinny'; did you mean 'tiny'"):
        check_network("timm:tinny")
