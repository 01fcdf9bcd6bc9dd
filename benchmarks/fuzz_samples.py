"""Valid files of every kind, small, and the same every time."""

from __future__ import annotations

import csv
import io
import json
import shutil
from collections.abc import Iterator
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from PIL import Image
from safetensors.torch import save_file

from sakd.data import ImageSet, RawData, Splits, SplitStore, Splitting, prepare
from sakd.data.parameters import DataParameters
from sakd.foundation.sealing import write_sealed
from sakd.project.datasets import SealedTableDataset
from sakd.study.checkpoints import Checkpoints
from sakd.study.evaluations import Evaluation, Evaluations
from sakd.study.live import Live
from sakd.study.networks import fresh_network
from sakd.study.parameters import Parameters
from sakd.study.store import Entry, Record
from sakd.weights.saved import Weights, save_weights

NETWORK = "resnet8"
CLASSES = ("ant", "bee", "cat")
KEY = "0123456789abcdef" * 4
ENDINGS = ("png", "jpg", "webp", "gif", "tif", "bmp", "ppm", "png")
CONF = Path(__file__).parents[1] / "conf"


@cache
def toys() -> Splits:
    """Split 60 random images of three classes, of one channel and 8x8 pixels."""
    source = torch.Generator().manual_seed(3)
    labels = torch.arange(len(CLASSES)).repeat(20)
    images = torch.randint(256, (len(labels), 1, 8, 8), dtype=torch.uint8, generator=source)
    raw = RawData(ImageSet(images, labels), None, CLASSES, "made for fuzzing")
    made = prepare(raw, Splitting(0.25, test_fraction=0.2), name="toys")
    return replace(made, card=replace(made.card, asked=DataParameters().asked, parts=made.hashes()))


