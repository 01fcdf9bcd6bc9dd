"""Models from elsewhere, to be asked about pictures: damaged, hostile and foreign cards."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bad_input.case import Case, command, nothing
from bad_input.pictures import png
from bad_input.tensors import header, tensor
from bad_input.weights import half, of, written
from sakd.data import DataCard
from sakd.data.pictures.form import Form, Tones
from sakd.data.pictures.preprocessing import preprocessing
from sakd.foundation.sealing import read_sealed, write_sealed
from sakd.weights.saved import Weights, save_weights

NETWORK = "resnet8"
FILE, CARD = "model.safetensors", "model.json"
EXPORT = "export it again"
DAMAGED = r"model.json is damaged \("
Entries = dict[str, Any]


def data(**changes: Any) -> Entries:
    """Describe colour pictures of two classes."""
    form = Form(channels=3, height=8, width=8, resized=True, tones=Tones())
    mean, std = (0.5,) * 3, (0.25,) * 3
    card = DataCard(
        name="pets",
        classes=("ant", "bee"),
        channels=3,
        height=8,
        width=8,
        mean=mean,
        std=std,
        counts={"train": (4, 4), "val": (2, 2), "test": (2, 2)},
        source="image folder",
        key="ee",
        sha256="ff",
        preprocessing=tuple(preprocessing(form, mean, std)),
    )
    return card.to_json() | changes


def model(here: Path, **entries: Any) -> Path:
    """Save a fresh network as one that is exported, and a picture."""
    folder = here / "model"
    folder.mkdir()
    weights = Weights(
        of(NETWORK, classes=2, channels=3), {"network": NETWORK, "data": data()} | entries
    )
    save_weights(weights, folder / FILE)
    (here / "good.png").write_bytes(png())
    return folder


def changed(change: Callable[[Path], object]) -> Callable[[Path], None]:
    def make(here: Path) -> None:
        change(model(here))

    return make


def edited(**entries: Any) -> Callable[[Path], None]:
    """Change entries of the card, whose checksum follows; None removes one."""

    def edit(folder: Path) -> None:
        content = read_sealed(folder / CARD) | entries
        kept = {name: value for name, value in content.items() if value is not None}
        write_sealed(folder / CARD, kept)

    return edit


def asked(
    name: str, change: Callable[[Path], object], value: str, remedy: str, words: str = ""
) -> Case:
    """Give a case of a model that is asked about a picture."""
    given = f"predict {{here}}/model {{here}}/good.png {words}"
    return command(name, given, value, remedy, make=changed(change))


def named(name: str, network: str) -> Case:
    """Give a case of a card that names code or weights from elsewhere."""
    return asked(
        name,
        edited(network=network),
        f"model.safetensors is of the network .*{network[:4]}",
        "if you trust it, name it too",
    )


def described(name: str, value: str, **changes: Any) -> Case:
    """Give a case of a card with other entries on the data."""
    return asked(name, edited(data=data(**changes)), f"model.json: .*data card .*{value}", EXPORT)


def prepared(name: str, value: str, steps: list[Entries]) -> Case:
    """Give a case of a card with other steps of preprocessing."""
    return asked(name, edited(data=data(preprocessing=steps)), f"{DAMAGED}.*{value}", EXPORT)


def resized(side: object) -> list[Entries]:
    return [*STEPS, {"step": "resize", "height": side, "width": 8}]


def file_at(name: str) -> Callable[[Path], object]:
    return lambda folder: (folder.parent / name).touch()


def content(text: str | bytes) -> Callable[[Path], object]:
    """Write a card that is no sealed JSON."""
    written = text if isinstance(text, bytes) else text.encode()
    return lambda folder: (folder / CARD).write_bytes(written)


def flipped(name: str, place: int) -> Callable[[Path], None]:
    def flip(folder: Path) -> None:
        file = folder / name
        bits = bytearray(file.read_bytes())
        bits[place] ^= 1
        file.write_bytes(bits)

    return flip


def tensors(make: Callable[[Path], object]) -> Callable[[Path], object]:
    return lambda folder: make(folder / FILE)


def swapped(kind: Callable[[Path], object], name: str) -> Callable[[Path], None]:
    def swap(folder: Path) -> None:
        (folder / name).unlink()
        kind(folder / name)

    return swap


STEPS = data()["preprocessing"]
PLACE = "name another place, or make this one usable"

CASES = [
    asked("card-missing", lambda f: (f / CARD).unlink(), "no card at .*model.json: put", EXPORT),
    asked("card-empty", content(""), DAMAGED, EXPORT),
    asked("card-as-list", content("[1]"), f"{DAMAGED}it is no JSON object", EXPORT),
    asked("card-deep", content("[" * 100_000), f"{DAMAGED}maximum recursion", EXPORT),
    asked("card-not-utf-8", content(b'{"a": "\xff"}'), f"{DAMAGED}.*0xff", EXPORT),
    asked("card-with-a-bit-flipped", flipped(CARD, 40), DAMAGED, EXPORT),
    asked("card-without-format", content('{"network": "resnet8"}'), "format None", EXPORT),
    asked("card-of-a-later-format", edited(format=2), "card of .* is of format 2", EXPORT),
    asked("card-as-pipe", swapped(os.mkfifo, CARD), "model.json: a pipe or", PLACE),
    asked("card-as-folder", swapped(Path.mkdir, CARD), "model.json: Is a directory", PLACE),
    asked("card-of-other-tensors", edited(sha256="0" * 64), "not those of model.json", EXPORT),
    asked("card-without-network", edited(network=None), f"{DAMAGED}no 'network'", EXPORT),
    asked("card-without-data", edited(data=None), f"{DAMAGED}no 'data'", EXPORT),
    asked("card-of-a-number", edited(network=3), "unknown network '3'", "known: resnet8"),
    asked("card-of-nobody", edited(network="resnet9"), "network 'resnet9'", "did you mean"),
    asked("card-of-another", edited(network="vgg8"), "fit 'vgg8'", "name the network that they"),
    asked("name-of-another", nothing, "'resnet8', .*'vgg8'", "name the network", "--network vgg8"),
    named("card-that-names-code", "os:system"),
    named("card-that-ends-python", "sys:exit"),
    named("card-that-names-an-attribute", "os.path:join"),
    named("card-that-fetches-weights", "torchvision:resnet18(weights='DEFAULT')"),
    named("card-that-reads-a-file", "timm:resnet18(checkpoint_path='/etc/passwd')"),
    asked("card-with-codes", edited(network="res\x1b[31mnet"), r"'res\\x1b\[31mnet'", "known: res"),
    asked("card-of-ten-kilobytes", edited(network="x" * 10_000), "'xxx.*10,002 letters", "known:"),
    described("mean-as-text", "mean .* got 'x'", mean="x"),
    described("classes-as-number", "classes .* got 3", classes=3),
    described("classes-of-numbers", r"classes .* got \[1, 2\]", classes=[1, 2]),
    described("one-class-more", "counts of train", classes=["a", "b", "c"]),
    described("classes-with-codes", r"'a\\x1b\[31m'", classes=["a\x1b[31m", "b"]),
    described("classes-backwards", r"'a\\u202eb'", classes=["a\u202eb", "b"]),
    described("classes-alike", "several classes called a", classes=["a", "a"]),
    described("no-classes", "there are no classes", classes=[]),
    described("channels-below-0", "channels .* got -3", channels=-3),
    described("channels-in-words", "channels .* got 'three'", channels="three"),
    described("std-of-0", "std .* got 0", std=[0, 0, 0]),
    described("std-of-two", "std is not a number for each channel", std=[1, 1]),
    described("std-in-words", "std .* got .'a', 'b', 'c'", std=["a", "b", "c"]),
    described("counts-as-text", "counts .* got 'many'", counts="many"),
    described("entry-unknown", "missing or unknown more", more=1),
    described("preprocessing-as-text", "preprocessing .* got 'all'", preprocessing="all"),
    prepared("no-preprocessing", "no 'mode'", []),
    prepared("sides-of-a-bomb", "height=1000000,", resized(10**6)),
    prepared("sides-in-words", "height='a'", resized("a")),
    prepared("mode-of-nobody", "no 'X'", [*STEPS, {"step": "mode", "mode": "X"}]),
    prepared("share-of-0", "share=0", [*STEPS, {"step": "crop", "share": 0}]),
    asked("statistics-in-words", edited(statistics="own"), f"{DAMAGED}string indices", EXPORT),
    asked(
        "statistics-of-0",
        edited(statistics={"mean": [0], "std": [0]}),
        r"not mean \[0\], std \[0\]",
        "above 0 for every channel",
    ),
    asked("members-in-words", edited(members="all"), f"{DAMAGED}'str' object", EXPORT),
    asked("members-of-nobody", edited(members=[]), f"{DAMAGED}zip", EXPORT),
    asked("tensors-as-folder", swapped(Path.mkdir, FILE), f"{FILE}: Is a directory", PLACE),
    asked("pipe-of-tensors", swapped(os.mkfifo, FILE), f"{FILE}: a pipe or a device", PLACE),
    asked("tensors-half", tensors(half(nothing)), f"{FILE} is damaged", EXPORT),
    asked("tensors-empty", tensors(written(b"")), f"{FILE} is damaged", EXPORT),
    asked("tensors-with-a-huge-header", tensors(header({}, 2**63)), f"{FILE} is damaged", EXPORT),
    asked("tensors-of-others", tensors(header(tensor(shape=(0,), places=(0, 0)))), FILE, EXPORT),
    asked("tensors-with-a-bit-flipped", flipped(FILE, -1), f"{FILE} is damaged", EXPORT),
    command("model-of-nothing", "predict {here}/no.safetensors x.png", "/no.saf", "train again"),
    asked("answers-nowhere", file_at("x"), "/x: ", PLACE, "--output {here}/x/a.csv"),
    asked("answers-on-a-folder", nothing, "/model: ", PLACE, "--output {here}/model"),
]
