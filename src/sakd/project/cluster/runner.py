"""A Kedro runner that trains on the machines of a Ray cluster."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Executor
from contextlib import nullcontext
from typing import Any

from kedro.framework.hooks.manager import _NullPluginManager
from kedro.io import CatalogProtocol
from kedro.pipeline import Pipeline
from kedro.pipeline.node import Node
from kedro.runner import AbstractRunner, SequentialRunner
from pluggy import PluginManager

from sakd.project.cluster.connection import LOCAL, connected, machines, near
from sakd.project.cluster.dispatch import Dispatch
from sakd.project.cluster.inputs import Sent, Shared
from sakd.project.cluster.journal import Journal
from sakd.project.cluster.mark import marked
from sakd.project.cluster.mirror import MirroredCellsDataset
from sakd.project.cluster.request import GPU, Machine, Request
from sakd.project.cluster.shelf import check_store
from sakd.project.cluster.worker import Terms, train
from sakd.project.hooks import TRAINING
from sakd.project.parameters import active_parameters

RETRIES = 3
"""How often a row is started again whose process was killed; it goes on from its checkpoints."""

Catalog = CatalogProtocol[str, Any]


class RayRunner(AbstractRunner):
    """Trains teachers and rows as tasks of a Ray cluster, and does the rest here.

    Every machine must see the folder of data under the same path, or reach a common store. Results
    are those of a run on one machine: on CPUs of one kind the same bits.
    """

    def __init__(
        self,
        is_async: bool = False,
        address: str = LOCAL,
        cpus: float = 1.0,
        gpus: float | None = None,
        store: str | None = None,
    ) -> None:
        """Prepare to train on the cluster at ``address``.

        Args:
            is_async: Kedro's; only for what is done here.
            address: ``local`` for this machine alone, ``auto`` for the cluster that it is part of,
                or HOST:PORT of its head.
            cpus: The processors of a row, see `Request`.
            gpus: Its GPUs; None for one where ``device`` is not ``cpu`` and a machine has one.
            store: Where cells are kept, such as ``s3://BUCKET/FOLDER``; None for the folder of
                data, which all machines must see then.
        """
        super().__init__(is_async=is_async)
        self.address, self.cpus, self.gpus, self.store = address, cpus, gpus, store

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
        if self.store is not None:
            _keep_in(self.store, catalog)
        needed = pipeline.to_nodes(*names) if names else trained
        with connected(self.address) as ray:
            request = self._request(machines(ray))
            request.check(machines(ray))
            self._here(needed - trained, catalog, hooks, run_id)
            if names:
                inputs = Shared(catalog) if self.store is None else Sent(catalog, ray)
                self._there(ray, request, trained, inputs, (hooks, run_id))
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

    def _there(
        self,
        ray: Any,  # noqa: ANN401 - the module
        request: Request,
        trained: Pipeline,
        inputs: Shared,
        run: tuple[PluginManager, str | None],
    ) -> None:
        """Train on the machines of the cluster."""
        lasting = {"max_restarts": -1, "max_task_retries": -1}  # without what it had not shown yet
        journal = near(ray, ray.remote(num_cpus=0, **lasting)(Journal)).remote()
        asked = {"num_cpus": request.cpus, "num_gpus": request.gpus, "max_retries": RETRIES}
        task = ray.remote(**asked)(train)
        cells = inputs.catalog.load(_cells())
        with marked(cells) if self.store is None else nullcontext() as mark:
            terms = ray.put(Terms(journal, request.gpus, mark))

            def start(node: Node) -> Any:  # noqa: ANN401 - a reference
                return task.options(name=node.name).remote(node, inputs.of(node), terms)

            Dispatch(ray, start, journal, inputs.catalog, *run).run(trained)

    def _get_executor(self, max_workers: int) -> Executor | None:
        return None


def _cells() -> str:
    """Name the dataset of the cells."""
    return f"{active_parameters().data.slug}-cells"


def _keep_in(store: str, catalog: Catalog) -> None:
    """Have the cells of a run kept in ``store``.

    Raises:
        UserError: It cannot be written.
    """
    check_store(store)
    folder: Any = catalog.get(_cells())
    url = f"{store.rstrip('/')}/{active_parameters().data.slug}"
    catalog[_cells()] = MirroredCellsDataset(url=url, filepath=str(folder.filepath))
