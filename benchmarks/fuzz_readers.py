"""All that reads files, arguments and parameters, with valid files and changes for each."""

from __future__ import annotations

import json
from functools import partial

import click
import fuzz_reads as by
import fuzz_resumed as going
import fuzz_samples as of
from fuzz_archives import other_archive, other_pickle, other_picture, other_state
from fuzz_changes import Draw, Files, of_one, one_of
from fuzz_json import other_cells, other_json, other_sealed, other_words
from fuzz_tables import other_header, other_table, other_tensors
from fuzz_trial import Reader
from kedro.io import DatasetError

from sakd.foundation.errors import UserError

COMMANDS = (
    *(["list", what] for what in ("distillers", "systems", "networks", "policies", "datasets")),
    ["spots", "resnet8", "--input", "3x32x32", "--classes", "10"],
    ["spots", "vgg8(keep=0.5)", "--input", "1x8x8"],
    ["results", "--data", "{here}", "--teacher", "resnet14", "--policy", "always+adaptive"],
    ["results", "--data", "{here}", "--csv", "--seed", "0", "--status", "done"],
    ["best", "toys", "--max-params", "100k", "--margin", "0.5", "--data", "{here}"],
    ["best", "--max-latency", "2ms", "--max-size", "300kB", "--data", "{here}"],
    ["report", "toys", "--data", "{here}"],
    ["watch", "--once", "--every", "1.5", "--data", "{here}"],
    ["slurm", "--nodes", "2", "--gpus", "1", "--time", "1-00:00:00", "--", "--env", "smoke"],
    ["predict", "nothing", "a.png", "--store", "{here}", "--epoch", "last", "--device", "cpu"],
    ["evaluate", "nothing", "--data", "{here}", "--store", "{here}"],
    ["export", "nothing", "--formats", "onnx+pt2", "--int8", "static", "--store", "{here}"],
    ["--version"],
    ["--help"],
)
"""Commands that write no files."""

NAMES = (
    "resnet20",
    "vgg8(keep=0.5)",
    "torchvision:resnet18(small_images=true; num_classes=3)",
    "resnet20&vgg8",
    "wrn_16_2",
    "timm:resnet10t(stages=['stem'; 'layer1'])",
)


def other_command(_files: Files, draw: Draw) -> dict[str, bytes]:
    """Change words of a command."""
    base = json.dumps(one_of(draw, COMMANDS)).encode()
    return {"words.json": other_words(base, draw)}


def other_name(_files: Files, draw: Draw) -> dict[str, bytes]:
    """Change the name of a network."""
    base = json.dumps([one_of(draw, NAMES)]).encode()
    return {"name.json": other_words(base, draw)}


PICTURES = of_one(other_picture, ending="g"), of_one(other_picture, ending="f")
CARD = of_one(other_sealed, ending=".json")
TENSORS = of_one(other_header, other_tensors, ending=".safetensors")
HISTORY = of_one(other_cells, ending="history.csv")
PARQUET = (of_one(other_table, ending=".parquet"),)

READERS = (
    Reader("image folder", 60, of.folder_of_classes, by.images, PICTURES),
    Reader(
        "image folder, bad ones skipped",
        40,
        of.folder_of_classes,
        partial(by.images, on_error="skip"),
        PICTURES,
    ),
    Reader(
        "image folder, streamed",
        40,
        of.folder_of_classes,
        partial(by.images, streamed=True, workers=0, size=8),
        PICTURES,
    ),
    Reader(
        "file of labels",
        40,
        of.folder_with_labels,
        partial(by.images, labels="labels.csv"),
        (of_one(other_cells, ending=".csv"),),
        damaged=0.3,
    ),
    Reader(
        "parquet", 60, of.parquet_files, partial(by.images, name="parquet"), PARQUET, damaged=0.4
    ),
    Reader("weights and card", 60, of.weights, by.weights, (CARD, TENSORS), sealed=True),
    Reader(
        "exported model", 60, of.model, by.model, (CARD, CARD, TENSORS), sealed=True, damaged=0.3
    ),
    Reader("safetensors of others", 30, of.safetensors_of_others, by.foreign, (TENSORS,)),
    Reader(
        "torch files of others",
        50,
        of.torch_file,
        by.foreign,
        (of_one(other_archive),),
        damaged=0.3,
    ),
    Reader(
        "old torch files",
        30,
        partial(of.torch_file, zipped=False),
        by.foreign,
        (of_one(other_pickle),),
    ),
    Reader("data card", 40, of.prepared_data, by.data_card, (CARD,), damaged=0.2, sealed=True),
    Reader(
        "prepared images", 40, of.prepared_data, by.prepared_images, (CARD, TENSORS), sealed=True
    ),
    Reader("prepared before", 20, of.prepared_data, by.found_again, (CARD, TENSORS), sealed=True),
    Reader(
        "record",
        60,
        of.training,
        by.record,
        (of_one(other_sealed, ending="record.json"),),
        sealed=True,
        damaged=0.3,
    ),
    Reader("history", 40, of.training, by.history, (HISTORY,), ending="history.csv"),
    Reader("decisions", 20, of.training, by.decisions, PARQUET, ending=".parquet"),
    Reader(
        "checkpoint",
        60,
        of.checkpoint,
        by.checkpoint,
        (of_one(other_archive), of_one(other_state)),
        sealed=True,
    ),
    Reader(
        "training that goes on",
        15,
        going.stopped,
        going.resumed,
        (of_one(going.other_progress, ending="checkpoint.pt"),),
        damaged=0.2,
        ending="checkpoint.pt",
        sealed=True,
    ),
    Reader("evaluation", 40, of.evaluation, by.evaluation, (CARD, *PARQUET), sealed=True),
    Reader(
        "students.json",
        10,
        of.students,
        by.students,
        (CARD,),
        sealed=True,
        declared=(UserError, OSError, DatasetError),
    ),
    *(
        Reader(
            f"table between stages, {ending[1:]}",
            10,
            partial(of.table, ending=ending),
            partial(by.table, ending=ending),
            sealed=True,
            declared=(UserError, OSError, DatasetError),
        )
        for ending in (".csv", ".parquet")
    ),
    Reader(
        "results", 20, of.results, by.tables, (of_one(other_cells, ending=".csv"),), damaged=0.3
    ),
    Reader("trainings at work", 30, of.live, by.live, (of_one(other_json, ending=".json"),)),
    Reader("events of runs", 10, of.events, by.events, (of_one(other_json),)),
    Reader(
        "files of parameters",
        20,
        of.conf,
        by.conf,
        declared=(UserError, OSError, click.ClickException),
        imports=True,
    ),
    Reader(
        "parameters",
        80,
        of.parameters,
        by.parameters,
        (of_one(other_json),),
        damaged=0.0,
        imports=True,
    ),
    Reader("command line", 60, of.words, by.command, (other_command,), damaged=0.0, imports=True),
    Reader("names of networks", 20, of.name, by.network, (other_name,), damaged=0.0, imports=True),
)
"""All readers; their shares need not add up to 1,000."""
