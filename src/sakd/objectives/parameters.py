"""The parameters of a distillation: the weights of its losses, its router, its options."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

import torch

from sakd.distillers import DISTILLERS, Distiller, Pair
from sakd.distillers.method import COMPANION, Method
from sakd.foundation.errors import UserError, require, require_not_negative, require_positive
from sakd.foundation.options import require_type
from sakd.foundation.tables import Table
from sakd.objectives.players import Optimisation
from sakd.routing import POLICIES

Options = Mapping[str, Mapping[str, bool | int | float | str]]


@dataclass(frozen=True)
class Distillation:
    """How a student learns from its teacher, and how its losses are weighted.

    Attributes:
        objective: A name in `sakd.objectives.OBJECTIVES`; ``joint`` trains the teacher along with
            the student, ``unix`` shows both a part of every batch, mixed. A method that needs
            another one is trained by that, see `suited`.
        ce_weight: The weight of the cross-entropy on the labels.
        kd_weight: Alpha; KD joins every method that does not compare logits itself at this
            weight, as in the papers' "distiller + KD". 0 leaves the method alone. Distillers that
            stand alone (simkd) take neither this nor ``ce_weight``.
        weights: Beta by distiller, where it differs from the published one.
        options: Constructor arguments by distiller.
        objective_options: The settings of objectives that have some, by objective.
        keep_outputs_mb: The most memory, in MB, for the outputs of a frozen teacher that one
            training needs, of all its images in all their views. Up to it they are computed once,
            and kept; beyond it, where every epoch has new views, and where the objective mixes
            images, the teacher runs in every step. Outputs computed in other batches may differ in
            the last bits.
    """

    objective: str = "distillation"
    ce_weight: float = 1.0
    kd_weight: float = 1.0
    weights: Mapping[str, float] = field(default_factory=dict)
    options: Options = field(default_factory=dict)
    objective_options: Options = field(default_factory=dict)
    keep_outputs_mb: int = 0

    def __post_init__(self) -> None:
        """Refuse negative numbers."""
        named = {f"weights.{name}": weight for name, weight in self.weights.items()}
        require_not_negative(ce_weight=self.ce_weight, kd_weight=self.kd_weight, **named)
        require_not_negative(keep_outputs_mb=self.keep_outputs_mb)

    def suited(self, method: Method) -> Distillation:
        """Give the distillation with the objective that ``method`` needs, if it needs another one.

        Raises:
            UserError: Another one is asked for, or all weights of the loss are 0.
        """
        weights = self.weights_of(method)
        fine = bool(weights) or self.ce_weight_of(method) > 0
        named = ", ".join(f"weights.{name}" for name in method.distillers)
        rest = f"0, and no other loss trains the student of {method.name!r}"
        require(fine, f"distillation.{named} is {rest}: give one a weight above 0")
        kinds = (method.everyone[name] for name in weights)
        needed = next(filter(None, (kind.objective for kind in kinds)), None)
        if needed in (None, self.objective):
            return self
        require(
            self.objective == Distillation.objective,
            f"distillation.objective {self.objective!r}: {method.name!r} can only be trained by "
            f"{needed!r}: leave one of the two out",
        )
        return replace(self, objective=needed)

    def weights_of(self, method: Method) -> dict[str, float]:
        """Give the weights of the distillers of ``method``, and of the KD that joins, if not 0."""
        weights = {COMPANION: self.kd_weight} if method.companion else {}
        given = method.distillers.items()
        weights |= {name: self.weights.get(name, kind.weight) for name, kind in given}
        return {name: weight for name, weight in weights.items() if weight}

    def ce_weight_of(self, method: Method) -> float:
        """Give the weight of the cross-entropy with ``method``."""
        return 0.0 if method.stands_alone else self.ce_weight

    def check_classes(self, method: Method, classes: int) -> None:
        """Check that the distillers of ``method`` work on logits of so many classes.

        Raises:
            UserError: One of them does not.
        """
        for name in self.weights_of(method):
            kind, options = method.everyone[name], self.options.get(name, {})
            try:
                with torch.random.fork_rng(devices=()):
                    kind(_sample_pair(kind, classes), **options)
            except UserError as error:
                raise UserError(f"distiller {name!r}: {error}") from error

    def check(self) -> None:
        """Look every distiller up, and try its options.

        Raises:
            UserError: A weight or an option names an unknown distiller, or an option is not one
                of its own.
        """
        for name in self.weights:
            _ = DISTILLERS[name]
        check_options(DISTILLERS, self.options, lambda kind: partial(kind, _sample_pair(kind)))


@dataclass(frozen=True)
class Routing:
    """How the routing policy is trained.

    Attributes:
        gamma: Factor of the routing loss; None takes the published one of the distiller, or the
            largest of several.
        same_family_bias: Head start for "distil everywhere" where both networks are of one
            family (``homo`` in the SAKD reference).
        lr_factor: The router's learning rate, as a multiple of the student's.
        weight_decay: The weight decay of the router.
        options: Constructor arguments by policy.
    """

    gamma: float | None = None
    same_family_bias: float = 10.0
    lr_factor: float = 0.5
    weight_decay: float = 1e-3
    options: Options = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Refuse values that cannot train a policy."""
        fine = self.gamma is None or self.gamma > 0
        require(fine, f"gamma must be above 0, or null, got {self.gamma}")
        require_positive(lr_factor=self.lr_factor)
        require_not_negative(weight_decay=self.weight_decay)

    def optimisation(self, student: Optimisation) -> Optimisation:
        """Derive the recipe of the router from that of the student."""
        return replace(student, lr=student.lr * self.lr_factor, weight_decay=self.weight_decay)

    def check(self) -> None:
        """Look every policy up, and try its options.

        Raises:
            UserError: An option names an unknown policy, or is not one of its own.
        """
        check_options(POLICIES, self.options, lambda kind: partial(kind, 1, 1, 1))


