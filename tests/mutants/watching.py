"""What every test reaches, and how long it takes."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any, NamedTuple

import pytest

from mutants.applying import Name, name_of


class Reached(NamedTuple):
    """What a test has reached without a mutant, and the processor time that it took."""

    seconds: float
    names: set[Name]


class Test(NamedTuple):
    """A test, the processor time that it takes, and what it reaches: file, name, line."""

    item: pytest.Item
    seconds: float
    names: list[list[Any]]

    def reaches(self, name: Name | None, file: str) -> bool:
        """Tell whether it calls a function; with None, any of that file."""
        if name is None:
            return any(each[0] == file for each in self.names)
        return list(name) in self.names


class Watch:
    """Pytest's plugin: notes what each test reaches."""

    def __init__(self, files: set[str]) -> None:
        self.files = files
        self.reached: dict[str, Reached] = {}
        self.failed: list[str] = []
        self._names: set[Name] = set()
        self._shared: dict[str, set[Name]] = {}

    def _called(self, frame: FrameType, event: str, _argument: object) -> None:
        if frame.f_code.co_filename in self.files:
            self._names.add(name_of(frame.f_code))

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Iterator[None]:
        self._names, start = set(), time.process_time()
        sys.settrace(self._called)
        result = yield
        sys.settrace(None)
        used = set().union(*(self._shared.get(each, ()) for each in item.fixturenames))
        self.reached[item.nodeid] = Reached(time.process_time() - start, self._names | used)
        return result

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(self, fixturedef: Any) -> Iterator[None]:
        """What a fixture of many tests reaches is reached by all that use it."""
        before, self._names = self._names, set()
        result = yield
        if fixturedef.scope != "function":
            self._shared.setdefault(fixturedef.argname, set()).update(self._names)
        self._names |= before
        return result

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed.append(report.nodeid)
