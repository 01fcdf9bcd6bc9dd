"""The distillers, by name: ``DISTILLERS[name]`` is a `Distiller` class."""

from __future__ import annotations

from sakd.distillers.ab import ActivationBoundaries
from sakd.distillers.afd import FeatureAttention
from sakd.distillers.at import AttentionTransfer
from sakd.distillers.attentive import AttentiveChannels
from sakd.distillers.base import Distiller, Epoch, Pair, Pretraining, Sensitivity, Side
from sakd.distillers.cat import KernelAlignment
from sakd.distillers.category import CategoryStructure
from sakd.distillers.category_logits import CategoryLogits
from sakd.distillers.cc import CorrelationCongruence
from sakd.distillers.crcd import ComplementaryRelations
from sakd.distillers.crcd_gradient import LossGradients
from sakd.distillers.crd import ContrastiveRepresentation
from sakd.distillers.cwd import ChannelDivergence
from sakd.distillers.dist import CorrelationOfPredictions
from sakd.distillers.dkd import DecoupledKD
from sakd.distillers.dtd import DynamicTemperature
from sakd.distillers.fitnet import FitNet
from sakd.distillers.fsp import SolutionFlow
from sakd.distillers.ft import FactorTransfer
from sakd.distillers.irg import InstanceRelations
from sakd.distillers.irg_transform import InstanceTransformations
from sakd.distillers.jacobian import JacobianMatching
from sakd.distillers.ka import KnowledgeAdjustment
from sakd.distillers.kd import KD
from sakd.distillers.kdsvd import SingularDirections
from sakd.distillers.l2tww import LearnedTransfer
from sakd.distillers.lcc import LocalCorrelation
from sakd.distillers.mgd import MatchingGuided
from sakd.distillers.nst import NeuronSelectivity
from sakd.distillers.ofd import FeatureOverhaul
from sakd.distillers.pad import PrimeAwareAdaptive
from sakd.distillers.pkt import ProbabilisticTransfer
from sakd.distillers.projection import KnowledgeProjection
from sakd.distillers.reviewkd import KnowledgeReview
from sakd.distillers.rkd import RelationalKD
from sakd.distillers.simkd import SimKD
from sakd.distillers.skd import StructuredKD
from sakd.distillers.sp import SimilarityPreserving
from sakd.distillers.sskd import StagewiseDistillation
from sakd.distillers.tofd import TaskOriented
from sakd.distillers.triplet import TripletDistillation
from sakd.distillers.vid import VariationalInformation
from sakd.foundation.tables import Table

DISTILLERS: Table[type[Distiller]] = Table(
    "distiller",
    {
        "kd": KD,
        "fitnet": FitNet,
        "at": AttentionTransfer,
        "sp": SimilarityPreserving,
        "rkd": RelationalKD,
        "cc": CorrelationCongruence,
        "pkt": ProbabilisticTransfer,
        "nst": NeuronSelectivity,
        "vid": VariationalInformation,
        "fsp": SolutionFlow,
        "ab": ActivationBoundaries,
        "kdsvd": SingularDirections,
        "ft": FactorTransfer,
        "ofd": FeatureOverhaul,
        "simkd": SimKD,
        "crd": ContrastiveRepresentation,
        "dkd": DecoupledKD,
        "dist": CorrelationOfPredictions,
        "reviewkd": KnowledgeReview,
        "cwd": ChannelDivergence,
        "ka": KnowledgeAdjustment,
        "dtd": DynamicTemperature,
        "pad": PrimeAwareAdaptive,
        "category": CategoryStructure,
        "category_logits": CategoryLogits,
        "triplet": TripletDistillation,
        "irg": InstanceRelations,
        "irg_transform": InstanceTransformations,
        "lcc": LocalCorrelation,
        "afd": FeatureAttention,
        "l2tww": LearnedTransfer,
        "cat": KernelAlignment,
        "skd": StructuredKD,
        "crcd": ComplementaryRelations,
        "tofd": TaskOriented,
        "mgd": MatchingGuided,
        "crcd_gradient": LossGradients,
        "jacobian": JacobianMatching,
        "attentive": AttentiveChannels,
        "sskd": StagewiseDistillation,
        "projection": KnowledgeProjection,
    },
    base=Distiller,
)
"""The distillers by name, or `package.module:Class` for one of your own."""

__all__ = ["DISTILLERS", "Distiller", "Epoch", "Pair", "Pretraining", "Sensitivity", "Side"]
