"""Training problems: the losses of each, and the parameters that minimise them."""

from sakd.objectives.base import Objective, Pretrainable, StepResult
from sakd.objectives.build import OBJECTIVES, distil, objective_of
from sakd.objectives.compatibility import check_shares
from sakd.objectives.graft import Graft
from sakd.objectives.joint import JointDistillation
from sakd.objectives.outputs import Outputs
from sakd.objectives.parameters import Distillation, Routing
from sakd.objectives.phased import PhasedDistillation
from sakd.objectives.phases import Phase, spans
from sakd.objectives.players import Optimisation, Player
from sakd.objectives.pretraining import PretrainingObjective
from sakd.objectives.problem import Buildable, DataFacts, Problem, Settings
from sakd.objectives.requests import Request, answer, merged
from sakd.objectives.routed import Decisive
from sakd.objectives.router import Router
from sakd.objectives.spot_distillation import SpotDistillation
from sakd.objectives.supervised import Supervised
from sakd.objectives.unix import Mixing, Unix

__all__ = [
    "OBJECTIVES",
    "Buildable",
    "DataFacts",
    "Decisive",
    "Distillation",
    "Graft",
    "JointDistillation",
    "Mixing",
    "Objective",
    "Optimisation",
    "Outputs",
    "Phase",
    "PhasedDistillation",
    "Player",
    "Pretrainable",
    "PretrainingObjective",
    "Problem",
    "Request",
    "Router",
    "Routing",
    "Settings",
    "SpotDistillation",
    "StepResult",
    "Supervised",
    "Unix",
    "answer",
    "check_shares",
    "distil",
    "merged",
    "objective_of",
    "spans",
]
