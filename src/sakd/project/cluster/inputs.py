"""The inputs of a node, as they reach the machine that trains it."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any, NoReturn, cast

from kedro.io import AbstractDataset, CatalogProtocol, MemoryDataset
from kedro.pipeline.node import Node

from sakd.project.cluster.mirror import MirroredCellsDataset
from sakd.project.datasets import SplitsDataset

Dataset = AbstractDataset[Any, Any]


class Carried(AbstractDataset[NoReturn, Any]):
    """Data that Ray carries from machine to machine."""

    def __init__(self, ray: Any, data: Any) -> None:  # noqa: ANN401 - the module, and any data
        """Hand ``data`` to ``ray``."""
        self._get, self._reference = ray.get, ray.put(data)

    def load(self) -> Any:  # noqa: ANN401
        """Fetch the data."""
        return self._get(self._reference)

    def save(self, data: NoReturn) -> NoReturn:
        """Refuse.

        Raises:
            TypeError: Always.
        """
        raise TypeError("what is carried to another machine is not written there")

    def _describe(self) -> dict[str, Any]:
        return {}


@dataclass
class Shared:
    """Inputs for machines that see the files of the run: each reads them itself.

    Attributes:
        catalog: The data of the run.
    """

    catalog: CatalogProtocol[str, Any]

    def of(self, node: Node) -> dict[str, Dataset]:
        """Give the inputs of ``node``."""
        return {name: self.give(name) for name in node.inputs}

    def give(self, name: str) -> Dataset:
        """Give one input."""
        dataset: Any = self.catalog.get(name)
        return cast("Dataset", dataset)


@dataclass
class Sent(Shared):
    """Inputs for machines that share no folder: files are read here, once, and sent there.

    Attributes:
        ray: The module.
    """

    ray: Any
    _sent: dict[str, Dataset] = field(default_factory=dict)

    def give(self, name: str) -> Dataset:
        """Give one input; cells are fetched from their store where they are needed."""
        dataset = super().give(name)
        if isinstance(dataset, MirroredCellsDataset):
            return MirroredCellsDataset(url=dataset.url)
        if isinstance(dataset, MemoryDataset):
            return dataset
        if name not in self._sent:
            data = dataset.load()
            if isinstance(dataset, SplitsDataset):
                data = {split: partial(dict, read()) for split, read in data.items()}
            self._sent[name] = Carried(self.ray, data)
        return self._sent[name]
