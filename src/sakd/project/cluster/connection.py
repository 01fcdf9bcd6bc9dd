"""The connection of a run to a Ray cluster."""

from __future__ import annotations

import logging
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from threading import current_thread, main_thread
from typing import Any

from sakd.foundation.errors import UserError
from sakd.foundation.extras import from_extra
from sakd.project.cluster.request import Machine
from sakd.project.errors import one_line

LOCAL = "local"
"""The address of a cluster of this machine alone, which the run starts and ends."""

SECONDS = 5.0
"""How long a head may take to answer; Ray alone would wait for minutes."""


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """Connect to the cluster at ``address``, and give the module `ray`.

    A cluster of this machine alone ends with the run, and listens at the loopback address only.
    Nothing is reported to the makers of Ray.

    Raises:
        UserError: Ray is not installed, or there is no such cluster.
    """
    ray = from_extra("ray", "ray")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    more = {"include_dashboard": False} if address == LOCAL else {}
    with _signals_as_before(), _within_reach(address):
        try:
            _knock(address)
            ray.init(address, log_to_driver=False, logging_level=logging.ERROR, **more)
        except (OSError, RuntimeError, ValueError) as error:
            found = f"there is no Ray cluster at {address!r} ({one_line(error)})"
            remedy = "start one by ray start --head, or leave address out for this machine alone"
            raise UserError(f"{found}: {remedy}") from error
    try:
        yield ray
    finally:
        ray.shutdown()


@contextmanager
def _signals_as_before() -> Iterator[None]:
    """Keep how a run ends when it is asked to: Ray would end it otherwise."""
    before = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if current_thread() is main_thread():
            signal.signal(signal.SIGTERM, before)


@contextmanager
def _within_reach(address: str) -> Iterator[None]:
    """Keep a cluster of this machine alone to the loopback address.

    Ray has no option for that: it replaces 127.0.0.1 by the address of the machine in its network,
    except where it takes no other machines, as on macOS.
    """
    constants: Any = from_extra("ray", "ray._private.ray_constants")
    before = constants.ENABLE_RAY_CLUSTER
    constants.ENABLE_RAY_CLUSTER = before and address != LOCAL
    try:
        yield
    finally:
        constants.ENABLE_RAY_CLUSTER = before


def machines(ray: Any) -> list[Machine]:  # noqa: ANN401 - the module
    """List the resources of the machines of the cluster."""
    return [node["Resources"] for node in ray.nodes() if node["Alive"]]


def _knock(address: str) -> None:
    """Look whether somebody listens at HOST:PORT.

    Raises:
        OSError: Nobody does.
    """
    host, _, port = address.rpartition(":")
    if port.isdecimal() and "/" not in host:
        with socket.create_connection((host, int(port)), SECONDS):
            pass


def near(ray: Any, actor: Any) -> Any:  # noqa: ANN401 - Ray's
    """Have an ``actor`` run on this machine."""
    here = ray.get_runtime_context().get_node_id()
    affinity = from_extra("ray", "ray.util.scheduling_strategies").NodeAffinitySchedulingStrategy
    return actor.options(scheduling_strategy=affinity(here, soft=False))
