"""The facts that determine a result, as plain JSON; their hash is its content key."""

from __future__ import annotations

from typing import Any

from sakd.data import mislabelled
from sakd.distillers.method import Method
from sakd.foundation.fingerprint import code_of
from sakd.foundation.keys import facts_of
from sakd.networks.code import network_code
from sakd.networks.variants import network_of
from sakd.objectives import OBJECTIVES, Distillation, Routing, Settings, Supervised
from sakd.objectives.parameters import Options
from sakd.routing import POLICIES
from sakd.study.grid import Cell
from sakd.study.lessons import Lessons
from sakd.study.recipe import Recipe
from sakd.systems import SYSTEMS, Partner
from sakd.tasks.smoothing import Smoothed
from sakd.training import train
from sakd.training.average import Average
from sakd.weights.saved import Weights

FORMAT = 4
"""Part of every content key: raise it when results change though no code or parameter did.

2: adapters are made for any two shapes, and some of those between maps have another kernel; the
key has the code of networks from outside, whether the teacher is trained too, and the statistics
that normalise the images; ab compares responses before the rectifier.
3: ab and ofd compare features of pre-activation networks after the next stage's batch norm.
4: every purpose draws from a generator of its own; the key has the code of all that a training
uses, and leaves out parameters that were added later, at the value that changes nothing.
"""


def facts_alone(
    network: str, lessons: Lessons, recipe: Recipe, start: Weights | None
) -> dict[str, Any]:
    """List what determines a training by labels alone, apart from its name and seed."""
    facts: dict[str, Any] = {**lessons.facts, "training": recipe.facts}
    facts["code"] = code_of(train, Supervised) | network_code(network)
    if recipe.label_smoothing:
        facts["code"] |= code_of(Smoothed)
    if recipe.ema:
        facts["code"] |= code_of(Average)
    if lessons.label_noise:
        facts["code"] |= code_of(mislabelled)
    # Fresh weights follow from the seed.
    return facts if start is None else facts | {"start": start.sha256()}


def facts_distilled(
    cell: Cell,
    method: Method,
    teacher: Weights,
    distillation: Distillation,
    routing: Routing,
    *,
    fixed: bool,
) -> dict[str, Any]:
    """List what else determines the training of a cell with a teacher.

    The teacher's outputs are kept only where the views of the images are ``fixed``.
    """
    policy, teacher_network = POLICIES[cell.policy], network_of(cell.teacher)
    everyone = method.everyone
    kinds = [everyone[name] for name in distillation.weights_of(method)]
    code = code_of(train, OBJECTIVES[distillation.objective], policy, *kinds)
    facts = settings_distilled(cell, method, distillation, routing)
    facts["code"] = code | network_code(cell.student) | network_code(teacher_network)
    if fixed and distillation.keep_outputs_mb:
        facts["keep_outputs_mb"] = distillation.keep_outputs_mb
    return facts | _facts_of_teacher(teacher)


def settings_distilled(
    cell: Cell, method: Method, distillation: Distillation, routing: Routing
) -> dict[str, Any]:
    """List the settings that determine the distillation of a cell by the ``method`` it names."""
    weights = distillation.weights_of(method)
    facts: dict[str, Any] = {
        "objective": distillation.objective,
        "ce_weight": distillation.ce_weight_of(method),
        "weights": weights,
        "options": _chosen(distillation.options, *weights),
        **settings_routed(cell, routing),
    }
    if own := _chosen(distillation.objective_options, distillation.objective):
        facts["objective_options"] = own
    return facts


def facts_of_system(
    cell: Cell,
    teacher: Weights | None,
    settings: Settings,
    distillation: Distillation,
    routing: Routing,
) -> dict[str, Any]:
    """List what else determines the training of a cell by a system.

    Args:
        cell: Names the networks, the system and its policy.
        teacher: The weights of the teacher; they count where the system learns from them.
        settings: Those of the system.
        distillation: What the system reads of it.
        routing: It counts where the system is routed.
    """
    kind, policy = SYSTEMS[cell.distiller], POLICIES[cell.policy]
    chosen = *([policy] if kind.routable else []), *kind.named(settings)
    code = code_of(train, kind, *chosen) | network_code(cell.student)
    facts: dict[str, Any] = {"settings": facts_of(settings)}
    if kind.partner is not Partner.NONE:
        code |= network_code(network_of(cell.teacher))
    if kind.partner.trained and teacher is not None:
        facts |= _facts_of_teacher(teacher)
    if kind.distils:
        facts["distillation"] = facts_of(distillation)
    elif distillation.keep_outputs_mb:
        facts["keep_outputs_mb"] = distillation.keep_outputs_mb
    if kind.routable:
        facts |= settings_routed(cell, routing)
    return {"code": code, **facts}


def settings_routed(cell: Cell, routing: Routing) -> dict[str, Any]:
    """List the settings that determine the routing of a cell."""
    options = {"policy_options": _chosen(routing.options, cell.policy)}
    return options | _facts_of_router(cell.policy, routing)


def _facts_of_teacher(teacher: Weights) -> dict[str, Any]:
    own = {"teacher_statistics": teacher.card["statistics"]} if "statistics" in teacher.card else {}
    return {"teacher_weights": teacher.sha256(), **own}


def _facts_of_router(policy: str, routing: Routing) -> dict[str, Any]:
    if not POLICIES[policy].trained:
        return {}
    return {"routing": {k: v for k, v in facts_of(routing).items() if k != "options"}}


def _chosen(options: Options, *names: str) -> dict[str, dict[str, Any]]:
    return {name: dict(options[name]) for name in names if name in options}
