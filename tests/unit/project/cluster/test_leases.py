"""Leases: one holder at a time, and none for ever."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from sakd.foundation.locks import ClaimedError
from sakd.project.cluster.leases import Lease, held
from sakd.project.cluster.mirror import opened

SHORT = 1.5
"""Seconds that a lease lasts here; the clock of S3 counts whole ones."""
OVER = 2.6


@pytest.fixture
def lease(url: str) -> Callable[[], Lease]:
    files, place = opened(url)
    return lambda: Lease(files, f"{place}/row/cell.lease", "training a cell", lasts=SHORT)


def test_a_lease_has_one_holder_until_it_is_given_back(lease: Callable[[], Lease]) -> None:
    first, second = lease(), lease()
    first.take()
    with pytest.raises(ClaimedError, match="another run is training a cell"):
        second.take()
    first.give_back()
    second.take()
    with pytest.raises(ClaimedError):
        first.take()


def test_a_lease_that_nobody_renews_is_over_and_its_holder_finds_out(
    lease: Callable[[], Lease],
) -> None:
    first, second = lease(), lease()
    first.take()
    time.sleep(OVER)
    second.take()
    with pytest.raises(ClaimedError):
        first.renew()
    second.renew()


def test_a_lease_that_is_held_is_renewed_and_what_belongs_to_it_kept(
    lease: Callable[[], Lease],
) -> None:
    kept: list[bytes] = []
    one = lease()

    def keep() -> None:
        kept.append(one.files.cat_file(one._own))

    with held(one, keep):
        while len(kept) < 2:
            time.sleep(0.02)
        with pytest.raises(ClaimedError):
            lease().take()
    assert len({*kept[:2]}) == 2
    lease().take()


def test_who_has_lost_a_lease_keeps_nothing(
    lease: Callable[[], Lease], monkeypatch: pytest.MonkeyPatch
) -> None:
    kept: list[int] = []
    claim = held(lease(), lambda: kept.append(0))
    claim.__enter__()
    with monkeypatch.context() as patch:
        patch.setattr(Lease, "renew", lambda _lease: 1 / 0)  # the store is out of reach
        time.sleep(OVER)
        kept.clear()
        lease().take()
    with pytest.raises(ClaimedError):
        claim.__exit__(None, None, None)
    assert kept == []


def test_of_two_that_take_the_same_number_one_gets_it(
    lease: Callable[[], Lease], monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = lease(), lease()
    first.take()
    monkeypatch.setattr(second, "_all", list)  # it has looked before the other took it
    with pytest.raises(ClaimedError):
        second.take()
    first.renew()


def test_whoever_waits_gets_the_lease_of_somebody_who_died(lease: Callable[[], Lease]) -> None:
    lease().take()
    with pytest.raises(ClaimedError), held(lease(), lambda: None):
        pass
    with held(lease(), lambda: None, wait=True):
        pass
