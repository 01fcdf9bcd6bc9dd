"""The training of networks: the loop, its runs, and progress."""

from sakd.training.callback import Callback
from sakd.training.fit import fit, train
from sakd.training.options import EpochRecord
from sakd.training.precision import EXACT, Precision
from sakd.training.pretraining import pretrain
from sakd.training.run import Run

__all__ = [
    "EXACT",
    "Callback",
    "EpochRecord",
    "Precision",
    "Run",
    "fit",
    "pretrain",
    "train",
]
