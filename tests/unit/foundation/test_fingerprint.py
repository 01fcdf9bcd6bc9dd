"""Changes of code that count, and modules that count."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from functools import partial, wraps
from hashlib import sha256
from pathlib import Path
from types import ModuleType

import pytest

from sakd.distillers import DISTILLERS
from sakd.foundation.fingerprint import code_of, files_of
from sakd.routing import POLICIES

Write = Callable[..., ModuleType]

FORMULA = '''"""A module."""

from fp_helper import factor


class Double:
    """A class."""

    def apply(self, x):
        return factor() * x
'''
HELPER = "def factor():\n    return 2\n"


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write a module and import it, as a new process would."""
    monkeypatch.syspath_prepend(tmp_path)

    def put(name: str, text: str) -> ModuleType:
        file = tmp_path.joinpath(*name.split(".")).with_suffix(".py")
        for parent in reversed(file.relative_to(tmp_path).parents[:-1]):
            (tmp_path / parent).mkdir(exist_ok=True)
            (tmp_path / parent / "__init__.py").touch()
        file.write_text(text)
        importlib.invalidate_caches()
        monkeypatch.delitem(sys.modules, name, raising=False)
        return importlib.import_module(name)

    return put


@pytest.mark.parametrize(
    ("text", "same"),
    [
        (FORMULA.replace("A class.", "Another docstring, at greater length."), True),
        (FORMULA.replace("        return", "        # a comment\n\n        return"), True),
        (FORMULA.replace("factor() * x", "(factor()  *  x)"), True),
        (FORMULA.replace("factor() * x", "factor() * x + 0"), False),
        (FORMULA.replace("factor() * x", "x * factor()"), False),
        (FORMULA + "\nOTHER = 0\n", False),
        (FORMULA + "\nOTHER = None\n", False),
    ],
)
def test_the_syntax_tree_counts_and_remarks_do_not(write: Write, text: str, same: bool) -> None:
    write("fp_helper", HELPER)
    before = code_of(write("fp_one", FORMULA).Double)
    after = code_of(write("fp_one", text).Double)
    assert (after == before) is same


@pytest.mark.parametrize("value", ["0", "''", "False", "None", "()"])
def test_empty_values_have_different_hashes(write: Write, value: str) -> None:
    others = {"0", "''", "False", "None", "()"} - {value}
    here = code_of(write("fp_value", f"X = {value}\n"))
    assert all(code_of(write("fp_value", f"X = {other}\n")) != here for other in others)


def test_modules_of_the_same_package_count_however_they_are_imported(write: Write) -> None:
    write("fp_pack.deep.helper", HELPER)
    write("fp_pack.passing", "from fp_pack.deep.helper import factor\n")
    for line in ("from .deep.helper import factor", "from fp_pack.passing import factor"):
        user = write("fp_pack.user", f"{line}\n\ndef f():\n    return factor()\n")
        assert "fp_pack.deep.helper" in code_of(user.f)
        assert files_of(user.f)[0].name == "helper.py"


def test_the_hash_of_a_module_lasts(write: Write) -> None:
    module = write("fp_lasting", "X: int = 0\n\n\ndef f(a, *, b=None):\n    return a + 1\n")
    tree = (
        "Module(body=["
        "AnnAssign(target=Name(id='X',ctx=Store()),annotation=Name(id='int',ctx=Load()),"
        "value=Constant(value=0),simple=1),"
        "FunctionDef(name='f',args=arguments(args=[arg(arg='a')],kwonlyargs=[arg(arg='b')],"
        "kw_defaults=[Constant()]),"
        "body=[Return(value=BinOp(left=Name(id='a',ctx=Load()),op=Add(),right=Constant(value=1)))])"
        "])"
    )
    assert code_of(module) == {"fp_lasting": sha256(tree.encode()).hexdigest()[:16]}


def test_functions_count_through_what_wraps_them(write: Write) -> None:
    module = write("fp_wrapped", HELPER)
    wrapped = wraps(module.factor)(lambda: 3)
    nameless = wraps(module.factor, assigned=())(lambda: 3)
    for thing in (partial(partial(module.factor)), wrapped, nameless, module):
        assert list(code_of(thing)) == ["fp_wrapped"]


