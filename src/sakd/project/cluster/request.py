"""The CPUs and GPUs that a row asks of a cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sakd.foundation.errors import require, require_not_negative, require_positive

CPU, GPU = "CPU", "GPU"
"""The names that Ray has for them."""

Machine = Mapping[str, float]
"""The resources of a machine, by their names."""


@dataclass(frozen=True)
class Request:
    """The share of one machine that a row, or a teacher, needs while it is trained.

    Attributes:
        cpus: Processors; 0.5 lets two rows share one.
        gpus: GPUs; 0.5 lets two rows share one, and from 1 on they are whole.
    """

    cpus: float = 1.0
    gpus: float = 0.0

    def __post_init__(self) -> None:
        """Refuse what no machine can give.

        Raises:
            UserError: A number is negative, or asks for one GPU and a part of another.
        """
        require_positive(cpus=self.cpus)
        require_not_negative(gpus=self.gpus)
        fine = self.gpus <= 1 or self.gpus == round(self.gpus)
        require(fine, f"gpus above 1 must be a whole number, got {self.gpus:g}")

    def check(self, machines: Sequence[Machine]) -> None:
        """Compare with the ``machines`` of a cluster, also with those that are busy.

        Raises:
            UserError: None of them has that much.
        """
        asked = f"a row asks for {self.cpus:g} CPUs and {self.gpus:g} GPUs of one machine"
        largest = " and ".join(f"{_most(machines, kind):g} {kind}s" for kind in (CPU, GPU))
        found = f"no machine of the cluster has them (at most {largest})"
        remedy = "ask for less with --runner-params cpus=...,gpus=..., or add a machine"
        require(any(map(self._fits, machines)), f"{asked}, and {found}: {remedy}")

    def _fits(self, machine: Machine) -> bool:
        return machine.get(CPU, 0) >= self.cpus and machine.get(GPU, 0) >= self.gpus


def _most(machines: Sequence[Machine], kind: str) -> float:
    return max((machine.get(kind, 0) for machine in machines), default=0)
