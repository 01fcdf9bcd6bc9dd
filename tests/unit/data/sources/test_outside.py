"""A dataset of another package is named by its class, and its code is part of the key."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from sakd.data import preparation_key
from sakd.data.parameters import DataParameters
from sakd.foundation.errors import UserError

CODE = '''
from dataclasses import dataclass
from typing import ClassVar

import torch

from sakd.data import Dataset, ImageSet, RawData
from sakd.data.sources.folder import Folder

# A comment.

@dataclass(frozen=True)
class Stripes(Dataset):
    """Pictures of one grey level each."""

    name: ClassVar[str] = "stripes"
    sources: ClassVar[tuple[str, ...]] = ("drawn",)

    count: int = 8

    def check(self):
        pass

    def files(self):
        return ()

    def read(self):
        levels = torch.arange(2 * self.count, dtype=torch.uint8)
        images = levels.view(-1, 1, 1, 1).repeat(1, 1, 4, 4)
        return RawData(ImageSet(images, levels.long() % 2), None, ("even", "odd"), "drawn")


class Pets(Folder):
    """Called as its base is."""


class Nameless(Stripes):
    """Without a name."""

    name = ""


def function():
    pass
'''


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], str]]:
    """Write a module with that code, and give its name."""
    monkeypatch.syspath_prepend(str(tmp_path))
    names = []

    def make(code: str) -> str:
        name = f"a_package_{tmp_path.name}_{len(names)}"
        (tmp_path / f"{name}.py").write_text(code)
        names.append(name)
        return name

    yield make
    for name in names:
        sys.modules.pop(name, None)


def key(parameters: DataParameters) -> str:
    return preparation_key(parameters.dataset().fingerprint(), parameters.splitting())


def test_it_is_opened_by_its_class_with_its_options(write) -> None:
    named = f"{write(CODE)}:Stripes"
    parameters = DataParameters(name=named, options={"count": 5}, classes=("odd", "even"))
    assert parameters.slug == "stripes"
    raw = parameters.dataset().load()
    assert len(raw.train) == 10
    assert raw.train.labels.tolist() == [1, 0] * 5
    one, other = (DataParameters(name=named, path=Path(place)) for place in ("one", "other"))
    assert len({one.slug, other.slug, parameters.slug}) == 3
    with pytest.raises(UserError, match=r"options.size; leave it out; its options: count"):
        DataParameters(name=named, options={"size": 8}).dataset()


def test_its_code_is_part_of_the_key_and_the_projects_own_is_not(
    write, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = f"{write(CODE)}:Stripes"
    seen = []

    def code_of(kind: type) -> dict[str, str]:
        assert kind.__name__ == "Stripes"
        return seen[-1]

    monkeypatch.setattr("sakd.data.sources.base.code_of", code_of)
    keys = []
    for code in ({"p": "1"}, {"p": "2"}, {"p": "2", "sakd.data": "3"}):
        seen.append(code)
        keys.append(key(DataParameters(name=named)))
    assert keys[0] != keys[1]
    assert keys[1] == keys[2]


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ("Stripe", "has no 'Stripe'|unknown"),
        ("function", "function is no dataset: name a class derived from sakd"),
        (
            "Pets",
            "Pets is called 'folder', as a dataset of this project; give it a name of its own",
        ),
        ("Nameless", "Nameless lacks the class attribute name or sources; give it"),
    ],
)
def test_names_of_other_things_are_refused_in_one_line(write, item: str, message: str) -> None:
    with pytest.raises(UserError, match=message) as error:
        DataParameters(name=f"{write(CODE)}:{item}").dataset()
    assert "\n" not in str(error.value)
