"""Signals wait for the end of work that must not be torn, and then do what they would have done."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from threading import Event, Thread
from types import FrameType

import pytest

from sakd.foundation.signals import ENDING, orderly, postponed

Handled = list[int]


@pytest.fixture
def handled() -> Iterator[Handled]:
    """Handle every signal by noting it."""
    found: Handled = []

    def note(number: int, _frame: FrameType | None) -> None:
        found.append(number)

    before = {number: signal.signal(number, note) for number in ENDING}
    yield found
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", ENDING, ids=lambda number: number.name)
def test_a_signal_waits_for_the_end_of_all_work_and_has_its_own_effect(
    number: signal.Signals, handled: Handled
) -> None:
    with orderly():
        with postponed():
            with postponed():
                os.kill(os.getpid(), number)
                os.kill(os.getpid(), signal.SIGINT)
            assert not handled
        assert handled == [number], "the first alone counts"
        with postponed():
            pass
        os.kill(os.getpid(), number)
    os.kill(os.getpid(), number)
    assert handled == [number] * 3


def test_ctrl_c_interrupts_after_the_work_and_the_handlers_are_put_back(handled: Handled) -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)
    done: list[int] = []

    def work() -> None:
        with orderly(), postponed():
            os.kill(os.getpid(), signal.SIGINT)
            done.append(1)

    with pytest.raises(KeyboardInterrupt):
        work()
    assert done
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    os.kill(os.getpid(), signal.SIGHUP)
    assert handled == [signal.SIGHUP]


def test_what_is_ignored_stays_ignored(handled: Handled) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with orderly(), postponed():
        os.kill(os.getpid(), signal.SIGINT)
    assert not handled


def test_work_that_fails_holds_nothing_back_afterwards(handled: Handled) -> None:
    with orderly():
        with pytest.raises(ValueError, match="torn"), postponed():
            raise ValueError("torn")
        os.kill(os.getpid(), signal.SIGHUP)
        assert handled == [signal.SIGHUP]


def test_other_threads_hold_nothing_back(handled: Handled) -> None:
    def work() -> None:
        with orderly(), postponed():
            os.kill(os.getpid(), signal.SIGHUP)
            begun.set()
            ended.wait(60)

    begun, ended = Event(), Event()
    thread = Thread(target=work)
    thread.start()
    try:
        assert begun.wait(60)
        assert handled == [signal.SIGHUP]
    finally:
        ended.set()
        thread.join()
