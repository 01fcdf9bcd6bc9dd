"""Mutants in the running process: changed code in the functions that are loaded already."""

from __future__ import annotations

import ast
import gc
import inspect
import sys
from collections.abc import Iterator
from dataclasses import is_dataclass
from pathlib import Path
from types import CodeType, FunctionType, ModuleType
from typing import Any

from mutants.making import Mutant, mutants_of

Name = tuple[str, str, int]
"""File, qualified name and first line of a function's code."""


class Target:
    """A module that is loaded, with its mutants.

    Attributes:
        module: The module.
        file: Its file, as its code has it.
        mutants: All of them.
    """

    def __init__(self, name: str) -> None:
        self.module = sys.modules[name]
        self.file = str(self.module.__file__)
        self.tree = ast.parse(Path(self.file).read_text(encoding="utf-8"))
        self.mutants = tuple(mutants_of(name, self.tree))

    def name_of(self, mutant: Mutant) -> Name | None:
        """Find the function that a mutant changes; None where it changes a value."""
        if not isinstance(mutant.owner, ast.FunctionDef):
            return None
        lines = [mutant.owner.lineno, *(each.lineno for each in mutant.owner.decorator_list)]
        return self.file, mutant.key.function.partition("(")[0], min(lines)

    def apply(self, mutant: Mutant, functions: dict[Name, list[FunctionType]]) -> None:
        """Change the functions or values of this process, for good."""
        mutant.place.put(mutant.new)
        ast.fix_missing_locations(self.tree)
        name = self.name_of(mutant)
        if name is None:
            self._assign(mutant)
        elif mutant.argument:
            for function in functions[name]:
                value = self._value(mutant.place, function.__globals__)
                set_default(function, mutant.argument, value)
        else:
            new = self._code(name)
            if len(new.co_freevars) < len(functions[name][0].__code__.co_freevars):
                # Without `super()`, it would not have the class at hand, as the loaded one has.
                mutant.owner.body.append(ast.Expr(ast.Name("__class__", ast.Load())))
                new = self._code(name)
            for function in functions[name]:
                function.__code__ = new

    def _code(self, name: Name) -> CodeType:
        tree = ast.fix_missing_locations(self.tree)
        code = compile(tree, self.file, "exec", dont_inherit=True)
        (new,) = (each for each in codes(code) if name_of(each) == name)
        return new

    def _value(self, place: Any, scope: dict[str, Any]) -> Any:
        found = getattr(place.parent, place.field)
        return evaluated(found if place.index is None else found[place.index], scope)

    def _assign(self, mutant: Mutant) -> None:
        owner: Any = self.module
        for part in filter(None, mutant.key.function.split(".")):
            owner = getattr(owner, part)
        line: Any = mutant.owner
        (target,) = line.targets if isinstance(line, ast.Assign) else (line.target,)
        value = evaluated(line.value, vars(self.module))
        if isinstance(target, ast.Name):
            self._set(owner, target.id, value)
            return
        for each, part in zip(target.elts, value, strict=True):
            self._set(owner, each.id, part)

    def _set(self, owner: Any, name: str, value: object) -> None:
        old = getattr(owner, name)
        for holder in holders(name, old) if owner is self.module else (owner,):
            setattr(holder, name, value)
        if isinstance(owner, type) and is_dataclass(owner):
            set_default(owner.__init__, name, value)


def evaluated(node: ast.expr, scope: dict[str, Any]) -> Any:
    """Work out an expression of the module."""
    expression = ast.fix_missing_locations(ast.Expression(node))
    return eval(compile(expression, "<mutant>", "eval"), dict(scope))


def holders(name: str, value: object) -> Iterator[ModuleType]:
    """Yield the modules that have the ``value`` by that name."""
    for module in list(sys.modules.values()):
        if vars(module).get(name) is value:
            yield module


def set_default(function: Any, argument: str, value: object) -> None:
    """Change the default of an argument."""
    parameters = inspect.signature(function, follow_wrapped=False).parameters
    if parameters[argument].kind is inspect.Parameter.KEYWORD_ONLY:
        function.__kwdefaults__ = {**function.__kwdefaults__, argument: value}
        return
    usual = [
        each.name
        for each in parameters.values()
        if each.default is not each.empty and each.kind is not each.KEYWORD_ONLY
    ]
    values = dict(zip(usual, function.__defaults__, strict=True))
    function.__defaults__ = tuple({**values, argument: value}.values())


def codes(code: CodeType) -> Iterator[CodeType]:
    """Yield the code of all functions and classes in ``code``."""
    for part in code.co_consts:
        if isinstance(part, CodeType):
            yield part
            yield from codes(part)


def name_of(code: CodeType) -> Name:
    """Name a piece of code."""
    return code.co_filename, code.co_qualname, code.co_firstlineno


def functions_of(files: set[str]) -> dict[Name, list[FunctionType]]:
    """Find the functions whose code is of these ``files``, by their names."""
    found: dict[Name, list[FunctionType]] = {}
    for thing in gc.get_objects():
        if type(thing) is FunctionType and thing.__code__.co_filename in files:
            found.setdefault(name_of(thing.__code__), []).append(thing)
    return found
