"""Kedro's parallel runner, whose processes end with the run and without a word."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_all_start_methods, get_context, parent_process
from multiprocessing.context import BaseContext
from threading import Thread
from types import FrameType
from typing import ParamSpec, TypeVar

import kedro.runner
from kedro.runner.parallel_runner import ParallelRunnerManager

from sakd.foundation.signals import ENDING, handled, heeded
from sakd.project.signals import SHELL, Stopped, reason

SECONDS = 1.0
"""How often a process looks whether that which has started it is still there."""

P = ParamSpec("P")
T = TypeVar("T")


class ParallelRunner(kedro.runner.ParallelRunner):
    """Kedro's `ParallelRunner`; when it is asked to end, by a signal, so are its processes.

    One that trains finishes its step and writes checkpoints, and takes no further node. None of
    them outlives the process of the run, even where that is killed.
    """

    def __init__(self, max_workers: int | None = None, is_async: bool = False) -> None:
        """Prepare to run nodes in processes.

        Args:
            max_workers: The most processes; None for as many as there are cores.
            is_async: Whether a node loads and saves its datasets in threads.
        """
        super().__init__(max_workers, is_async)
        self._manager.shutdown()
        self._manager = ParallelRunnerManager()
        with _held_back():
            self._manager.start(_serve)

    def _get_executor(self, max_workers: int) -> Executor:
        method = os.environ.get("KEDRO_MP_CONTEXT")
        return Pool(max_workers, get_context(method if method in get_all_start_methods() else None))


class Pool(ProcessPoolExecutor):
    """Processes that end quietly on a signal: idle ones at once, others as soon as they can."""

    def __init__(self, max_workers: int, context: BaseContext | None = None) -> None:
        """Prepare to start up to ``max_workers`` processes in ``context``."""
        super().__init__(max_workers, context, initializer=_wait_for_work)

    def submit(self, work: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Have a process do ``work``."""
        with _held_back():
            return super().submit(_at_work, partial(work, *args, **kwargs))


@contextmanager
def _held_back() -> Iterator[None]:
    """Hold signals back here, and in processes that are started, until they are ready for them."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _wait_for_work() -> None:
    """Begin a process that ends on a signal without more ado, as long as it has no work."""
    _begin(signal.SIG_DFL, lambda: os.kill(os.getpid(), signal.SIGTERM))


def _serve() -> None:
    """Begin the process that holds what others share: it ends as the last one."""
    _begin(signal.SIG_IGN, lambda: os._exit(0))


def _begin(on_signal: signal.Handlers, on_death: Callable[[], None]) -> None:
    """Begin a process: choose what it does ``on_signal`` and ``on_death`` of its parent."""
    Thread(target=_watch, args=(os.getppid(), on_death), daemon=True).start()
    for number in heeded():
        signal.signal(number, on_signal)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, ENDING)


def _watch(parent: int, on_death: Callable[[], None]) -> None:
    """Wait for the death of ``parent``, or of the run if that had died before it was looked for."""
    run = parent_process()
    while os.getppid() == parent and run is not None and run.is_alive():
        time.sleep(SECONDS)
    on_death()


def _at_work(work: Callable[[], T]) -> T:
    """Do ``work`` in a process, which ends with it when it is asked to; the first signal counts."""
    asked = False

    def stop(number: int, _frame: FrameType | None) -> None:
        nonlocal asked
        if not asked:
            asked = True
            raise Stopped(number)

    try:
        with handled(stop):
            return work()
    except KeyboardInterrupt as error:  # the pool would send it to the run, and go on
        os._exit(SHELL + reason(error))
