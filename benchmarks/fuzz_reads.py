"""How every kind of file is read, by the ways that the product has for it."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import fuzz_samples as of
import pandas as pd
from fuzz_trial import Passed
from torch import Tensor

import sakd
from sakd.command.main import main
from sakd.command.watch import running
from sakd.command.watch import table as shown
from sakd.data import DataCard, Splitting, open_dataset, prepare
from sakd.data.parameters import DataParameters
from sakd.data.splits.store import SplitStore
from sakd.deployment.finding import find
from sakd.deployment.measured import measured
from sakd.deployment.predicting import predict
from sakd.foundation.errors import UserError
from sakd.foundation.sealing import read_sealed
from sakd.foundation.tensors import tensors_sha256
from sakd.networks import check_network
from sakd.pipelines.images import prepared
from sakd.pipelines.status import span
from sakd.project.datasets import SealedJSONDataset, SealedTableDataset
from sakd.project.parameters import loader_of, read_parameters
from sakd.project.run_status import merged, read
from sakd.reporting.tables.frames import prepared as checked
from sakd.study.checkpoints import Checkpoints
from sakd.study.evaluations import Evaluations
from sakd.study.importing import import_weights
from sakd.study.parsing import parse_parameters
from sakd.study.store import Entry
from sakd.weights.saved import load_weights


def plain(value: object) -> object:
    """Give tensors by their hashes and mappings as plain ones, so that equal values are equal."""
    if isinstance(value, Tensor):
        return tensors_sha256({"": value})
    if isinstance(value, pd.DataFrame):
        return value.to_csv()
    if isinstance(value, Mapping):
        return {name: plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def images(folder: Path, name: str = "folder", **options: Any) -> object:  # noqa: ANN401
    """Read a data set, and split it."""
    place = folder / "top" if (folder / "top").exists() else folder
    raw = open_dataset(name, place, **options).load()
    return prepare(raw, Splitting(0.25, test_fraction=0.25), name="x").card.sha256


def weights(folder: Path) -> object:
    """Read tensors and their card."""
    found = load_weights(folder / "w.safetensors")
    return plain([found.state, found.card])


def foreign(folder: Path) -> object:
    """Read weights of other programs for a network."""
    (path,) = folder.glob("w.*")
    return plain(import_weights(of.NETWORK, of.toys().card, path).state)


def model(folder: Path) -> object:
    """Load an exported model, and ask it about a picture."""
    found = sakd.load(folder)
    predict(found, [folder / "a.png"])  # the picture has no checksum
    kept = measured(find(folder), found)
    return plain([found.weights.state, found.classes, dict(kept)])


def data_card(folder: Path) -> object:
    """Read the card of prepared data, and use it."""
    card = DataCard.from_json(read_sealed(folder / "card.json"))
    return card.to_json(), card.unevenness, card.without_images("test"), card.normalisation


def prepared_images(folder: Path) -> object:
    """Read prepared images as the stages do."""
    store, card = SplitStore(folder), read_sealed(folder / "card.json")
    parts = {**store.development, **store.test}
    found = [prepared(split, parts, card, DataParameters()) for split in ("train", "val", "test")]
    return plain([each.images.tensors() for each in found])


def found_again(folder: Path) -> object:
    """Look whether prepared data are there already."""
    parameters = DataParameters()
    if (found := SplitStore(folder).matching(of.toys().card.key, parameters.images)) is None:
        raise Passed
    return plain([each.tensors() for each in found.parts.values()])


def record(folder: Path) -> object:
    """Read what a finished training has left."""
    entry = _entry(folder)
    if (found := entry.finished(of.KEY, [1])) is None:
        raise Passed
    routing = entry.routing()
    return plain([asdict(found), span(found), entry.history(), routing])


def history(folder: Path) -> object:
    """Read the history of a training."""
    return _entry(folder).history()


def decisions(folder: Path) -> object:
    """Read the decisions of a training."""
    return plain(_entry(folder).routing())


def _entry(folder: Path) -> Entry:
    return Entry(folder / "cells" / "row" / "cell" / of.KEY[:12])


def checkpoint(folder: Path) -> object:
    """Read the last intact checkpoint."""
    if (found := Checkpoints(folder).read(of.KEY)) is None:
        raise Passed
    return plain(found)


def evaluation(folder: Path) -> object:
    """Read the evaluation of a network."""
    kept = Evaluations(folder)
    measures = plain(kept.measures("cell", of.KEY))
    if (found := kept.find("cell", of.KEY)) is None:
        raise Passed
    return [measures, plain(found.measures), plain(found.images)]


def students(folder: Path) -> object:
    """Read the records of all rows."""
    return SealedJSONDataset(filepath=str(folder / "students.json")).load()


def table(folder: Path, ending: str) -> object:
    """Read a table between stages."""
    found = SealedTableDataset(filepath=str(folder / f"evaluation{ending}")).load()
    return checked(found).to_csv()


def live(folder: Path) -> object:
    """Show how far trainings are."""
    return shown(running(folder), 80)


def events(folder: Path) -> object:
    """Join the events of runs."""
    return merged(read(folder / "toys.runs.json"), [{"event": "x", "node_id": "1"}])


def conf(folder: Path) -> object:
    """Read files of configuration."""
    return read_parameters(loader_of(folder, "smoke"), folder)


def parameters(folder: Path) -> object:
    """Type and check parameters."""
    try:
        given = json.loads((folder / "parameters.json").read_text())
    except (ValueError, RecursionError) as error:
        raise Passed from error
    return parse_parameters(given)


def command(folder: Path) -> object:
    """Run a command in this process; judge what it says of a mistake as an error of the user."""
    words = json.loads((folder / "words.json").read_text())
    sys.stderr.seek(0)
    sys.stderr.truncate()
    try:
        status = main([str(word).replace("{here}", str(folder)) for word in words])
    except SystemExit as ended:
        status = ended.code
    if status not in (0, None):
        raise UserError(sys.stderr.getvalue().removesuffix("\n"))
    return status


def tables(folder: Path) -> object:
    """Read results as the commands do."""
    for words in (["results", "--data", str(folder)], ["best", "--data", str(folder)]):
        (folder / "words.json").write_text(json.dumps(words))
        command(folder)
    return True


def network(folder: Path) -> object:
    """Check names of networks."""
    for name in json.loads((folder / "name.json").read_text()):
        check_network(name)
    return True
