"""How networks are trained."""

from sakd.training.fit import Callback, EpochRecord, Run, fit
from sakd.training.optimisation import Optimisation
from sakd.training.pretraining import pretrain

__all__ = ["Callback", "EpochRecord", "Optimisation", "Run", "fit", "pretrain"]
