"""Recipe problems: what is minimised, and by whom."""

from sakd.objectives.base import Objective, StepResult
from sakd.objectives.build import distil
from sakd.objectives.graft import Graft
from sakd.objectives.joint import JointDistillation
from sakd.objectives.pretraining import PretrainingObjective
from sakd.objectives.router import Router
from sakd.objectives.spot_distillation import SpotDistillation
from sakd.objectives.supervised import Supervised

__all__ = [
    "Graft",
    "JointDistillation",
    "Objective",
    "PretrainingObjective",
    "Router",
    "SpotDistillation",
    "StepResult",
    "Supervised",
    "distil",
]