def _sample_pair(kind: type[Distiller], classes: int = 8) -> Pair:
    """Give a pair of equal networks of so many classes, which any distiller takes."""
    depth = 6
    spots = kind.family.spots(depth, depth)
    feature = (8,) * len(kind.family.axes)
    shapes = tuple((classes,) if spot.student == depth else feature for spot in spots)
    return Pair(spots, shapes, shapes, torch.arange(2))


def check_options(
    table: Table[type[Any]], options: Options, maker: Callable[[Any], Callable[..., object]]
) -> None:
    """Check that every item named in ``options`` exists and takes its options, by trying them.

    Args:
        table: The items by name.
        options: Keyword arguments by item.
        maker: Gives what is called with the options of an item, and nothing else.

    Raises:
        UserError: An item is unknown, or does not take an option.
    """
    for name, given in options.items():
        item, make = f"{table.kind} {name!r}", maker(table[name])
        known = _options_of(item, make)
        for option, value in given.items():
            listed = ", ".join(known) or "none"
            require(option in known, f"{item} has no option {option!r}; known: {listed}")
            require_type(f"option {option!r} of {item}", value, known[option])
        try:
            with torch.random.fork_rng(devices=()):
                make(**given)
        except UserError as error:
            raise UserError(f"options of {item}: {error}") from error


def _options_of(item: str, make: Callable[..., object]) -> dict[str, Any]:
    """List the keyword-only arguments of ``make`` with their types; `Any` without a type."""
    try:
        parameters = inspect.signature(make, eval_str=True).parameters.values()
    except NameError as error:
        raise UserError(
            f"the types of {item} cannot be read: {error}; import such names at run time, not for "
            "type checkers alone"
        ) from error
    options = (p for p in parameters if p.kind is p.KEYWORD_ONLY)
    return {p.name: Any if p.annotation is p.empty else p.annotation for p in options}
