"""Branches on streams, with the calls to CUDA written down in place of a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch

from sakd.training.capture.lanes import Beside


class Cuda:
    """What `Beside` uses of `torch.cuda`.

    Attributes:
        calls: What was asked for, in words.
        present: The present stream.
    """

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.present = Stream(self, "main")

    @contextmanager
    def stream(self, stream: Stream) -> Iterator[None]:
        before, self.present = self.present, stream
        try:
            yield
        finally:
            self.present = before

    def event(self) -> Event:
        return Event(self)


class Stream:
    """A stream of `Cuda`."""

    def __init__(self, cuda: Cuda, name: str) -> None:
        self.cuda, self.name, self.device = cuda, name, None

    def wait_stream(self, other: Stream) -> None:
        self.cuda.calls.append(f"{self.name} waits for {other.name}")

    def wait_event(self, event: Event) -> None:
        self.cuda.calls.append(f"{self.name} waits for {event.name}")


class Event:
    """An event of `Cuda`."""

    def __init__(self, cuda: Cuda) -> None:
        self.cuda, self.name = cuda, "nothing"

    def record(self, stream: Stream) -> None:
        self.name = f"what {stream.name} was at after {len(self.cuda.calls)} calls"


@pytest.fixture
def cuda(monkeypatch: pytest.MonkeyPatch) -> Cuda:
    made = Cuda()
    monkeypatch.setattr(torch.cuda, "stream", made.stream)
    monkeypatch.setattr(torch.cuda, "Event", made.event)
    monkeypatch.setattr(torch.cuda, "current_stream", lambda _device: made.present)
    return made


def beside(cuda: Cuda, *names: str) -> tuple[Beside, set[Stream]]:
    forked: set[Stream] = set()
    streams = [Stream(cuda, name) for name in names]
    return Beside(streams, forked), forked  # type: ignore[arg-type]


def test_a_branch_follows_on_what_came_before_and_is_waited_for_where_it_is_read(
    cuda: Cuda,
) -> None:
    branches, forked = beside(cuda, "one")
    with branches.branch("router") as wait:
        assert cuda.present.name == "one"
    assert cuda.present.name == "main"
    assert cuda.calls == ["one waits for main"]
    wait()
    assert cuda.calls[1:] == ["main waits for what one was at after 1 calls"]
    assert [stream.name for stream in forked] == ["one"]


def test_every_name_has_a_stream_which_it_keeps(cuda: Cuda) -> None:
    branches, _ = beside(cuda, "one", "two")
    found = []
    for name in ("a", "b", "b", "a"):
        with branches.branch(name):
            found.append(cuda.present.name)
        with branches.along(name):
            found.append(cuda.present.name)
    assert found == ["one"] * 2 + ["two"] * 4 + ["one"] * 2
    assert len(cuda.calls) == 4  # to go on along a branch waits for nothing


def test_without_a_stream_left_a_branch_is_computed_in_line(cuda: Cuda) -> None:
    branches, forked = beside(cuda)
    with branches.branch("router") as wait, branches.along("router"):
        assert cuda.present.name == "main"
    wait()
    branches.join()
    assert (cuda.calls, forked) == ([], set())


def test_what_was_read_is_held_until_branches_are_joined_and_all_begins_again(cuda: Cuda) -> None:
    class Held:
        alive = 0

        def __init__(self) -> None:
            Held.alive += 1

        def __del__(self) -> None:
            Held.alive -= 1

    branches, _ = beside(cuda, "one")
    with branches.branch("router", Held()):
        pass
    assert Held.alive == 1
    branches.join()
    assert Held.alive == 0
    assert cuda.calls[-1] == "main waits for one"
    with branches.branch("another"):
        assert cuda.present.name == "one"