def test_an_instance_counts_by_its_class(write: Write) -> None:
    kind = write("fp_instance", "class Kind: ...\n").Kind
    assert list(code_of(kind())) == ["fp_instance"]


def test_imports_for_type_checkers_do_not_count(write: Write) -> None:
    write("fp_typed.types", HELPER)
    text = "from typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    import fp_typed.types\n"
    assert list(code_of(write("fp_typed.checked", text))) == ["fp_typed.checked"]


def test_imports_of_whole_modules_and_from_parents_count(write: Write) -> None:
    write("fp_far.deep.helper", HELPER)
    for line in ("import fp_far.deep.helper", "from ..deep import helper"):
        user = write("fp_far.other.user", f"{line}\n")
        assert "fp_far.deep.helper" in code_of(user), line


def test_relative_imports_of_a_package_count(write: Write, tmp_path: Path) -> None:
    write("fp_whole.helper", HELPER)
    (tmp_path / "fp_whole" / "__init__.py").write_text("from .helper import factor\n")
    assert list(code_of(sys.modules["fp_whole"])) == ["fp_whole", "fp_whole.helper"]


def test_every_name_of_an_import_counts_but_for_the_items_of_tables(write: Write) -> None:
    write("fp_many.one", "ONE = 1\n")
    write("fp_many.two", HELPER)
    write("fp_many.item", "def item(): ...\n")
    table = (
        "from fp_many.item import item\n"
        "from fp_many.two import factor\n"
        "from sakd.foundation.tables import Table\n"
        "TABLE = Table('kind', {'item': item})\n"
    )
    write("fp_many.table", table)
    user = write("fp_many.both", "from fp_many import one, two\n")
    assert list(code_of(user)) == ["fp_many.both", "fp_many.one", "fp_many.two"]
    user = write("fp_many.user", "from fp_many.table import TABLE, factor\n")
    assert list(code_of(user)) == ["fp_many.two", "fp_many.user"]


def test_a_module_that_was_not_imported_yet_does_not_count(write: Write) -> None:
    later = "def f():\n    import fp_later.there\n    import fp_later.absent\n"
    write("fp_later.there", HELPER)
    assert list(code_of(write("fp_later.user", later))) == ["fp_later.there", "fp_later.user"]


def test_a_module_without_a_file_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("fp_typed_in")
    monkeypatch.setitem(sys.modules, "fp_typed_in", module)
    assert code_of(module) == {"fp_typed_in": "unknown"}
    assert files_of(module) == ()


def test_an_empty_module_is_known(write: Write) -> None:
    assert code_of(write("fp_empty", "")) == {"fp_empty": sha256(b"Module()").hexdigest()[:16]}


def test_bases_count_and_libraries_do_not(write: Write) -> None:
    text = (
        "from collections import UserDict\n"
        "from torch import nn\n\n"
        "class Names(UserDict): ...\n"
        "class Base(nn.Module): ...\n"
    )
    base = write("fp_base", text)
    assert list(code_of(base.Names)) == ["fp_base"]
    kind = write("fp_kind", "from fp_base import Base\n\nclass Kind(Base): ...\n").Kind
    assert base.Base in kind.__mro__
    assert list(code_of(kind)) == ["fp_base", "fp_kind"]


def test_an_edit_during_the_run_does_not_count(write: Write, tmp_path: Path) -> None:
    module = write("fp_edited", HELPER)
    before = code_of(module.factor)
    (tmp_path / "fp_edited.py").write_text(HELPER.replace("2", "3"))
    assert code_of(module.factor) == before


def test_a_class_counts_with_the_modules_it_uses_and_not_with_the_whole_table() -> None:
    modules = code_of(DISTILLERS["crd"], POLICIES["anti"])
    used = {"distillers.crd", "distillers.base", "distillers.parts.memory", "routing.adaptive"}
    assert {f"sakd.{name}" for name in used} <= modules.keys()
    assert not {"sakd.distillers.rkd", "sakd.routing.random"} & modules.keys()
    assert "sakd.foundation.errors" not in modules


def test_every_item_of_a_table_has_code_of_its_own() -> None:
    hashes = [tuple(code_of(kind).items()) for kind in DISTILLERS.values()]
    assert len(set(hashes)) == len(hashes)
