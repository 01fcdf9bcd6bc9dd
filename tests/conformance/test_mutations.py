"""A test of the tests: small changes of the code, each of which a comparison must notice."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable
from functools import partial
from textwrap import dedent, indent
from typing import Any, NamedTuple

import pytest

from conformance.comparison import Comparison
from conformance.contrast import compare_contrast
from conformance.losses import compare_initial_values, compare_loss
from conformance.steps.compare import compare_steps
from conformance.steps.pretraining import compare_pretraining
from conformance.survey.table import SURVEY
from conformance.systems.itself import COMPARISONS
from conformance.systems.many import COMPARISONS as MANY
from sakd.distillers import (
    ab,
    afd,
    base,
    cat,
    cc,
    cwd,
    dtd,
    ft,
    irg_transform,
    kd,
    kdsvd,
    l2tww,
    mgd,
    pad,
    pkt,
    rkd,
    skd,
    sp,
    tofd,
    triplet,
    vid,
)
from sakd.distillers.parts import branches, categories, labels, maps, matching, memory, shares
from sakd.objectives import Optimisation, PretrainingObjective, virtual
from sakd.objectives.routed import Routed
from sakd.objectives.router import Router
from sakd.routing.adaptive import Adaptive
from sakd.routing.anti import Anti
from sakd.systems import (
    aekd,
    amtml,
    average,
    bake,
    beta_smoothing,
    byot,
    camkd,
    ebkd,
    feed,
    frskd,
    tfkd_reg,
)
from sakd.systems.parts import pyramid


class Mutation(NamedTuple):
    """A change of a function's text, and the comparison that must notice it."""

    compare: Callable[[], Comparison]
    function: Any
    old: str
    new: str

    def apply(self, patch: pytest.MonkeyPatch) -> None:
        """Give the function the changed code and defaults, wherever it has been imported."""
        tree: Any = ast.parse(dedent(inspect.getsource(self.function)))
        (definition,) = tree.body
        if ast.get_docstring(definition):
            del definition.body[0]
        text = ast.unparse(definition)
        assert text.count(self.old) == 1, f"{self.old!r} is not once in:\n{text}"
        changed = indent(text.replace(self.old, self.new), "    ")
        scope: dict[str, Any] = {}
        source = f"from __future__ import annotations\nclass Changed:\n{changed}"
        exec(source, self.function.__globals__, scope)
        function = vars(scope["Changed"])[self.function.__name__]
        for part in ("__code__", "__defaults__", "__kwdefaults__"):
            patch.setattr(self.function, part, getattr(function, part))


def loss(name: str) -> Callable[[], Comparison]:
    return partial(compare_loss, name)


def steps(name: str) -> Callable[[], Comparison]:
    return partial(compare_steps, name)


