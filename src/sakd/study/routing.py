"""Measure the routing of finished cells: which training images distilled, and how hard they are."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pandas as pd
import torch
from torch import Tensor
from torch.nn.functional import kl_div

from sakd.data import DataCard, Images, Prepared
from sakd.foundation.fingerprint import code_of
from sakd.measures import Predictions, predict
from sakd.measures.routing import ALONE, DISAGREEMENT, STUDENT, TEACHER, Spot
from sakd.networks.variants import network_of
from sakd.routing.rates import EFFECTIVE_SHARE, GATE_RATE
from sakd.study.evaluation import identity, trained_name
from sakd.study.evaluations import Evaluation
from sakd.study.grid import Cell
from sakd.study.networks import trained_network
from sakd.study.store import CellStore, Record
from sakd.tasks import CLASSIFICATION
from sakd.training.tally import RATE, SEEN
from sakd.weights.saved import Weights, load_weights

MOST = 10_000
"""Training images of which the difficulty is measured; of more, as many at even distances."""

TASK = CLASSIFICATION

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Examiner:
    """Measures how hard the training images of a row are; the store keeps the results.

    Attributes:
        cells: The store of the cells.
        images: The images that the students learned from.
        card: The card of the data.
        device: The device to measure on.
    """

    cells: CellStore
    images: Images
    card: DataCard
    device: torch.device
    _known: dict[str, Predictions] = field(default_factory=dict, init=False, repr=False)

    def difficulty(
        self, cell: Cell, record: Record, teacher: Weights, alone: tuple[Cell, Record] | None
    ) -> pd.DataFrame:
        """Measure the difficulty of training images, with networks in evaluation mode.

        Args:
            cell: The cell, which names the networks.
            record: The record of its training.
            teacher: The weights of its teacher.
            alone: The cell of the student alone of the same seed, and its record; None without one.

        Returns:
            A line for each of at most `MOST` images: ``image``, its position; ``student``,
            ``teacher`` and, if there is one, ``alone``: the losses of these networks after the last
            epoch; ``disagreement``, KL(teacher || student). All in nats.
        """
        others = [] if alone is None else [alone[1]]
        trained = [f"{one.key} {one.ended}" for one in (record, *others)]
        code = json.dumps(code_of(type(TASK), predict, Examiner))
        data = f"{self.card.sha256} {self.card.normalisation}"
        key = " ".join([*trained, identity(teacher), data, code])
        name = f"routing/{cell.id}"
        found = self.cells.evaluations.find(name, key)
        if found is not None and found.images is not None:
            return found.images
        measured = self._measured(cell, record, teacher, alone)
        self.cells.evaluations.save(name, key, Evaluation({}, measured))
        logger.info("%s: asked about %d of its training images", cell.id, len(measured))
        return measured

    def _measured(
        self, cell: Cell, record: Record, teacher: Weights, alone: tuple[Cell, Record] | None
    ) -> pd.DataFrame:
        answers = {STUDENT: self._trained(cell, record), TEACHER: self._taught(cell, teacher)}
        if alone is not None:
            answers[ALONE] = self._trained(*alone)
        columns = {name: -each.log_probability for name, each in answers.items()}
        columns[DISAGREEMENT] = _divergence(answers[STUDENT], answers[TEACHER])
        table = {name: values.float().numpy() for name, values in columns.items()}
        return pd.DataFrame({"image": self._asked.int().numpy(), **table})

    @property
    def _asked(self) -> Tensor:
        count = len(self.images)
        return torch.arange(min(MOST, count)) * count // min(MOST, count)

    def _trained(self, cell: Cell, record: Record) -> Predictions:
        if record.key not in self._known:
            path = self.cells.of(cell, record.key).last
            self._known[record.key] = self._answers(trained_name(cell), load_weights(path))
        return self._known[record.key]

    def _taught(self, cell: Cell, teacher: Weights) -> Predictions:
        if (key := identity(teacher)) not in self._known:
            self._known[key] = self._answers(network_of(cell.teacher), teacher)
        return self._known[key]

    def _answers(self, name: str, weights: Weights) -> Predictions:
        network = trained_network(name, self.card, weights).to(self.device)
        data = Prepared(self.images.subset(self._asked), self.card)
        return predict(TASK, network, data, self.device)


def _divergence(student: Predictions, teacher: Predictions) -> Tensor:
    """Compute KL(teacher || student) of each image, (N,) in nats."""
    own, given = (answers.logits.double().log_softmax(dim=1) for answers in (student, teacher))
    return kl_div(own, given, reduction="none", log_target=True).sum(dim=1)


def spots_of(images: pd.DataFrame, history: Sequence[Mapping[str, float]]) -> list[Spot]:
    """Read the decisions at each spot.

    Args:
        images: See `sakd.training.tally.Tally.frame`.
        history: The records of the epochs.
    """
    spots = [name.removeprefix(RATE) for name in images if name.startswith(RATE)]
    epochs = pd.DataFrame(history)

    def shares(prefix: str, spot: str) -> pd.Series:
        return epochs.get(f"{prefix}{spot}", pd.Series(dtype=float)).dropna()

    return [
        Spot(
            spot,
            images[f"{RATE}{spot}"].to_numpy(dtype=float),
            images[f"{SEEN}{spot}"].to_numpy(),
            (rates := shares(GATE_RATE, spot)).to_numpy(),
            float([*rates, *shares(EFFECTIVE_SHARE, spot)][-1]),
        )
        for spot in spots
    ]
