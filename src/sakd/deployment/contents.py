"""The programs of an exported folder, and the files that describe them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from sakd.deployment.card import ModelCard, rendered
from sakd.deployment.export_options import Export
from sakd.deployment.finding import MODEL
from sakd.deployment.model import Model
from sakd.deployment.parity import COUNT, largest_difference
from sakd.deployment.prepared import development
from sakd.deployment.programs import input_name, traced, write_onnx, write_torch
from sakd.deployment.quantising import onnx_accuracy, write_int8
from sakd.foundation.files import write_json
from sakd.weights.saved import Weights, save_weights

ONNX, TORCH, INT8 = "model.onnx", "model.pt2", "model.int8.onnx"

EXAMPLES: Mapping[str, str] = {"onnx": "example_onnx.py", "pt2": "example_torch.py"}
"""The example of each format."""

FILES: Mapping[str, str] = {
    MODEL: "the weights, for `sakd.load`",
    "model.json": "all that is known of them: training, data, measures",
    ONNX: "the network in ONNX, for any number of images",
    INT8: "the same with 8-bit numbers",
    TORCH: "the network for `torch.export.load`, for any number of images",
    "labels.txt": "the classes, one a line, in the order of the logits",
    "preprocessing.json": "the classes, and the steps from a picture to the input",
    "preprocessing.py": "these steps in Pillow and NumPy",
    EXAMPLES["onnx"]: "classifies pictures with onnxruntime alone",
    EXAMPLES["pt2"]: "classifies pictures with torch alone",
    "README.md": "this card",
}
"""The files that an exported folder can have."""

INSIDE = ("scale", "normalise", "layout")
"""The last steps of the preprocessing, which programs may do by themselves."""


class Checked(NamedTuple):
    """The comparison of programs with their network.

    Attributes:
        lines: Sentences that say so.
        int8: The accuracy on validation of programs in ONNX, by name, if one was quantised.
    """

    lines: tuple[str, ...]
    int8: Mapping[str, float]


def write_programs(model: Model, weights: Path, folder: Path, how: Export) -> Checked:
    """Write the programs of ``model`` to ``folder`` and compare them with it.

    Args:
        model: The model, on the CPU.
        weights: The file of its weights, which says where its images are.
        folder: The folder.
        how: Which programs.

    Raises:
        UserError: A program cannot be made, differs from the network, or its images are missing.
    """
    train, val = development(model, weights, how.primary, how.images) if how.int8 else (None, None)
    program = traced(model, inside=how.inside) if how.formats else None
    lines = []
    for name, write in {ONNX: write_onnx, TORCH: write_torch}.items():
        if program is None or Path(name).suffix[1:] not in how.formats:
            continue
        write(program, folder / name, model.name, inside=how.inside)
        found = largest_difference(model, folder / name, inside=how.inside)
        said = f"largest difference of a logit from the network's {found.difference:.1e}"
        seen = f"on {COUNT} images of random pixels"
        lines.append(f"{name}: {said}, of logits up to {found.logit:.2g}, {seen}")
    if how.int8 is None or train is None or val is None:
        return Checked(tuple(lines), {})
    source, path = folder / ONNX, folder / INT8
    write_int8(source, path, model, train, how.int8, inside=how.inside)
    shares = {
        file.name: onnx_accuracy(file, model, val, inside=how.inside) for file in (source, path)
    }
    said = ", ".join(f"{100 * share:.2f} % by {name}" for name, share in shares.items())
    sizes = " and ".join(f"{file.stat().st_size / 1000:,.0f} kB" for file in (source, path))
    line = f"{INT8} ({how.int8}): of {len(val):,} validation images right {said}; {sizes}"
    return Checked((*lines, line), shares)


def write_description(model: Model, card: ModelCard, folder: Path, how: Export) -> None:
    """Write weights, labels, preprocessing, examples and card."""
    described = {**card.described, "id": card.id, "measures": dict(card.measures)}
    save_weights(Weights(model.weights.state, described), folder / MODEL)
    (folder / "labels.txt").write_text("".join(f"{name}\n" for name in model.classes), "utf-8")
    steps = [s for s in model.data.preprocessing if not how.inside or s["step"] not in INSIDE]
    feed = {"input": input_name(inside=how.inside), "classes": list(model.classes)}
    write_json(folder / "preprocessing.json", {**feed, "preprocessing": steps})
    for name in ("preprocessing.py", *(EXAMPLES[each] for each in how.formats)):
        (folder / name).write_text(rendered(name))
    there = [*(path.name for path in folder.iterdir()), "README.md"]
    files = {name: words for name, words in FILES.items() if name in there}
    commands = [f"python {EXAMPLES[each]} picture.png" for each in how.formats]
    page = rendered("README.md", card=card, files=files, commands=commands)
    (folder / "README.md").write_text(page, "utf-8")
