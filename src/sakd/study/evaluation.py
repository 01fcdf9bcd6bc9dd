"""Measure networks on the test split, which is read here only."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import pandas as pd
import torch
from torch import nn

from sakd.data import DataCard, Prepared
from sakd.data.splits.restricted import restricted
from sakd.distillers.method import Method
from sakd.foundation.fingerprint import code_of
from sakd.foundation.vocabulary import NONE
from sakd.measures import Predictions, best_temperature, fidelity, predict, quality, robustness
from sakd.measures.names import teacher_id
from sakd.networks.variants import network_of
from sakd.study.costs import network_cost
from sakd.study.evaluations import Evaluation
from sakd.study.further import further_networks
from sakd.study.grid import Cell
from sakd.study.networks import fresh_network, known_data, load, trained_network
from sakd.study.store import CellStore, Entry, Record
from sakd.study.trainings import Training
from sakd.tasks import CLASSIFICATION
from sakd.weights.saved import Weights, load_weights

TASK = CLASSIFICATION
TEST = f"test_{TASK.metric}"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Evaluator:
    """Measures each network once; the store keeps the results.

    Attributes:
        cells: The store of the cells.
        test: The test split.
        val: The validation split, on which temperatures are fitted.
        device: The device to measure on.
        corruptions: Whether the test images are corrupted too, in six more passes.
    """

    cells: CellStore
    test: Prepared
    val: Prepared
    device: torch.device
    corruptions: bool = True
    _teachers: dict[str, Predictions] = field(default_factory=dict, init=False, repr=False)

    def cell(
        self,
        cell: Cell,
        record: Record,
        teacher: Weights | None = None,
        training: Training | None = None,
    ) -> Evaluation:
        """Measure a finished cell.

        Args:
            cell: The cell, which names the networks.
            record: The record of its training.
            teacher: The weights of its teacher, or of the one that a student alone does without;
                None where no cell of the row has one.
            training: Its training, which rebuilds the networks that were trained beside it.

        Returns:
            Of the network after the last epoch: the measures of the task, such as ``test_top1``;
            those of `quality`, of `fidelity` where there is a teacher, and of `robustness`. The
            metric after the epoch that was best on validation, ``test_top1_val_selected``; and
            ``test_top1_best``, the best over these and all epochs with kept weights, which is
            chosen on test and so optimistic. The metric of networks that were trained beside it,
            such as ``test_top1_peer1``; and where its teachers know different classes, on images of
            the classes of each, ``test_top1_part1``. Of the images, what each was taken for at
            those three epochs, and the log-probability of its label after the last.

        Raises:
            UserError: The weights are missing, damaged, or of another network.
        """
        key, name = f"{record.key} {identity(teacher)} {self._key}", cell.unswept.id
        found = self.cells.evaluations.find(name, key)
        if found:
            return found
        measured = self._measured(cell, record, teacher)
        further = self._further(training, self.cells.of(cell, record.key)) if training else {}
        whole = replace(measured, measures={**measured.measures, **further})
        return self._keep(name, key, whole, cell.id)

    def teacher(self, teacher: str, weights: Weights) -> Evaluation:
        """Measure a teacher.

        Args:
            teacher: The teacher's name, from the grid.
            weights: The teacher's weights.

        Returns:
            The measures of the task, such as ``test_top1``, of `quality` and of `robustness`; of
            the images, what each was taken for, and the log-probability of its label. A teacher
            that knows some of the classes alone is measured on images of these, and of the images
            there is nothing.

        Raises:
            UserError: The weights are of another network.
        """
        name = teacher_id(self.test.card.name, teacher)
        key = f"{identity(weights)} {self._key}"
        if found := self.cells.evaluations.find(name, key):
            return found
        val, test = (_of_its_classes(data, weights) for data in (self.val, self.test))
        answered = predict(TASK, self._network(teacher, weights), val, self.device)
        answers = self._answers(teacher, weights, test)
        shown = _images(answers) if test is self.test else None
        return self._keep(name, key, Evaluation(_named(answers, answered), shown))

    def cost(self, network: str, weights: Weights | None = None) -> Mapping[str, float]:
        """Measure what the network of that name, from the grid, costs on the device.

        The ``weights`` say what classes it knows; without them it knows all.
        """
        kept, described = self.cells.evaluations, {} if weights is None else weights.card
        return network_cost(network, self.test.card, self.device, kept, described)

    @property
    def _key(self) -> str:
        """Identify the measurement: that of the data, and whether corruptions are left out."""
        return _key(self.test.card) + ("" if self.corruptions else " without corruptions")

    def _keep(self, name: str, key: str, evaluation: Evaluation, shown: str = "") -> Evaluation:
        self.cells.evaluations.save(name, key, evaluation)
        logger.info("%s: test %.2f %%", shown or name, 100 * evaluation.measures[TEST])
        return evaluation

    def _network(self, teacher: str, weights: Weights) -> nn.Module:
        return trained_network(network_of(teacher), self.test.card, weights).to(self.device)

    def _answers(self, teacher: str, weights: Weights, test: Prepared) -> Predictions:
        """Ask a teacher about the ``test`` images, once for all of its students."""
        if (key := identity(weights)) not in self._teachers:
            network = self._network(teacher, weights)
            self._teachers[key] = predict(
                TASK, network, test, self.device, corrupt=self.corruptions
            )
        return self._teachers[key]

    def _further(self, training: Training, entry: Entry) -> dict[str, float]:
        """Measure the networks that were trained beside the student."""
        found = {}
        for name, network in further_networks(training, entry).items():
            measures = TASK.measures(network.to(self.device), self.test, self.device)
            found[f"{TEST}_{name}"] = measures[TASK.metric]
        return found

    def _measured(self, cell: Cell, record: Record, teacher: Weights | None) -> Evaluation:
        name, entry = trained_name(cell), self.cells.of(cell, record.key)
        network = fresh_network(name, self.test.card).to(self.device)
        by_epoch: dict[int | None, Predictions] = {}
        for epoch, path in _kept(entry, record).items():
            load(network, name, load_weights(path), source=path)
            corrupt = self.corruptions and epoch == record.epochs
            by_epoch[epoch] = predict(TASK, network, self.test, self.device, corrupt=corrupt)
        # The last epoch was loaded last.
        val = predict(TASK, network, self.val, self.device)
        last, selected = by_epoch[record.epochs], by_epoch[record.best_epoch]
        tops = [each.measures[TASK.metric] for each in by_epoch.values()]
        others = {"val_selected": selected, "best": list(by_epoch.values())[TASK.best(tops)]}
        known = None if teacher is None else self._answers(cell.teacher, teacher, self.test)
        measures = _named(last, val, known)
        measures |= {f"{TEST}_{name}": each.measures[TASK.metric] for name, each in others.items()}
        measures |= {} if teacher is None else _by_part(last, self.test.card, teacher)
        return Evaluation(measures, _images(last, **others))


def _by_part(answers: Predictions, card: DataCard, teacher: Weights) -> dict[str, float]:
    """Measure the share of right answers on the classes of each of several different teachers."""
    known = known_data(card, teacher.card)
    if len(known) == 1 or all(each.classes == card.classes for each in known):
        return {}
    parts = (torch.tensor([card.classes.index(one) for one in each.classes]) for each in known)
    right = (answers.right[torch.isin(answers.labels, part)] for part in parts)
    shares = (float(each.double().mean()) for each in right)
    return {f"{TEST}_part{number}": share for number, share in enumerate(shares, start=1)}


def _of_its_classes(data: Prepared, weights: Weights) -> Prepared:
    """Take the images of the classes that a teacher knows; ``data`` itself where that is all."""
    first, *others = known_data(data.card, weights.card)
    partial = not others and first.classes != data.card.classes
    return restricted(data, first.classes) if partial else data


def identity(teacher: Weights | None) -> str:
    """Identify a teacher by its weights, and by the statistics that normalise its images."""
    if teacher is None:
        return NONE
    return f"{teacher.sha256()} {teacher.card.get('statistics')}"


def _key(card: DataCard) -> str:
    """Identify the measurement: the metric, its code, and the data."""
    code = json.dumps(code_of(type(TASK), predict, quality, fidelity))
    return f"{TASK.metric} {code} {card.sha256} {card.normalisation}"


def _named(
    answers: Predictions, val: Predictions, teacher: Predictions | None = None
) -> dict[str, float]:
    """Measure answers for the test images, with names that say so."""
    temperature = best_temperature(val)
    found = {**answers.measures, **quality(answers, temperature), **robustness(answers)}
    found |= fidelity(answers, teacher) if teacher else {}
    return {f"test_{name}": v for name, v in found.items()} | {"temperature": temperature}


def _images(last: Predictions, **others: Predictions) -> pd.DataFrame:
    """Give a line for each image: what it was taken for after the last and the ``others``."""
    columns = {
        "predicted": last.predicted.int(),
        "log_probability": last.log_probability.float(),
        **{f"predicted_{name}": other.predicted.int() for name, other in others.items()},
    }
    return pd.DataFrame({name: values.numpy() for name, values in columns.items()})


def trained_name(cell: Cell) -> str:
    """Name the network whose weights a cell keeps, from the grid alone."""
    return (
        cell.student
        if cell.alone or cell.system is not None
        else Method.of(cell.distiller).trained_name(cell.student, network_of(cell.teacher))
    )


def _kept(entry: Entry, record: Record) -> dict[int | None, Path]:
    """Find the weights that a training has left, by epoch and in the order of epochs."""
    own = (entry.folder / name for name in record.files)
    paths: dict[int | None, Path] = {
        int(path.stem): path for path in own if path.match("epochs/*.safetensors")
    }
    paths |= {record.best_epoch: entry.best, record.epochs: entry.last}
    return dict(sorted(paths.items(), key=lambda found: found[0] or 0))
