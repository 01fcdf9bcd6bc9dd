"""Ways to learn other than distillation at spots: a file and a line of `SYSTEMS` for each."""

from typing import Any

from sakd.foundation.errors import UserError
from sakd.foundation.tables import Table, is_outside
from sakd.systems.aekd import AEKD
from sakd.systems.afd_online import AFDOnline
from sakd.systems.among import Among
from sakd.systems.amtml import AMTML
from sakd.systems.average import Average
from sakd.systems.bake import BAKE
from sakd.systems.base import Partner, Situation, System
from sakd.systems.beta_smoothing import BetaSmoothing
from sakd.systems.byot import BYOT
from sakd.systems.camkd import CAMKD
from sakd.systems.cfl import CFL
from sakd.systems.ctkd import CTKD
from sakd.systems.dafl import DAFL
from sakd.systems.dcm import DCM
from sakd.systems.deep_supervision import DeepSupervision
from sakd.systems.dfad import DFAD
from sakd.systems.dgkd import DGKD
from sakd.systems.dml import DML
from sakd.systems.ebkd import EBKD
from sakd.systems.ekd import EKD
from sakd.systems.ema import EMA
from sakd.systems.eskd import ESKD
from sakd.systems.feed import FEED
from sakd.systems.ffl import FFL
from sakd.systems.frskd import FRSKD
from sakd.systems.fskd import FSKD
from sakd.systems.instance_smoothing import InstanceSmoothing
from sakd.systems.joined_kd import JoinedKD
from sakd.systems.label_smoothing import LabelSmoothing
from sakd.systems.layerwise_ka import LayerwiseKA
from sakd.systems.okddip import OKDDip
from sakd.systems.one import ONE
from sakd.systems.prokt import ProKT
from sakd.systems.rco import RCO
from sakd.systems.rocket import Rocket
from sakd.systems.snapshot import Snapshot
from sakd.systems.tfkd_reg import TfKDReg
from sakd.systems.tfkd_self import TfKDSelf

SYSTEMS: Table[type[System[Any]]] = Table(
    "system",
    {
        "label_smoothing": LabelSmoothing,
        "ema": EMA,
        "average": Average,
        "ebkd": EBKD,
        "camkd": CAMKD,
        "aekd": AEKD,
        "amtml": AMTML,
        "feed": FEED,
        "ekd": EKD,
        "among": Among,
        "joined_kd": JoinedKD,
        "layerwise_ka": LayerwiseKA,
        "cfl": CFL,
        "dml": DML,
        "tfkd_reg": TfKDReg,
        "tfkd_self": TfKDSelf,
        "instance_smoothing": InstanceSmoothing,
        "beta_smoothing": BetaSmoothing,
        "deep_supervision": DeepSupervision,
        "byot": BYOT,
        "dafl": DAFL,
        "dfad": DFAD,
        "fskd": FSKD,
        "one": ONE,
        "okddip": OKDDip,
        "bake": BAKE,
        "frskd": FRSKD,
        "ffl": FFL,
        "dcm": DCM,
        "dgkd": DGKD,
        "eskd": ESKD,
        "rco": RCO,
        "prokt": ProKT,
        "rocket": Rocket,
        "ctkd": CTKD,
        "afd_online": AFDOnline,
        "snapshot": Snapshot,
    },
    base=System,
)
"""The systems by name, or `package.module:Class` for one of your own."""


_NAMES = frozenset(SYSTEMS)


def system_of(method: str) -> type[System[Any]] | None:
    """Find the system that a method names; None where the name is that of distillers, or none."""
    if not is_outside(method) and method not in _NAMES:
        return None  # at once: a grid asks for every cell
    try:
        return SYSTEMS[method]
    except UserError:
        return None


__all__ = ["SYSTEMS", "Partner", "Situation", "System", "system_of"]
