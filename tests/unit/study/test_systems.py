"""Systems in a study: their cells, their keys, their networks, and what cannot be asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import pytest
import torch
from torch import nn

from sakd.data import Batch, Groups, Splits
from sakd.distillers import DISTILLERS
from sakd.foundation.errors import UserError, require
from sakd.foundation.vocabulary import DONE
from sakd.objectives import (
    Distillation,
    Optimisation,
    Player,
    Routing,
    Settings,
    StepResult,
)
from sakd.study.bench import Bench
from sakd.study.evaluation import Evaluator
from sakd.study.grid import ALL, Cell, Grid
from sakd.study.lessons import Lessons
from sakd.study.parsing import parse_parameters
from sakd.study.recipe import Recipe
from sakd.study.rehearsal import rehearse_systems
from sakd.study.train import run_training
from sakd.study.trainings import Training, cell_training
from sakd.systems import SYSTEMS, Partner, Situation, System
from sakd.training.progress import Progress
from sakd.weights.saved import Weights

PLAIN = Distillation()
BRIEF = Recipe(epochs=2, batch_size=8, keep_epochs=0)


@dataclass(frozen=True, kw_only=True)
class Share(Settings):
    """The settings of `Twins`."""

    share: float = 0.5


class Twins(System[Share]):
    """Two networks that learn from the labels, each for itself."""

    partner = Partner.PEERS
    settings = Share

    def __init__(self, student: nn.Module, peer: nn.Module, share: float) -> None:
        super().__init__()
        self.student, self.peer, self.share = student, peer, share

    @classmethod
    def of(cls, situation: Situation, settings: Share) -> Self:
        return cls(situation.student, *situation.partners, settings.share)

    @property
    def network(self) -> nn.Module:
        return self.student

    def further_networks(self) -> Mapping[str, nn.Module]:
        return {"peer1": self.peer}

    def players(self) -> dict[str, Player]:
        return {
            "student": Player.of(self.student),
            "peer1": Player.of(self.peer)._replace(like="student"),
        }

    def forward(self, batch: Batch, teacher: Any = None) -> StepResult:
        losses = {
            "student": nn.functional.cross_entropy(self.student(batch.images), batch.labels),
            "peer1": self.share
            * nn.functional.cross_entropy(self.peer(batch.images), batch.labels),
        }
        return StepResult(losses, {name: loss.detach() for name, loss in losses.items()})


class Patient(Twins):
    """Two networks that need time."""

    @classmethod
    def of(cls, situation: Situation, settings: Share) -> Self:
        assert situation.epochs is not None
        require(situation.epochs > 9, f"epoch 10 is beyond the {situation.epochs} epochs")
        return super().of(situation, settings)


class Taught(Twins):
    """A student that has a teacher to ask."""

    partner = Partner.TEACHER


class Many(Twins):
    """A student of several teachers."""

    partner = Partner.TEACHERS


TWINS, PATIENT, TAUGHT, MANY = (
    f"{__name__}:{kind.__name__}" for kind in (Twins, Patient, Taught, Many)
)

Make = Callable[..., Training]


@pytest.fixture
def make(lessons: Lessons) -> Make:
    """Make the training of a cell by a system."""

    def make(
        system: str,
        teacher: Weights | None = None,
        pair: tuple[str, str] = ("resnet14", "resnet8"),
        policy: str = "always",
        distillation: Distillation = PLAIN,
        **settings: Any,
    ) -> Training:
        cell = Cell("toys", *pair, system, policy, 0)
        means = {"distillation": distillation, "routing": Routing()}
        return cell_training(cell, teacher, lessons, BRIEF, **means, systems={system: settings})

    return make


def test_a_system_is_trained_once_and_distillers_by_every_policy() -> None:
    grid = Grid(distillers=("at",), systems=("label_smoothing", TWINS))
    grid.check()
    (row,) = grid.rows("toys")
    assert [(cell.distiller, cell.policy) for cell in row.cells] == [
        ("none", "none"),
        ("at", "always"),
        ("at", "adaptive"),
        ("label_smoothing", "always"),
        (TWINS, "always"),
    ]
    assert [cell.taught for cell in row.cells] == [False, True, True, False, False]


def test_teachers_are_needed_by_distillers_and_by_systems_that_ask_them() -> None:
    untaught = Grid(pairs=("resnet14@brief/resnet8",), distillers=(), systems=("label_smoothing",))
    assert untaught.teachers() == ()
    assert untaught.partners() == ("resnet14@brief",)
    assert not untaught.rows("toys")[0].taught
    for more in ({"systems": (TAUGHT,)}, {"distillers": ("kd",)}):
        needing = replace(untaught, **more)
        assert needing.teachers() == ("resnet14@brief",)
        assert needing.rows("toys")[0].taught


def test_all_stands_for_every_system_that_the_pairs_carry() -> None:
    of = {partner: {n for n, k in SYSTEMS.items() if k.partner is partner} for partner in Partner}
    same = {name for name, kind in SYSTEMS.items() if kind.same_network}
    pruned = {name for name, kind in SYSTEMS.items() if kind.pruned}
    single = of[Partner.TEACHER] | of[Partner.PEERS] | of[Partner.NONE]
    for pairs, names in {
        ("resnet20/resnet8",): single - same - pruned,
        ("resnet8/resnet8",): single - pruned,
        ("resnet8/resnet8(keep=0.5)",): single - same,
        ("resnet20&vgg8/resnet8",): of[Partner.TEACHERS] | of[Partner.NONE],
        ("resnet8/resnet8", "resnet20&vgg8/resnet8"): single - pruned | of[Partner.TEACHERS],
        ("resnet8/resnet8", "resnet20/resnet8"): single - same - pruned,
    }.items():
        assert set(Grid(pairs=pairs, systems=(ALL,)).systems) == names


def test_pairs_have_the_methods_that_learn_from_as_many_teachers() -> None:
    grid = parse_parameters(
        {
            "grid": {
                "pairs": ["resnet20/resnet8", "resnet20&vgg8/resnet8"],
                "distillers": ["kd"],
                "policies": ["always"],
                "systems": ["label_smoothing", "eskd", "ebkd"],
            }
        }
    ).grid
    single, several = grid.rows("toys")
    assert [cell.distiller for cell in single.cells] == ["none", "kd", "label_smoothing", "eskd"]
    assert [cell.distiller for cell in several.cells] == ["none", "label_smoothing", "ebkd"]


def test_no_system_has_the_name_of_a_distiller() -> None:
    assert not set(SYSTEMS) & {*DISTILLERS, "none", ALL}
    assert not [name for name in SYSTEMS if "-" in name]


def test_a_partner_without_weights_counts_by_its_network_and_none_does_not_count(
    make: Make, teacher: Weights
) -> None:
    alone, variant = (
        make("label_smoothing"),
        make("label_smoothing", teacher, ("resnet14@x", "resnet8")),
    )
    assert alone.key == variant.key
    assert (alone.group, alone.id) == (variant.group, variant.id)
    assert alone.shared
    assert make(TWINS).key == make(TWINS, teacher).key
    assert "sakd.networks.zoo.vgg" in make(TWINS, pair=("vgg8", "resnet8")).facts["code"]
    assert "teacher_weights" not in make(TWINS, teacher).facts
    assert make(TAUGHT, teacher).facts["teacher_weights"] == teacher.sha256()
    assert not make(TAUGHT, teacher).shared


def test_batches_in_groups_are_shared_with_no_other_training(make: Make, bench: Bench) -> None:
    plain, other = make("label_smoothing"), make("byot")
    one, again, wide = make("bake"), make("bake", omega=0.9), make("bake", companions=1)
    assert plain.learns_from == other.learns_from
    assert one.learns_from == again.learns_from
    assert len({one.learns_from, wide.learns_from, plain.learns_from}) == 3
    assert [bench.stream(t).groups for t in (plain, one, wide)] == [None, Groups(3), Groups(1)]
    assert len(bench.stream(one)) == len(bench.stream(plain))


def test_settings_and_code_are_part_of_the_key(make: Make) -> None:
    plain, other = make("label_smoothing"), make("label_smoothing", epsilon=0.2)
    assert plain.facts["settings"] == {"epsilon": 0.1}
    assert plain.key == make("label_smoothing", epsilon=0.1).key != other.key
    code = plain.facts["code"]
    assert {"sakd.systems.label_smoothing", "sakd.tasks.smoothing"} <= code.keys()
    weighted = make("label_smoothing", distillation=Distillation(weights={"at": 2.0}))
    assert weighted.key == plain.key


def test_a_system_without_gradients_has_its_own_epochs_and_no_recipe_counts(
    make: Make, lessons: Lessons, teacher: Weights
) -> None:
    pair = ("resnet14", "resnet14(keep=0.5)")
    training = make("fskd", teacher, pair)
    assert (training.recipe.epochs, training.recipe.batch_size) == (1, 8)
    other = replace(BRIEF, epochs=9, optimisation=Optimisation(warmup_epochs=5.0), ema=0.9)
    means = {"distillation": PLAIN, "routing": Routing()}
    cell = Cell("toys", *pair, "fskd", "always", 0)
    assert cell_training(cell, teacher, lessons, other, **means).key == training.key
    assert make("fskd", teacher, pair, images=5).key != training.key
    assert make(TAUGHT, teacher).recipe == BRIEF


def test_networks_are_fresh_differ_and_depend_on_the_seed_alone(make: Make) -> None:
    one, again = (make(TWINS, pair=("resnet8", "resnet8")).build(None) for _ in range(2))
    assert isinstance(one, Twins)
    assert isinstance(again, Twins)
    weights = [next(network.parameters()) for network in (one.student, one.peer, again.peer)]
    assert not torch.equal(weights[0], weights[1])
    assert torch.equal(weights[1], weights[2])


def test_further_networks_are_kept_and_measured_on_test(make: Make, bench: Bench) -> None:
    training = make(TWINS)
    record = run_training(training, bench, Progress("toys", 1))
    assert record.status == DONE, record.error
    assert {"further.safetensors", "further.json"} <= record.files.keys()
    cell = Cell("toys", "resnet14", "resnet8", TWINS, "always", 0)
    evaluator = Evaluator(bench.store, bench.val, bench.val, bench.device)  # val stands for test
    found = evaluator.cell(cell, record, None, training).measures
    last = bench.entry(training).history()[-1]
    assert found["test_top1"] == last["val_top1"]
    assert found["test_top1_peer1"] == last["val_top1_peer1"]
    assert not {"test_kl", "test_agreement"} & found.keys()


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"grid": {"systems": "label_smoothin"}}, "unknown system 'label_smoothin'; did you mean"),
        ({"grid": {"systems": "at"}}, "grid.systems: 'at' is a distiller: name it in"),
        ({"grid": {"distillers": "label_smoothing"}}, "is a system: name it in grid.systems"),
        ({"grid": {"systems": f"{TWINS}+{TWINS}"}}, "grid.systems repeats itself"),
        (
            {"grid": {"systems": TWINS, "policies": "adaptive"}},
            "cannot be routed, and grid.policies (adaptive) lacks 'always': add it",
        ),
        (
            {"grid": {"systems": MANY, "pairs": "resnet20/resnet8"}},
            "learns with several trained teachers, which 'resnet20/resnet8' does not name: take",
        ),
        (
            {"grid": {"systems": TWINS, "distillers": [], "pairs": "vgg8&resnet20/resnet8"}},
            "learns with fresh networks, which 'vgg8&resnet20/resnet8' does not name: take a pair",
        ),
        (
            {"grid": {"systems": "tfkd_self", "pairs": "resnet20/resnet8"}},
            "take a pair such as resnet8/resnet8, as its partner is of the student's network",
        ),
        (
            {"grid": {"systems": "fskd", "pairs": "resnet20/resnet8"}},
            "take a pair such as vgg8/vgg8(keep=0.5), as its student is a pruned form of its",
        ),
        ({"grid": {"pairs": "vgg8/vgg8(keep=2)"}}, "keep must be above 0 and below 1, got 2"),
        (
            {"systems": {"fskd": {"images": 0}}},
            "images must be 1 or more, or null for all, got 0",
        ),
        (
            {"grid": {"systems": MANY, "pairs": "resnet20&vgg8/resnet8"}},
            "has 2 teachers, and distillers learn from one: name one of its teachers in a pair of "
            "its own too, resnet20/resnet8",
        ),
        (
            {
                "grid": {
                    "systems": TAUGHT,
                    "distillers": [],
                    "pairs": "resnet20/resnet8+resnet20&vgg8/resnet8",
                    "baseline": False,
                }
            },
            "the grid has no method for 'resnet20&vgg8/resnet8': leave the pair out",
        ),
        ({"systems": {"label_smoothin": {}}}, "unknown system 'label_smoothin'; did you mean"),
        (
            {"systems": {"label_smoothing": {"eps": 0.1}}},
            "system 'label_smoothing' has no option 'eps'; known: epsilon",
        ),
        (
            {"systems": {"label_smoothing": {"epsilon": "much"}}},
            "option 'epsilon' of system 'label_smoothing' takes float, got 'much'",
        ),
        (
            {"systems": {"label_smoothing": {"epsilon": 1.5}}},
            "system 'label_smoothing': epsilon must be from 0 to below 1, got 1.5",
        ),
    ],
)
def test_a_wrong_system_is_refused_before_anything_is_trained(
    parameters: dict[str, Any], message: str
) -> None:
    with pytest.raises(UserError) as caught:
        parse_parameters(parameters)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_system_that_does_not_fit_is_refused_before_anything_is_trained(splits: Splits) -> None:
    grid = {"pairs": "resnet14/resnet8", "distillers": [], "systems": PATIENT}
    short, long = (
        parse_parameters({"grid": grid, "student": {"epochs": epochs}}) for epochs in (4, 10)
    )
    rehearse_systems(long, splits.card)
    message = r"system '.*Patient' on resnet14/resnet8: epoch 10 is beyond the 4 epochs"
    with pytest.raises(UserError, match=message):
        rehearse_systems(short, splits.card)


def test_more_images_than_there_are_are_refused_before_anything_is_trained(splits: Splits) -> None:
    grid = {"pairs": "resnet14/resnet14(keep=0.5)", "distillers": [], "systems": "fskd"}
    made = {"grid": grid, "data": {"student_per_class": 1}, "systems": {"fskd": {"images": 5}}}
    rehearse_systems(parse_parameters({**made, "systems": {}}), splits.card)
    count = len(splits.card.classes)
    with pytest.raises(UserError, match=rf"fskd.*5 images, of {count} training images: .* null"):
        rehearse_systems(parse_parameters(made), splits.card)


def test_a_cell_that_cannot_be_is_refused(make: Make) -> None:
    with pytest.raises(UserError, match=r"cannot be routed by 'adaptive': take 'always'"):
        make(TWINS, policy="adaptive")
    with pytest.raises(UserError, match=r"learns from a trained teacher.*give its weights"):
        make(TAUGHT).build(None)
