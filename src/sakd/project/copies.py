"""A Kedro dataset of copies of weights, whose originals can be found if a copy is damaged."""

from __future__ import annotations

import logging

from sakd.foundation.errors import UserError
from sakd.project.datasets import WeightsDataset
from sakd.weights.saved import Weights, load_weights

logger = logging.getLogger(__name__)


class CopiedWeightsDataset(WeightsDataset):
    """A copy of weights; nodes find the original by its key, see `sakd.pipelines.found`."""

    def load(self) -> Weights:
        """Read tensors and card; a copy that cannot be used gives a warning, and no tensors."""
        try:
            return load_weights(self.filepath, "run --pipelines teacher, to have a copy again")
        except UserError as error:
            logger.warning("%s; meanwhile the original is looked for", error)
            return Weights({})
