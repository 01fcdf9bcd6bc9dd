"""Images: where they come from, how they are split, and how they reach a training step."""

from sakd.data.augment import Augment
from sakd.data.cifar100 import Cifar100
from sakd.data.dataset import Dataset, RawData
from sakd.data.digits import Digits
from sakd.data.images import DataCard, ImageSet, Splits, content_hash
from sakd.data.sampling import labelled_subset
from sakd.data.splits import Splitting, preparation_key, prepare
from sakd.data.stream import Batch, BatchStream, evaluation_batches
from sakd.tables import Table

DATASETS: Table[type[Dataset]] = Table("dataset", {"digits": Digits, "cifar100": Cifar100})

__all__ = [
    "DATASETS",
    "Augment",
    "Batch",
    "BatchStream",
    "DataCard",
    "Dataset",
    "ImageSet",
    "RawData",
    "Splits",
    "Splitting",
    "content_hash",
    "evaluation_batches",
    "labelled_subset",
    "preparation_key",
    "prepare",
]
