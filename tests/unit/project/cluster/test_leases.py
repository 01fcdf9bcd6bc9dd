"""Leases: one holder at a time, and none for ever."""

from __future__ import annotations

import time
from collections.abc import Callable
from threading import Event

import pytest

from sakd.foundation.locks import ClaimedError
from sakd.project.cluster import leases
from sakd.project.cluster.leases import LASTS, Lease, held
from sakd.project.cluster.shelf import opened

BRIEF = 0.1
"""Seconds that a lease lasts that is to be over."""
OVER = 1.2
"""Seconds after which it is: the clock of S3 counts whole ones."""
PATIENCE = 60


@pytest.fixture
def lease(url: str) -> Callable[..., Lease]:
    files, place = opened(url)

    def make(lasts: float = LASTS) -> Lease:
        return Lease(files, f"{place}/row/cell.lease", "training a cell", lasts=lasts)

    return make


@pytest.fixture
def _busy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have leases renewed every few hundredths of a second."""
    monkeypatch.setattr(leases, "RENEWALS", 20 * LASTS)


def test_a_lease_has_one_holder_until_it_is_given_back(lease: Callable[..., Lease]) -> None:
    first, second = lease(), lease()
    first.take()
    with pytest.raises(ClaimedError, match="another run is training a cell"):
        second.take()
    first.give_back()
    second.take()
    with pytest.raises(ClaimedError):
        first.take()


def test_a_lease_that_nobody_renews_is_over_and_its_holder_finds_out(
    lease: Callable[..., Lease],
) -> None:
    first, second = lease(), lease(BRIEF)
    first.take()
    time.sleep(OVER)
    second.take()
    with pytest.raises(ClaimedError):
        first.renew()
    second.renew()


@pytest.mark.usefixtures("_busy")
def test_a_lease_that_is_held_is_renewed_and_what_belongs_to_it_kept(
    lease: Callable[..., Lease],
) -> None:
    one, beats, kept, twice = lease(), list[bytes](), list[int](), Event()

    def beat() -> None:
        beats.append(one.files.cat_file(one._own))
        if len(beats) > 1 and len(kept) > 1:
            twice.set()

    with held(one, lambda: kept.append(0), beat):
        assert twice.wait(PATIENCE)
        with pytest.raises(ClaimedError):
            lease().take()
    assert len({*beats[:2]}) == 2
    lease().take()


@pytest.mark.usefixtures("_busy")
def test_a_lease_is_renewed_however_long_it_takes_to_keep_things(
    lease: Callable[..., Lease],
) -> None:
    keeps, beats, renewed = Event(), list[int](), Event()

    def keep() -> None:
        keeps.set()
        assert renewed.wait(PATIENCE)

    def beat() -> None:
        if keeps.is_set():
            beats.append(0)
        if len(beats) > 1:
            renewed.set()

    with held(lease(), keep, beat):
        assert keeps.wait(PATIENCE)
        assert renewed.wait(PATIENCE)


@pytest.mark.usefixtures("_busy")
def test_who_has_lost_a_lease_keeps_nothing(
    lease: Callable[..., Lease], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[int] = []
    first = lease()
    claim = held(first, lambda: kept.append(0))
    with monkeypatch.context() as patch:
        for name in ("renew", "check"):  # the store is out of reach
            patch.setattr(first, name, lambda: 1 / 0)
        claim.__enter__()
        time.sleep(OVER)
        lease(BRIEF).take()
    with pytest.raises(ClaimedError):
        claim.__exit__(None, None, None)
    assert kept == []


def test_an_error_gives_the_lease_back(lease: Callable[..., Lease]) -> None:
    with pytest.raises(ValueError, match="a bug"), held(lease(), lambda: None):
        raise ValueError("a bug")
    lease().take()


def test_of_two_that_take_the_same_number_one_gets_it(
    lease: Callable[..., Lease], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = lease(), lease()
    first.take()
    monkeypatch.setattr(second, "_all", list)  # it has looked before the other took it
    with pytest.raises(ClaimedError):
        second.take()
    first.renew()


def test_whoever_waits_gets_the_lease_of_somebody_who_died(lease: Callable[..., Lease]) -> None:
    lease().take()
    with pytest.raises(ClaimedError), held(lease(), lambda: None):
        pass
    with held(lease(BRIEF), lambda: None, wait=True):
        pass
