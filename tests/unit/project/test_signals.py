"""A run that a signal ends has the exit status of a shell, and leaves the handlers as they were."""

from __future__ import annotations

import os
import signal
import time
from multiprocessing import get_context

import pytest

from sakd.project.signals import stopped_by_signals

PATIENCE = 120
"""Seconds that a slow machine may take."""

pytestmark = pytest.mark.usefixtures("as_in_a_terminal")

STATUS = {signal.SIGINT: 130, signal.SIGTERM: 143, signal.SIGHUP: 129}


def signalled(number: signal.Signals) -> None:
    with stopped_by_signals():
        os.kill(os.getpid(), number)
        time.sleep(PATIENCE)


@pytest.mark.parametrize("number", STATUS, ids=lambda number: number.name)
def test_a_signal_ends_with_the_status_of_a_shell(
    number: signal.Signals, capsys: pytest.CaptureFixture[str]
) -> None:
    before = {each: signal.getsignal(each) for each in STATUS}
    with pytest.raises(SystemExit) as ended:
        signalled(number)
    assert ended.value.code == STATUS[number]
    assert capsys.readouterr().err == f"stopped by {number.name}\n"
    assert {each: signal.getsignal(each) for each in STATUS} == before


@pytest.mark.parametrize("number", STATUS, ids=lambda number: number.name)
def test_the_processes_of_a_run_end_with_it(number: signal.Signals) -> None:
    child = get_context("fork").Process(target=time.sleep, args=(2 * PATIENCE,))
    child.start()
    try:
        with pytest.raises(SystemExit):
            signalled(number)
        child.join(PATIENCE)
        assert child.exitcode == -signal.SIGTERM
    finally:
        child.kill()


@pytest.mark.parametrize("number", STATUS, ids=lambda number: number.name)
def test_an_ignored_signal_stays_ignored_as_under_nohup(number: signal.Signals) -> None:
    before = signal.signal(number, signal.SIG_IGN)
    try:
        with stopped_by_signals():
            os.kill(os.getpid(), number)
        assert signal.getsignal(number) is signal.SIG_IGN
    finally:
        signal.signal(number, before)


def test_without_a_signal_nothing_happens() -> None:
    before = {each: signal.getsignal(each) for each in STATUS}
    with stopped_by_signals():
        assert signal.getsignal(signal.SIGTERM) != before[signal.SIGTERM]
    assert {each: signal.getsignal(each) for each in STATUS} == before
