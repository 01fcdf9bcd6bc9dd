"""A training as a machine of a cluster runs it."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from kedro.io import AbstractDataset
from kedro.pipeline.node import Node

import sakd
from sakd.foundation.errors import require
from sakd.foundation.extras import from_extra
from sakd.project.cluster.journal import logged_to

Inputs = Mapping[str, AbstractDataset[Any, Any]]


def installed() -> dict[str, str]:
    """Name the versions on which results hang, and a hash of the project's code."""
    folder, code = Path(sakd.__file__).parent, sha256()
    for file in sorted(folder.rglob("*.py")):
        code.update(file.relative_to(folder).as_posix().encode() + file.read_bytes())
    return {
        "code": code.hexdigest()[:12],
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": version("torchvision"),
    }


@dataclass(frozen=True)
class Terms:
    """The terms on which a machine may train for a run.

    Attributes:
        journal: Where it logs, a handle of a `sakd.project.cluster.journal.Journal`.
        gpus: The GPUs that it gives.
        mark: A file in the store of cells, which all machines must see; None where they keep cells
            elsewhere.
        threads: The threads of torch where the run was started.
        installed: What is installed there, see `installed`.
    """

    journal: Any
    gpus: float
    mark: Path | None
    threads: int = field(default_factory=torch.get_num_threads)
    installed: Mapping[str, str] = field(default_factory=installed)

    def accept(self) -> None:
        """Make this process train as the one in which the run was started.

        Raises:
            UserError: Other versions are installed, torch sees no GPU, or the store is not shared.
        """
        here, host = installed(), platform.node()
        other = [name for name, found in self.installed.items() if here[name] != found]
        differ = ", ".join(f"{n} {here[n]} instead of {self.installed[n]}" for n in other)
        require(not other, f"{host} has {differ}: install there what the run was started with")
        shared = self.mark is None or self.mark.exists()
        folder = None if self.mark is None else self.mark.parent
        complaint = f"{host} does not see the files of this run in {folder}"
        require(shared, f"{complaint}: mount one shared folder there on every machine")
        if not self.gpus:
            os.environ["CUDA_VISIBLE_DEVICES"] = ""
        fine = not self.gpus or torch.cuda.is_available()
        require(fine, f"{host} offers GPUs and torch sees none: install a torch with CUDA there")
        torch.set_num_threads(self.threads)


def train(node: Node, inputs: Inputs, terms: Terms) -> dict[str, Any]:
    """Run ``node`` on ``terms``, and give its outputs by name.

    Raises:
        UserError: The machine does not meet the terms, or the node cannot go on.
    """
    with logged_to(terms.journal, from_extra("ray", "ray").get):
        terms.accept()
        outputs: dict[str, Any] = node.run({name: each.load() for name, each in inputs.items()})
        return outputs
