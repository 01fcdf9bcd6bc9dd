"""The tests of an area, run once by themselves and then with every mutant, each in a fork."""

from __future__ import annotations

import gc
import importlib
import json
import os
import tempfile
from collections.abc import Callable
from functools import partial
from hashlib import sha256
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

import pytest

from mutants.applying import Target, functions_of
from mutants.forks import FAILED, NOT_APPLIED, in_fork
from mutants.making import Key, Mutant
from mutants.watching import Test, Watch

BUDGET = 30
"""Seconds of processor time that the tests of a mutant take at most without it."""

BUDGET_OF_OTHERS = 2
"""Likewise of tests that do not reach the code, where a value is changed that they may read."""

CONTROL = 30
"""Likewise of tests that are run once more without a mutant, in the order of their times."""

EXAMPLES = 5
"""Examples of each law of Hypothesis, besides those that are written down."""

SLOWER, AT_LEAST = 10, 5
"""A mutant may take so many times the processor time of its tests, and this many seconds more."""


class Outcome(NamedTuple):
    """What came of a mutant."""

    key: Key
    outcome: str


class Runner:
    """Pytest's plugin: runs the mutants in place of the tests.

    Args:
        modules: The modules that have the mutants.
        choose: Picks those to be run.
        say: Takes every outcome.
    """

    def __init__(
        self,
        modules: list[str],
        choose: Callable[[list[Mutant]], list[Mutant]],
        say: Callable[[Outcome], None],
    ) -> None:
        self.modules, self.choose, self.say = modules, choose, say
        self.broken: list[str] = []
        self.made = 0

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        for name in self.modules:
            importlib.import_module(name)
        targets = {name: Target(name) for name in self.modules}
        files = {target.file for target in targets.values()}
        functions = functions_of(files)
        fewer_examples(session.items)
        gc.collect()
        gc.freeze()
        tests = self._alone(session, files)
        every = [mutant for target in targets.values() for mutant in target.mutants]
        self.made = len(every)
        for mutant in [] if self.broken else self.choose(every):
            target = targets[mutant.key.module]
            reaching = [each for each in tests if each.reaches(target.name_of(mutant), target.file)]
            chosen = within(reaching, BUDGET)
            if mutant.is_value:
                others = [each for each in tests if each not in reaching]
                chosen += within(others, BUDGET_OF_OTHERS)
            apply = partial(target.apply, mutant, functions)
            self.say(Outcome(mutant.key, outcome_of(session, chosen, apply)))
        return True

    def _alone(self, session: pytest.Session, files: set[str]) -> list[Test]:
        """Run all tests without a mutant, in a fork."""
        with tempfile.NamedTemporaryFile("r") as found:

            def work() -> None:
                watch = Watch(files)
                session.config.pluginmanager.register(watch)
                run(session.items)
                seen = {n: [r.seconds, list(r.names)] for n, r in watch.reached.items()}
                Path(found.name).write_text(json.dumps([watch.failed, seen]), encoding="utf-8")

            outcome = in_fork(work, limit=3600)
            failed, seen = json.loads(found.read() or "[[], {}]")
        if failed or outcome != "survived":
            self.broken = failed or [f"the tests without a mutant: {outcome}"]
            return []
        tests = [Test(item, *seen[item.nodeid]) for item in session.items]
        tests.sort(key=lambda test: test.seconds)
        again = outcome_of(session, within(tests, CONTROL), lambda: None)
        if again != "survived":
            self.broken = [f"the fastest tests first, without a mutant: {again}"]
        return tests


class First:
    """Pytest's plugin: ends the process at the first failure."""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            os._exit(FAILED)


def outcome_of(session: pytest.Session, tests: list[Test], apply: Callable[[], None]) -> str:
    """Run ``tests`` with a mutant, in a fork, up to the first failure."""

    def work() -> None:
        try:
            apply()
        except Exception:
            os._exit(NOT_APPLIED)
        session.config.pluginmanager.register(First())
        run([test.item for test in tests])

    if not tests:
        return "not reached"
    return in_fork(work, SLOWER * sum(test.seconds for test in tests) + AT_LEAST)


def fewer_examples(items: list[pytest.Item]) -> None:
    """Let laws be tried on `EXAMPLES`."""
    from hypothesis import settings  # noqa: PLC0415 - pytest rewrites it, unless it comes before

    for item in items:
        law = getattr(item, "obj", None)
        usual = getattr(law, "_hypothesis_internal_use_settings", None)
        if usual is not None:
            few = settings(usual, max_examples=min(EXAMPLES, usual.max_examples))
            getattr(law, "__func__", law)._hypothesis_internal_use_settings = few


def within(tests: list[Test], seconds: float) -> list[Test]:
    """Leave out the slowest, if all would take longer."""
    ends = accumulate(test.seconds for test in tests)
    return [test for test, end in zip(tests, ends, strict=True) if end <= seconds]


def run(items: list[pytest.Item]) -> None:
    """Run tests in this order."""
    for item, following in zip(items, [*items[1:], None], strict=True):
        item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)


def sample(count: int | None, seed: int) -> Callable[[list[Mutant]], list[Mutant]]:
    """Choose ``count`` mutants, all if None; an edit elsewhere leaves the others chosen."""

    def rank(mutant: Mutant) -> str:
        return sha256(f"{seed} {mutant.key}".encode()).hexdigest()

    def choose(every: list[Mutant]) -> list[Mutant]:
        chosen = set(map(rank, sorted(every, key=rank)[:count]))
        return [mutant for mutant in every if rank(mutant) in chosen]

    return choose
