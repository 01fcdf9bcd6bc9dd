"""The tool that changes the code: its mutants by hand, their names, and how they come alive."""

from __future__ import annotations

import ast
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import pytest

from mutants.__main__ import read_explained, report
from mutants.applying import Target, functions_of
from mutants.forks import in_fork
from mutants.making import Key, mutants_of
from mutants.running import sample

SOURCE = '''
"""A module."""

LIMIT, MORE = 3, 0.5


class Thing:
    """A class."""

    weight = 2.0

    def share(self, values: list[float], *, least: int = 1) -> float:
        """Share."""
        if len(values) < LIMIT and least:
            raise ValueError(f"{len(values) + 1}")
        return max(values) - self.weight
'''


def afters(source: str) -> list[str]:
    return [mutant.key.after for mutant in mutants_of("m", ast.parse(source))]


def test_the_mutants_of_a_module_by_hand() -> None:
    assert afters(SOURCE) == [
        "LIMIT, MORE = (4, 0.5)",
        "LIMIT, MORE = (3, 1.0)",
        "weight = 4.0",
        "2",
        "0",
        "if not (len(values) < LIMIT and least):",
        "if len(values) < LIMIT or least:",
        "if len(values) <= LIMIT and least:",
        "return None",
        "return max(values) + self.weight",
        "return min(values) - self.weight",
    ]


@pytest.mark.parametrize(
    ("line", "after"),
    [
        ("return x.detach().mean(dim=1)", ["None", "x.mean(dim=1)", "x.detach().sum(dim=1)"]),
        ("return [y for y in x if y is not None]", ["[y for y in x]", "if y is None]"]),
        ("return sorted(x)", ["return x"]),
        ("return x[:-1]", ["x[:1]", "x[:-2]", "x[:-0]"]),
        ("x.append(1)", ["pass", "x.append(2)", "x.append(0)"]),
        ("x += 1", ["x -= 1", "x = 1"]),
        ("return not x", ["return x"]),
        ("return f(x, strict=True)", ["return None"]),
        ("logger.info('%d', x + 1)", []),
        ("return 'a' + x", ["return None"]),
    ],
)
def test_changes_of_a_line(line: str, after: list[str]) -> None:
    made = afters(f"def f(x):\n    {line}\n")
    assert all(any(text.endswith(each) for text in made) for each in after), made
    assert bool(made) == bool(after)


def test_moved_lines_do_not_rename_mutants_and_leave_the_sample_as_it_was() -> None:
    before = list(mutants_of("m", ast.parse(SOURCE)))
    moved = SOURCE.replace("\nclass", "\n\n# A remark.\nOTHER = None\n\n\nclass")
    after = list(mutants_of("m", ast.parse(moved)))
    assert [mutant.key for mutant in before] == [mutant.key for mutant in after]
    chosen, again = (sample(4, 1)(each) for each in (before, after[::-1]))
    assert len(chosen) == 4
    assert {mutant.key for mutant in chosen} == {mutant.key for mutant in again}


def loaded(folder: Path, name: str) -> ModuleType:
    path = folder / f"{name}.py"
    path.write_text(SOURCE)
    spec = spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("after", "values", "expected"),
    [
        (None, [1.0, 2.0, 6.0], 4.0),
        ("LIMIT, MORE = (4, 0.5)", [1.0, 2.0, 6.0], "ValueError"),
        ("weight = 4.0", [1.0, 2.0, 6.0], 2.0),
        ("0", [1.0], -1.0),
        ("return min(values) - self.weight", [1.0, 2.0, 6.0], -1.0),
    ],
)
def test_a_mutant_is_alive_in_what_was_loaded_before(
    after: str | None, values: list[float], expected: object, tmp_path: Path
) -> None:
    module = loaded(tmp_path, "changed_by_a_test")
    thing = module.Thing()
    target = Target(module.__name__)
    for mutant in target.mutants:
        if mutant.key.after == after:
            target.apply(mutant, functions_of({target.file}))
    try:
        found = thing.share(values)
    except ValueError as error:
        found = type(error).__name__
    del sys.modules[module.__name__]
    assert found == expected


def test_a_fork_says_how_it_ended() -> None:
    assert in_fork(lambda: None, limit=60) == "survived"
    assert in_fork(sys.exit, limit=60) == "killed"


def test_a_survivor_that_is_not_explained_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    key, other = (Key("m", "f", "x + 1", after) for after in ("x - 1", "x + 2"))
    found = {key: "survived", other: "killed"}
    assert not report("keys", found, {})
    assert "x - 1" in capsys.readouterr().out
    assert report("keys", found, {key: "It is the same."})
    assert "2 mutants, 1 killed, 1 survive and are explained" in capsys.readouterr().out


def test_every_explanation_says_something() -> None:
    assert all(len(reason.split()) > 1 for reason in read_explained().values())
