"""Make the trainings of systems: of ways to learn other than distillation at spots."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, Required, TypedDict

from sakd.foundation.errors import UserError, require
from sakd.foundation.keys import facts_of
from sakd.foundation.randomness import seeded
from sakd.networks import StagedNetwork
from sakd.networks.ensemble import members_of, parts_of
from sakd.networks.variants import network_of
from sakd.objectives import (
    DataFacts,
    Distillation,
    Objective,
    Optimisation,
    Routing,
    Settings,
)
from sakd.objectives.parameters import Options
from sakd.routing import POLICIES, RoutingPolicy
from sakd.study.facts import facts_of_system
from sakd.study.fitting import fits
from sakd.study.grid import ALWAYS, Cell
from sakd.study.networks import fresh_network, trained_network
from sakd.study.recipe import Recipe
from sakd.systems import SYSTEMS, Partner, Situation, System
from sakd.weights.saved import Weights

if TYPE_CHECKING:
    from sakd.study.trainings import Learner, Training

Networks = tuple[StagedNetwork, ...]
Parts = tuple[tuple[int, ...], ...]


class Means(TypedDict, total=False):
    """The parameters of methods, as in `sakd.study.parameters.Parameters`."""

    distillation: Required[Distillation]
    routing: Required[Routing]
    systems: Options


def settings_of(system: str, given: Options) -> Settings:
    """Make the settings of a system; those that are not ``given`` are its own.

    Raises:
        UserError: A value is out of range.
    """
    try:
        return SYSTEMS[system].settings(**given.get(system, {}))
    except UserError as error:
        raise UserError(f"systems.{system}: {error}") from error


def system_training(
    alone: Training, student: Learner, cell: Cell, teacher: Weights | None, means: Means
) -> Training:
    """Train as ``alone``, by the system that ``cell`` names.

    Args:
        alone: The training of the student alone.
        student: Builds the student.
        cell: Names the networks, the system and the policy.
        teacher: The weights of the teacher; None where the system needs none.
        means: The parameters of methods.

    Raises:
        UserError: The system cannot be routed by this policy, or lacks its teacher.
    """
    kind, policy = SYSTEMS[cell.distiller], POLICIES[cell.policy]
    found = f"system {cell.distiller!r} cannot be routed by {cell.policy!r}"
    require(kind.routable or cell.policy == ALWAYS, f"{found}: take {ALWAYS!r}")
    settings = settings_of(cell.distiller, means.get("systems", {}))
    networks, routing = _Networks(cell, student, teacher), means["routing"]
    distillation = _distillation(kind, alone, means["distillation"])
    card, recipe = student.lessons.card, recipe_of(kind, alone.recipe)
    made = partial(
        Situation,
        data=DataFacts(card.image_shape, alone.images.labels, recipe.task),
        fresh=networks.fresh,
        epochs=recipe.epochs,
        distillation=distillation,
        policy=policy,
        routing=routing,
    )

    def build(shared: StagedNetwork | None) -> Objective:
        with seeded(cell.seed, "objective"):
            ours = student.build()
            partners, parts = networks.partners(kind.partner, shared)
            return kind.of(made(student=ours, partners=partners, parts=parts), settings)

    facts = facts_of_system(cell, teacher, settings, distillation, routing)
    return replace(
        alone,
        facts={**alone.facts, **facts, "training": facts_of(recipe)},
        build=build,
        recipe=recipe,
        optimisation=_recipes(kind, alone, policy, routing),
        teacher=networks.taught if cell.taught and not kind.trains_teacher else None,
        aside=student.lessons.aside_for(cell.policy),
        groups=settings.groups,
        shared=not cell.taught,
    )


def recipe_of(kind: type[System[Any]], given: Recipe) -> Recipe:
    """Give the recipe by which a system is trained: the one that is ``given``, as far as it counts.

    Of a system that learns without gradients another recipe is no other training.
    """
    if kind.passes is None:
        return given
    return replace(
        given, epochs=kind.passes, optimisation=Optimisation(), label_smoothing=0.0, ema=0.0
    )


def _recipes(
    kind: type[System[Any]], alone: Training, policy: type[RoutingPolicy], routing: Routing
) -> dict[str, Optimisation]:
    """Give the recipes by player."""
    found = dict(alone.optimisation) if kind.passes is None else {}
    if policy.trained:
        found["router"] = routing.optimisation(alone.recipe.optimisation)
    return found


def _distillation(kind: type[System[Any]], alone: Training, given: Distillation) -> Distillation:
    """Give what the system reads of ``given``; outputs are kept where views are fixed alone."""
    fixed = kind.partner.trained and not kind.trains_teacher
    fixed = fixed and bool(alone.images.fixed(alone.recipe.augment))
    kept = given.keep_outputs_mb if fixed else 0
    return replace(given if kind.distils else Distillation(), keep_outputs_mb=kept)


@dataclass(frozen=True)
class _Networks:
    """The networks of a cell besides its student."""

    cell: Cell
    student: Learner
    teacher: Weights | None

    def partners(self, kind: Partner, shared: StagedNetwork | None) -> tuple[Networks, Parts]:
        """Build the partners; frozen teachers may be ``shared`` with other trainings.

        Returns:
            The partners, and the numbers of the classes of each where these differ.
        """
        if kind.trained:
            taught = self.taught() if shared is None else shared
            return members_of(taught), parts_of(taught)
        return ((self.fresh(0, True),) if kind is Partner.PEERS else ()), ()

    def taught(self) -> StagedNetwork:
        """Build the trained teacher."""
        cell = self.cell
        lacking = f"{cell.id}: {cell.distiller!r} learns from a trained teacher, and there is none"
        if self.teacher is None:
            raise UserError(f"{lacking}: give its weights")
        name, card = network_of(cell.teacher), self.student.lessons.card
        with seeded(cell.seed, "teacher"):  # its draws are overwritten, and shift no others
            return trained_network(name, card, self.teacher)

    def fresh(self, number: int, partner: bool) -> StagedNetwork:
        """Build another network with fresh weights, see `Situation.fresh`."""
        name = network_of(self.cell.teacher) if partner else self.cell.student
        with seeded(self.cell.seed, "peer" if partner else "branch", number):
            return fresh_network(name, self.student.lessons.card)


def check_system(name: str, policies: Sequence[str], pairs: Sequence[str]) -> None:
    """Check that a system fits the policies of a grid, and the pairs that are trained by it.

    Raises:
        UserError: It cannot be routed where it must be, or has too few or too many teachers.
    """
    found, kind = f"grid.systems: {name!r}", SYSTEMS[name]
    lacking = f"cannot be routed, and grid.policies ({', '.join(policies)}) lacks {ALWAYS!r}"
    require(kind.routable or ALWAYS in policies, f"{found} {lacking}: add it")
    example = "resnet20&vgg8/resnet8" if kind.partner.several else "resnet20/resnet8"
    if kind.partner is Partner.PARTS:
        example = "resnet20@one&resnet20@other/resnet8, of variants that have classes"
    if kind.same_network:
        example = "resnet8/resnet8, as its partner is of the student's network"
    if kind.pruned:
        example = "vgg8/vgg8(keep=0.5), as its student is a pruned form of its teacher"
    for pair in pairs:
        unfit = f"{found} learns with {kind.partner.value}, which {pair!r} does not name"
        remedy = f"take a pair such as {example}, or leave it out by grid.exclude"
        require(fits(kind, pair), f"{unfit}: {remedy}")
