"""The answers of all networks of a study, image by image, in one table."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from sakd.data import Images
from sakd.study.evaluations import Evaluation

SELECTED = ("val_selected", "best")
"""Epochs other than the last, of which it is kept which images are classified rightly."""

COLUMNS = (
    "cell",
    "image",
    "content",
    "label",
    "predicted",
    "right",
    "log_probability",
    *(f"right_{name}" for name in SELECTED),
)


def predictions(evaluations: Mapping[str, Evaluation], images: Images) -> pd.DataFrame:
    """Join the ``evaluations``, by the id of their cell or teacher, on the test ``images``.

    Returns:
        A line for each network and image:

        - ``cell``: the id;
        - ``image``: the position in the test split; ``content``: a hash of the pixels, which names
          the same image in every split;
        - ``label`` and ``predicted``: the right class, and the most likely one after the last
          epoch, as positions in the classes of the data card; ``right``: whether they agree;
        - ``log_probability``: the natural logarithm of the probability of the label;
        - ``right_val_selected`` and ``right_best``: whether the image is classified rightly after
          the epoch that was best on validation, and after the best of the kept ones on test; empty
          for teachers.
    """
    shared = pd.DataFrame(
        {
            "image": range(len(images)),
            "content": pd.Categorical([digest.hex() for digest in images.digests()]),
            "label": images.labels.numpy(),
        }
    )
    tables = [
        _of(found.images, shared).assign(cell=cell)
        for cell, found in evaluations.items()
        if found.images is not None
    ]
    joined = pd.concat(tables, ignore_index=True) if tables else shared[:0]
    joined = joined.reindex(columns=list(COLUMNS))
    kinds = {"image": "int32", "label": "int32", "predicted": "int32", "cell": "category"}
    kinds |= {"right": "bool", "log_probability": "float32"}
    return joined.astype(kinds | {f"right_{name}": "boolean" for name in SELECTED})


def _of(answers: pd.DataFrame, shared: pd.DataFrame) -> pd.DataFrame:
    table = shared.assign(**answers)
    for name in ("", *(f"_{name}" for name in SELECTED)):
        column = f"predicted{name}"
        if column in table:
            table[f"right{name}"] = table[column] == table["label"]
    return table
