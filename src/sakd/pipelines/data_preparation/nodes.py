"""Nodes of data preparation."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from sakd.data import Parts, SplitStore, labelled_subset, preparation_key, prepare
from sakd.data.parameters import DataParameters

logger = logging.getLogger(__name__)


def prepare_data(data: DataParameters, store: SplitStore) -> tuple[Parts, Parts, dict[str, Any]]:
    """Read the raw images, split them and keep the splits in ``store``, unless that is done.

    Returns:
        The development images by split (``train`` and ``val``), the test images likewise
        (``test``), the data card.

    Raises:
        UserError: There are too few images for the splits, or for the students' labelled ones; or
            the store keeps splits of images that lie elsewhere.
    """
    dataset, splitting = data.dataset(), data.splitting()
    dataset.fetch()
    key = preparation_key(dataset.fingerprint(), splitting)
    found = store.matching(key, data.images)
    if found is None:
        store.check_origin(dataset.origin)
    splits = found or prepare(dataset.load(), splitting, name=data.slug, key=key)
    labelled_subset(splits.train, data.student_per_class, splitting.drawn_by)  # or stop here
    if found:
        logger.info("%s: prepared already", splitting.title(data.slug))
    else:
        store.write(splits)
    card = replace(splits.card, origin=dataset.origin, asked=data.asked, parts=splits.hashes())
    return store.development, store.test, card.to_json()
