"""A running average of the weights of a network that is trained."""

from __future__ import annotations

import copy
from collections.abc import Mapping

from torch import Tensor, nn

from sakd.foundation.errors import require
from sakd.networks.averaged import Averaged
from sakd.objectives import Objective
from sakd.training.callback import Callback
from sakd.training.resuming import check_tensors
from sakd.training.run import Run

EMA = "ema"
"""The name of the average among further networks, as in ``val_top1_ema``."""


class Average(Callback):
    """Keeps a running average of the weights of a network, and measures it after every epoch.

    The training has the same bits with it as without it. The average follows after every update,
    see `Averaged`, and has the network's own statistics of batch norms. Its measures join the
    record of the epoch, so it stands before callbacks that read that record.
    """

    def __init__(self, objective: Objective, decay: float) -> None:
        """Begin at the weights of the network of ``objective``, on its device.

        Args:
            objective: What is trained.
            decay: The largest share of the average that stays at an update.

        Raises:
            UserError: The objective has a network of the same name itself.
        """
        check_names(objective)
        self._network = objective.network
        self._average = Averaged(copy.deepcopy(objective.network), decay)

    @property
    def network(self) -> nn.Module:
        """The network with the averaged weights."""
        return self._average.network

    def on_step(self, run: Run) -> None:
        """Follow an update."""
        self._average.follow(self._network, statistics=True)

    def on_epoch(self, run: Run) -> None:
        """Measure the average."""
        measured = run.evaluate(self.network)
        run.history[-1] |= {f"{measure}_{EMA}": value for measure, value in measured.items()}

    def state(self) -> dict[str, Tensor]:
        """Give the state that `restore` takes."""
        return self._average.state_dict()

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Continue from `state`.

        Raises:
            UserError: It is of another network.
        """
        check_tensors(state, self._average.state_dict())
        self._average.load_state_dict(state)


def check_names(objective: Objective) -> None:
    """Check that no network of ``objective`` has the name of an average.

    Raises:
        UserError: One has.
    """
    require(
        EMA not in objective.further_networks(),
        f"{type(objective).__name__} keeps an average itself, as {EMA!r}: set student.ema to 0, or "
        "leave it out",
    )
