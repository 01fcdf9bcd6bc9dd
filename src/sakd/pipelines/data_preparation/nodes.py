"""Nodes of data preparation."""

from __future__ import annotations

import logging
from typing import Any

from torch import Tensor

from sakd.data import labelled_subset, preparation_key, prepare
from sakd.data.parameters import DataParameters
from sakd.pipelines.data_preparation.earlier import Earlier

Tensors = dict[str, Tensor]
Parts = dict[str, Tensors]

logger = logging.getLogger(__name__)


def prepare_data(data: DataParameters, earlier: Earlier) -> tuple[Parts, Parts, dict[str, Any]]:
    """Read the raw images and split them, unless that is done.

    Returns:
        The development images by split (``train`` and ``val``), the test images likewise
        (``test``), the data card. No images where those on disk are what is asked for.

    Raises:
        UserError: there are too few images for the splits, or for the students' labelled ones.
    """
    dataset, splitting = data.dataset(), data.splitting()
    dataset.fetch()
    key = preparation_key(dataset.fingerprint(), splitting)
    done = earlier.splits(key)
    splits = done or prepare(dataset.load(), splitting, name=data.slug, key=key)
    labelled_subset(splits.train, data.student_per_class, data.split_seed)  # or stop here
    if done:
        logger.info("%s: prepared already", data.slug)
        return {}, {}, splits.card.to_json()
    development = {"train": splits.train.tensors(), "val": splits.val.tensors()}
    return development, {"test": splits.test.tensors()}, splits.card.to_json()