def state(name: str = NETWORK) -> dict[str, torch.Tensor]:
    """Give the weights of a fresh network for the toys."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return dict(fresh_network(name, toys().card).state_dict())


def few(factor: float = 1.0) -> dict[str, torch.Tensor]:
    """Give three tensors."""
    weight = torch.arange(12.0).view(3, 4) / 7 * factor
    return {"weight": weight, "bias": torch.tensor([1e-30, -0.0]), "count": torch.tensor(5)}


def pictures() -> Iterator[tuple[str, bytes]]:
    """Give eight small pictures, each in a format of its own."""
    dice = np.random.default_rng(0)
    for number, ending in enumerate(ENDINGS):
        pixels = dice.integers(0, 256, (8, 8, 3), dtype=np.uint8)
        content = io.BytesIO()
        Image.fromarray(pixels).save(content, {"jpg": "jpeg", "tif": "tiff"}.get(ending, ending))
        yield f"{number}.{ending}", content.getvalue()


def folder_of_classes(folder: Path) -> None:
    """Write eight pictures of two classes."""
    for number, (name, content) in enumerate(pictures()):
        place = folder / "top" / CLASSES[number // 4]
        place.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)


def folder_with_labels(folder: Path) -> None:
    """Write eight pictures, and a CSV file that names their classes."""
    (folder / "top").mkdir()
    lines = [("file", "label", "split")]
    for number, (name, content) in enumerate(pictures()):
        (folder / "top" / name).write_bytes(content)
        lines.append((name, CLASSES[number // 4], "train"))
    with (folder / "top" / "labels.csv").open("w", newline="") as written:
        csv.writer(written).writerows(lines)


def parquet_files(folder: Path) -> None:
    """Write a Parquet file of images for training, and one for test."""
    rows = [content for _, content in pictures()]
    named = {"_type": "ClassLabel", "names": ["ant", "bee"]}
    features = {"image": {"_type": "Image"}, "label": named}
    told = {"huggingface": json.dumps({"info": {"features": features}})}
    images = [{"bytes": content, "path": f"{k}"} for k, content in enumerate(rows)]
    kind = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    labels = pa.array([k // 4 for k in range(len(rows))], pa.int64())
    table = pa.table({"image": pa.array(images, kind), "label": labels})
    table = table.replace_schema_metadata(told)
    pq.write_table(table, folder / "train-0.parquet")
    pq.write_table(table.slice(2, 4), folder / "test-0.parquet")


def weights(folder: Path) -> None:
    """Write three tensors, and their card."""
    save_weights(Weights(few(), {"network": NETWORK, "seed": 0}), folder / "w.safetensors")


def model(folder: Path) -> None:
    """Write an exported model, and a picture for it."""
    described = {"network": NETWORK, "data": toys().card.to_json(), "measures": {"test_top1": 0.5}}
    described |= {"epoch": 3, "facts": {"teacher": "resnet14", "distiller": "kd"}}
    save_weights(Weights(state(), described), folder / "model.safetensors")
    (folder / "a.png").write_bytes(next(pictures())[1])


def safetensors_of_others(folder: Path) -> None:
    """Write the weights of a network as safetensors, without a card."""
    save_file(state(), folder / "w.safetensors")


def torch_file(folder: Path, *, zipped: bool = True) -> None:
    """Write a checkpoint as training scripts write it, in the present or the old form."""
    content = {"epoch": 3, "model": state(), "options": {"lr": 0.1}}
    torch.save(content, folder / "w.pth", _use_new_zipfile_serialization=zipped)


def prepared_data(folder: Path) -> None:
    """Write prepared splits and their card."""
    SplitStore(folder).write(toys())
    write_sealed(folder / "card.json", toys().card.to_json())


def training(folder: Path) -> None:
    """Write what a finished training leaves: weights, history, decisions, record."""
    entry = Entry(folder / "cells" / "row" / "cell" / KEY[:12])
    history = [{"epoch": k, "loss": 1 / k, "val_top1": 0.5, "rate/1": 0.25} for k in (1, 2, 3)]
    save_weights(Weights(few(), {"network": NETWORK}), entry.last)
    save_weights(Weights(few(2), {"network": NETWORK}), entry.after(1))
    entry.save_routing(pd.DataFrame({"image": range(4), "steps": 3, "kd": [0, 1, 2, 3]}))
    provenance = {"torch": "2", "platform": "x"}
    record = Record("cell", KEY, "done", {"seed": 0}, 3, 0.5, 2, 9.5, None, provenance)
    entry.finish(record, history)
    (entry.folder.parents[3] / "history.csv").write_bytes(
        (entry.folder / "history.csv").read_bytes()
    )


def checkpoint(folder: Path) -> None:
    """Write the last checkpoint of a training, and the same as the one before."""
    network = few()
    optimiser = torch.optim.SGD([torch.nn.Parameter(network["weight"])], 0.1, momentum=0.9)
    player = {"optimiser": optimiser.state_dict(), "ended": 1}
    history = [{"epoch": 1, "loss": 0.5}]
    place = {"phase": 0, "taken": 2, "means": [(["loss"], torch.ones(1), torch.ones(1), 8, [1])]}
    kept = {"key": KEY, "seconds": 3.5, "objective": network, "players": {"student": player}}
    for _ in range(2):
        Checkpoints(folder).write({**kept, "history": history, **place})


def evaluation(folder: Path) -> None:
    """Write the evaluation of a network."""
    images = pd.DataFrame({"predicted": [0, 1, 2], "log_probability": [-0.5, -1.0, -2.0]})
    Evaluations(folder).save("cell", KEY, Evaluation({"test_top1": 0.5, "test_ece": 0.1}, images))


def students(folder: Path) -> None:
    """Write the records of all rows."""
    records = {f"cell-{k}": asdict(Record(f"cell-{k}", KEY, "done", {"seed": k})) for k in (0, 1)}
    write_sealed(folder / "students.json", records)


def results(folder: Path) -> None:
    """Write the results of a report, with its page."""
    place = folder / "08_reporting" / "toys"
    place.mkdir(parents=True)
    _results().to_csv(place / "results.csv", index=False)
    (place / "report.html").write_text("")


def _results() -> pd.DataFrame:
    pair = {"dataset": "toys", "teacher": "resnet14", "student": NETWORK, "distiller": "kd"}
    costs = {"parameters": 5e4, "macs": 2e6, "latency_b1_p50_ms": 0.5, "file_bytes": 2e5}
    lines = [
        {"cell": f"c{k}", "key": KEY, **pair, "policy": policy, "seed": k // 2, "status": "done"}
        | {"epochs": 3, "val_top1": 0.5 + k / 50, "test_top1": 0.5 + k / 60, **costs}
        | {"weights": "w.safetensors", "error": None}
        for k, policy in enumerate(("always", "adaptive") * 2)
    ]
    return pd.DataFrame(lines)


def table(folder: Path, ending: str) -> None:
    """Write a table that stages hand on, and its checksum."""
    SealedTableDataset(filepath=str(folder / f"evaluation{ending}")).save(_results())


def live(folder: Path) -> None:
    """Write how far a training is."""
    place = folder / "06_models" / "toys" / "cells" / "running"
    place.mkdir(parents=True)
    record = {"epoch": 1.0, "loss": 0.5, "val_top1": 0.5, "rate/1": 0.25}
    Live("cell", "row", 1, 3, record, 12.5, 1, "nowhere", 1e9, 1e9).write(place / "x.json")


def events(folder: Path) -> None:
    """Write the events of the last run, for kedro-viz."""
    one = {"event": "after_node_run", "node": "n", "node_id": "1", "duration": 0.5}
    (folder / "toys.runs.json").write_text(json.dumps([one, {**one, "node_id": "2"}]))


def conf(folder: Path) -> None:
    """Write files of configuration: those of the project, and an environment."""
    shutil.copytree(CONF / "base", folder / "conf" / "base")
    shutil.copytree(CONF / "smoke", folder / "conf" / "smoke")


def parameters(folder: Path) -> None:
    """Write all parameters with their defaults, and two settings of every kind."""
    plain: dict[str, Any] = json.loads(json.dumps(asdict(Parameters()), default=str))
    recipe = {"epochs": 3, "optimisation": {"lr": 0.1, "milestones": [0.5]}}
    plain |= {"teacher_variants": {"brief": recipe}, "student_lr": {NETWORK: 0.1}}
    plain["grid"] |= {"pairs": ["resnet20@brief/resnet8", "resnet14/resnet8"], "seeds": [0, 1]}
    plain["grid"] |= {"sweep": {"routing.gamma": [1.0, 2.0]}}
    plain["distillation"] |= {"weights": {"kd": 2.0}, "options": {"kd": {"temperature": 3.0}}}
    (folder / "parameters.json").write_text(json.dumps(plain))


def words(folder: Path) -> None:
    """Write a command."""
    results(folder)
    (folder / "words.json").write_text(json.dumps(["list", "distillers"]))


def name(folder: Path) -> None:
    """Write the name of a network."""
    (folder / "name.json").write_text(json.dumps(["vgg8(keep=0.5)"]))
