"""Images: where they come from, how they are split, and how they reach a training step.

Datasets are found by name in `DATASETS`; `open_dataset` also knows ``torchvision:NAME``.
"""

from sakd.data.batches.augment import Augment
from sakd.data.batches.groups import Groups
from sakd.data.batches.images import Images, ImageSet, content_hash
from sakd.data.batches.loading import decoders
from sakd.data.batches.prepared import from_tensors
from sakd.data.batches.stream import Batch, BatchStream, evaluation_batches
from sakd.data.batches.streamed import ImageFiles
from sakd.data.sources.base import Dataset
from sakd.data.sources.raw import RawData
from sakd.data.sources.table import DATASETS, open_dataset
from sakd.data.splits.data_card import DataCard, Prepared, Splits
from sakd.data.splits.mislabelling import mislabelled
from sakd.data.splits.noise import noise
from sakd.data.splits.prepare import prepare
from sakd.data.splits.sampling import labelled_subset
from sakd.data.splits.splitting import Splitting, preparation_key
from sakd.data.splits.store import Parts, SplitStore

__all__ = [
    "DATASETS",
    "Augment",
    "Batch",
    "BatchStream",
    "DataCard",
    "Dataset",
    "Groups",
    "ImageFiles",
    "ImageSet",
    "Images",
    "Parts",
    "Prepared",
    "RawData",
    "SplitStore",
    "Splits",
    "Splitting",
    "content_hash",
    "decoders",
    "evaluation_batches",
    "from_tensors",
    "labelled_subset",
    "mislabelled",
    "noise",
    "open_dataset",
    "preparation_key",
    "prepare",
]
