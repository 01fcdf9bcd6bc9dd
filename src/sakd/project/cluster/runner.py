"""A Kedro runner that trains on the machines of a Ray cluster."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from typing import Any

from kedro.framework.hooks.manager import _NullPluginManager
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from kedro.runner import AbstractRunner, SequentialRunner
from pluggy import PluginManager

from sakd.project.cluster.connection import LOCAL, connected, machines, near
from sakd.project.cluster.dispatch import Dispatch
from sakd.project.cluster.journal import Journal
from sakd.project.cluster.mark import marked
from sakd.project.cluster.request import GPU, Machine, Request
from sakd.project.cluster.worker import Terms, train
from sakd.project.hooks import TRAINING
from sakd.project.parameters import active_parameters

RETRIES = 3
"""How often a row is started again whose process was killed; it goes on from its checkpoints."""

Catalog = CatalogProtocol[str, Any]


class RayRunner(AbstractRunner):
    """Trains teachers and rows as tasks of a Ray cluster, and does the rest here.

    Every machine must see the folder of data under the same path. Results are those of a run on one
    machine: on CPUs of one kind the same bits.
    """

    def __init__(
        self,
        is_async: bool = False,
        address: str = LOCAL,
        cpus: float = 1.0,
        gpus: float | None = None,
    ) -> None:
        """Prepare to train on the cluster at ``address``.

        Args:
            is_async: Kedro's; only for what is done here.
            address: ``local`` for this machine alone, ``auto`` for the cluster that it is part of,
                or HOST:PORT of its head.
            cpus: The processors of a row, see `Request`.
            gpus: Its GPUs; None for one where ``device`` is not ``cpu`` and a machine has one.
        """
        super().__init__(is_async=is_async)
        self.address, self.cpus, self.gpus = address, cpus, gpus

    def _run(
        self,
        pipeline: Pipeline,
        catalog: Catalog,
        hook_manager: PluginManager | None = None,
        run_id: str | None = None,
    ) -> None:
        """Prepare here, train on the cluster, and evaluate and report here.

        Raises:
            UserError: Ray is not installed, there is no cluster, no machine of it can do what is
                asked, or trainings have failed.
        """
        hooks: Any = hook_manager or _NullPluginManager()
        trained = pipeline.only_nodes_with_tags(*TRAINING)
        names = [node.name for node in trained.nodes]
        needed = pipeline.to_nodes(*names) if names else trained
        with connected(self.address) as ray:
            request = self._request(machines(ray))
            request.check(machines(ray))
            self._here(needed - trained, catalog, hooks, run_id)
            if names:
                self._there(ray, request, trained, (catalog, hooks, run_id))
        self._here(pipeline - needed, catalog, hooks, run_id)

    def _request(self, found: Sequence[Machine]) -> Request:
        """Ask for a GPU where none is spoken of, a machine has one, and it may be used."""
        if self.gpus is not None:
            return Request(self.cpus, self.gpus)
        wanted = active_parameters().device != "cpu" and any(one.get(GPU) for one in found)
        return Request(self.cpus, 1.0 if wanted else 0.0)

    @staticmethod
    def _here(part: Pipeline, catalog: Catalog, hooks: PluginManager, run_id: str | None) -> None:
        if part.nodes:
            SequentialRunner().run(part, catalog, hook_manager=hooks, run_id=run_id)

    @staticmethod
    def _there(
        ray: Any,  # noqa: ANN401 - the module
        request: Request,
        trained: Pipeline,
        run: tuple[Catalog, PluginManager, str | None],
    ) -> None:
        """Train on the machines of the cluster."""
        catalog = run[0]
        journal = near(ray, ray.remote(num_cpus=0)(Journal)).remote()
        asked = {"num_cpus": request.cpus, "num_gpus": request.gpus, "max_retries": RETRIES}
        task = ray.remote(**asked)(train)
        with marked(catalog.load(f"{active_parameters().data.slug}-cells")) as mark:
            terms = ray.put(Terms(journal, request.gpus, mark))

            def start(node: Node) -> Any:  # noqa: ANN401 - a reference
                inputs = {name: catalog.get(name) for name in node.inputs}
                return task.options(name=node.name).remote(node, inputs, terms)

            Dispatch(ray, start, journal, *run).run(trained)

    def _get_executor(self, max_workers: int) -> Executor | None:
        return None