MUTATIONS = {
    "the temperature of kd is 3.999": Mutation(loss("kd/T4"), kd.KD.__init__, "4.0", "3.999"),
    "attention takes the power 2.001": Mutation(
        loss("at/equal"), maps.attention, "squared(maps)", "maps.abs().pow(2.001)"
    ),
    "the norms of pkt get 1e-6": Mutation(
        loss("pkt/equal"), pkt.neighbourhood, "norm + EPSILON", "norm + 1e-06"
    ),
    "rkd weighs angles by 49.99": Mutation(
        loss("rkd/equal"), rkd.RelationalKD.__init__, "50.0", "49.99"
    ),
    "vid starts without its smallest variance": Mutation(
        compare_initial_values,
        vid.Gaussian.__init__,
        "initial_variance - SMALLEST_VARIANCE",
        "initial_variance",
    ),
    "ft squares the differences": Mutation(
        loss("ft/equal"), ft.FactorTransfer.loss, "abs()", "square()"
    ),
    "the kernel of kdsvd is a little wider": Mutation(
        loss("kdsvd/equal"), kdsvd.kernel, "/ 8", "/ 8.0001"
    ),
    "ab weighs all stages alike": Mutation(
        loss("ab/equal"), ab.ActivationBoundaries.loss, "2.0 **", "1.0 **"
    ),
    "the memory moves a little faster": Mutation(
        compare_contrast,
        memory.MemoryBank.__init__,
        "self.momentum = momentum",
        "self.momentum = 0.999 * momentum",
    ),
    "the memory's scale follows every batch": Mutation(
        compare_contrast, memory.MemoryBank.scaled, "self.scale, mean", "mean * 64, mean"
    ),
    "a mean is over the chosen samples": Mutation(
        steps("at_fixed"), base.mean_over_batch, "chosen.numel()", "chosen.sum()"
    ),
    "sp divides by the batch, whoever is chosen": Mutation(
        steps("sp_fixed"),
        sp.SimilarityPreserving.loss,
        "chosen.sum().clamp(min=1)",
        "chosen.numel()",
    ),
    "cc averages over one neighbour too many": Mutation(
        steps("cc_fixed"), cc.CorrelationCongruence.loss, "count - 1", "count"
    ),
    "the gate's temperature is 4.999": Mutation(
        steps("at_gumbel"), Adaptive.__init__, "5.0", "4.999"
    ),
    "anti learns where the policy says yes": Mutation(
        steps("at_reverse_fixed"), Anti.forward, "~route", "route"
    ),
    "gamma is a little smaller": Mutation(
        steps("at_fixed_nopenalty"), Router.__init__, "self.gamma = gamma", "self.gamma = 1.999"
    ),
    "gamma's second test does not see the first": Mutation(
        steps("rkd_fixed_gamma_lt1"), Router.loss, "loss < student_ce", "grafted_ce < student_ce"
    ),
    "a third of the batch is enough": Mutation(
        steps("rkd_fixed_none"), Router.loss, "numel() / 2", "numel() / 3"
    ),
    "the student is grafted in training mode": Mutation(
        steps("at_fixed"),
        Routed.grafted,
        "in_mode(self.student, training=False)",
        "in_mode(self.student, training=True)",
    ),
    "weight decay is a tenth smaller": Mutation(
        steps("rkd_fixed"),
        Optimisation.optimiser,
        "=self.weight_decay, nesterov",
        "=0.9 * self.weight_decay, nesterov",
    ),
    "momentum is a thousandth smaller": Mutation(
        steps("rkd_fixed"),
        Optimisation.optimiser,
        "=self.momentum, weight_decay",
        "=0.999 * self.momentum, weight_decay",
    ),
    "momentum is Nesterov's": Mutation(
        steps("rkd_fixed"), Optimisation.optimiser, "nesterov=self.nesterov", "nesterov=True"
    ),
    "pretraining has no weight decay": Mutation(
        compare_pretraining, PretrainingObjective.players, "plan.weight_decay", "0.0"
    ),
    "cwd is not multiplied by the square of its temperature": Mutation(
        SURVEY["cwd/channel_kl_T4"], cwd.ChannelDivergence.loss, "temperature ** 2", "temperature"
    ),
    "ka moves the largest probability alone": Mutation(
        SURVEY["ka/shift_T4"], labels.shifted, ".scatter(1, label, top)", ""
    ),
    "category divides the angles by the square of the classes": Mutation(
        SURVEY["category/unfiltered"], categories.structure_error, "** 3", "** 2"
    ),
    "category filters no wrong predictions": Mutation(
        SURVEY["category/filtered"], categories.correct_averages, "chosen & correct", "chosen"
    ),
    "category lets filtered means have a gradient": Mutation(
        SURVEY["category/filtered"], categories.structure_error, ".detach()", ""
    ),
    "category weighs classes by their samples": Mutation(
        SURVEY["category/unfiltered"],
        categories.structure_error,
        "averages.diagonal()",
        "averages.sum(dim=1)",
    ),
    "triplet adds more to differences": Mutation(
        SURVEY["triplet/step"], triplet.TripletDistillation.missing, "+ EPSILON", "+ 0.001"
    ),
    "irg takes the largest distance along": Mutation(
        SURVEY["irg/edges_authors"], shares.shares_of_largest, "numbers.detach()", "numbers"
    ),
    "irg_transform takes the largest distance along": Mutation(
        SURVEY["irg/transform_authors"],
        shares.shares_of_largest,
        "numbers.detach()",
        "numbers",
    ),
    "irg_transform averages over samples": Mutation(
        SURVEY["irg/transform_authors"],
        irg_transform.InstanceTransformations.losses,
        "both.sum() * error",
        "error",
    ),
    "cwd divides positions by the channels": Mutation(
        SURVEY["cwd/spatial_kl_T1"], cwd.ChannelDivergence.loss, "x.mT.flatten(0, 1)", "x.mT"
    ),
    "tofd squares lengths": Mutation(
        SURVEY["tofd/orthogonal_squared"],
        branches.length,
        "torch.linalg.vector_norm(x)",
        "x.square().sum()",
    ),
    "afd scales the places apart from the products": Mutation(
        SURVEY["afd/equal_sizes"], afd.Alikeness.forward, "(alike + places)", "(alike + 2 * places)"
    ),
    "cat relates samples by their squares": Mutation(
        SURVEY["cat/kernel_alignment"], cat.gram, "flat @ flat.T", "(flat @ flat.T).square()"
    ),
    "skd lets the lengths have a gradient": Mutation(
        SURVEY["skd/pair_direct"], skd.StructuredKD.similarities, "regions.detach()", "regions"
    ),
    "pad does not add the logarithm of the variance": Mutation(
        SURVEY["pad/torchdistill"], pad.PrimeAwareAdaptive.loss, "+ doubt", "+ 0.999 * doubt"
    ),
    "tofd begins at temperature 1": Mutation(
        SURVEY["tofd/epoch0"], tofd.TaskOriented.begin_epoch, "epoch.number + 1", "epoch.number"
    ),
    "tofd holds the rows of its matrix alone to unit length": Mutation(
        SURVEY["tofd/epoch0"], branches.Link.forward, "+ from_unit(matrix.T @ matrix)", "+ 0"
    ),
    "mgd averages the margins of the largest values": Mutation(
        SURVEY["mgd/double/sp"],
        mgd.MatchingGuided.loss,
        "least.amax(dim=2)",
        "least.mean(dim=2)",
    ),
    "mgd takes the value that is least negative": Mutation(
        SURVEY["mgd/double/amp"],
        mgd.MatchingGuided.loss,
        "largest_by_magnitude(several)",
        "several.amax(dim=2)",
    ),
    "mgd matches the channels that are least alike": Mutation(
        SURVEY["mgd/double/amp"], matching.Groups.match, "maximize=True", "maximize=False"
    ),
    "mgd weighs all stages alike": Mutation(
        SURVEY["mgd/double/sm"], mgd.MatchingGuided.loss, "2.0 **", "1.0 **"
    ),
    "l2tww resizes maps to corners": Mutation(
        SURVEY["l2tww/matching"], l2tww.resized, "align_corners=False", "align_corners=True"
    ),
    "l2tww weighs pairs up to 1": Mutation(
        SURVEY["l2tww/matching"], l2tww.WhatAndWhere.of_stage, "relu6(", "torch.sigmoid("
    ),
    "l2tww tries steps without the decay": Mutation(
        SURVEY["l2tww/meta_authors_test"], virtual.Descent.step, "+ self.weight_decay * x", ""
    ),
    "tfkd_reg softens the student": Mutation(
        COMPARISONS["tfkd_reg"],
        tfkd_reg.TfKDReg.terms,
        "log_softmax(logits",
        "log_softmax(logits / chosen.temperature",
    ),
    "beta_smoothing gives the surest image the smallest draw": Mutation(
        COMPARISONS["beta_smoothing"], beta_smoothing.by_rank, "drawn.sort()", "(-drawn).sort()"
    ),
    "byot multiplies by the square of its temperature": Mutation(
        COMPARISONS["byot"], byot.BYOT._soft, ".mean()", ".mean() * temperature ** 2"
    ),
    "byot gives the first head no hint": Mutation(
        COMPARISONS["byot"], byot.BYOT.terms, "zip(self.hints, pooled", "zip(self.hints, pooled[1:]"
    ),
    "bake is not multiplied by the square of its temperature": Mutation(
        COMPARISONS["bake"], bake.BAKE.terms, "temperature ** 2", "temperature"
    ),
    "frskd lets the maps of the pyramid learn": Mutation(
        COMPARISONS["frskd"], frskd.FRSKD.terms, "r.detach()", "r"
    ),
    "frskd adds no zeros to even sizes": Mutation(
        COMPARISONS["frskd, the pyramid"], pyramid.shrunk, "[width, 1, height, 1]", "[1, 1, 1, 1]"
    ),
    "average adds its teachers up": Mutation(
        MANY["average"], average.Average.shares, "1 / count", "1"
    ),
    "ebkd does not divide by the number of teachers": Mutation(
        MANY["ebkd"], ebkd.EBKD.shares, "(1 - parts) / count", "1 - parts"
    ),
    "camkd prefers the worse teacher": Mutation(
        MANY["camkd"], camkd.confidence, "1 - softmax", "softmax"
    ),
    "camkd sums the errors of features": Mutation(
        MANY["camkd features"],
        camkd.feature_errors,
        "sample_means(",
        "s[0].numel() * sample_means(",
    ),
    "aekd forgets the lengths of the gradients": Mutation(
        MANY["aekd"], aekd.AEKD.shares, ", self.bound) / lengths", ", self.bound)"
    ),
    "amtml mixes probabilities at temperature 1": Mutation(
        MANY["amtml hint_train"], amtml.mixed, " / temperature", ""
    ),
    "amtml relates half as much": Mutation(
        MANY["amtml learning_eval"], amtml.relations, "(distances, angles)", "(distances,)"
    ),
    "amtml leaves the student's maps as they are": Mutation(
        MANY["amtml hint"], amtml.hint_error, "conv(by_position(student))", "conv(student)"
    ),
    "feed leaves the teacher's map as it is": Mutation(
        MANY["feed"], feed.FEED.distance, "- by_position(teacher)", "- teacher"
    ),
    "dtd adds nothing to the lengths of logits": Mutation(
        SURVEY["dtd/flsw"], dtd.DynamicTemperature.hardness, "+ LENGTH", ""
    ),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_a_changed_constant_or_rule_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mutation = MUTATIONS[name]
    assert not mutation.compare().failures
    mutation.apply(monkeypatch)
    assert mutation.compare().failures
