"""The answers of all networks of a study, image by image, in one table."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd

from sakd.data import Images
from sakd.study.evaluations import Evaluation

SELECTED = ("val_selected", "best")
"""Epochs other than the last, of which it is kept which images are classified rightly."""

_KINDS = {
    "image": "int32",
    "content": "category",
    "label": "int32",
    "predicted": "int32",
    "right": "bool",
    "log_probability": "float32",
    **{f"right_{name}": "boolean" for name in SELECTED},
}

COLUMNS = ("cell", *_KINDS)


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
            "image": np.arange(len(images), dtype=np.int32),
            "content": pd.Categorical([digest.hex() for digest in images.digests()]),
            "label": images.labels.int().numpy(),
        }
    )
    found = {cell: each.images for cell, each in evaluations.items() if each.images is not None}
    tables = [_of(answers, shared) for answers in found.values()]
    joined = pd.concat(tables or [_of(pd.DataFrame(), shared[:0])], ignore_index=True)
    codes = np.arange(len(found)).repeat(len(images))
    joined.insert(0, "cell", pd.Categorical.from_codes(codes, list(found)))
    return joined


def _of(answers: pd.DataFrame, shared: pd.DataFrame) -> pd.DataFrame:
    right = {
        f"right{name}": answers[f"predicted{name}"] == shared["label"]
        for name in ("", *(f"_{each}" for each in SELECTED))
        if f"predicted{name}" in answers
    }
    return shared.assign(**answers, **right).reindex(columns=list(_KINDS)).astype(_KINDS)
