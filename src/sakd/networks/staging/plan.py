"""Which of the possible cuts become the borders of stages."""

from __future__ import annotations

from collections.abc import Sequence

from sakd.foundation.errors import UserError
from sakd.networks.staging.cuts import Cut
from sakd.networks.staging.layouts import Layout

Plan = dict[str, Cut]
"""The cut at the end of each stage: stem, stages in order, embedding, head."""

ENDS = ("embedding", "head")
"""Names of the last two stages; a submodule called so ends an ``embedding_stage``."""

SAME_RESOLUTION = 0.75**2
"""A larger share of the positions is the same resolution: a convolution trimmed the border."""

PARTS = 4
"""Number of stages of a network with only one resolution."""


def automatic(cuts: Sequence[Cut]) -> Plan:
    """Choose the cuts: stem, one stage per resolution, embedding, head.

    A stage ends at the last cut before the resolution falls that does not go through a block. The
    stem ends after the first layer. The other layers of a network with only one resolution (a
    vision transformer) are divided into four equal stages. The embedding is the last vector
    before the head, without dropout; without such a vector it is the logits.
    """
    embedding = _embedding(cuts)
    before = [cut for cut in cuts[: cuts.index(embedding)] if cut.weighted < cuts[-1].weighted]
    inside = [cut for cut in before if cut.layout is not Layout.VECTOR]
    ends = _with_stem(inside, _resolutions(inside))
    names = ["stem", *(f"stage{number}" for number in range(1, len(ends)))]
    return {**dict(zip(names, ends, strict=False)), "embedding": embedding, "head": cuts[-1]}


def by_hand(cuts: Sequence[Cut], modules: Sequence[str]) -> Plan:
    """Choose the cuts after the submodules called ``modules``, then embedding and head.

    Raises:
        UserError: There is no cut after one of them, or they are in another order.
    """
    embedding = _embedding(cuts)
    position = {cut.label: k for k, cut in enumerate(cuts)}
    plan: Plan = {}
    for module in modules:
        found = [label for label in position if label.partition("#")[0] == module]
        if not found:
            raise UserError(
                f"stages: no cut after {module!r}: no submodule of the forward pass, or more than "
                f"its output is needed later; there are cuts after {_listed(cuts)}"
            )
        cut = cuts[position[found[-1]]]
        if position[cut.label] < position[embedding.label]:
            name = module.replace(".", "_")
            plan[f"{name}_stage" if name in ENDS else name] = cut
    order = [position[cut.label] for cut in plan.values()]
    if order != sorted(order):
        raise UserError(f"stages: {', '.join(modules)} are not in the order of the forward pass")
    return {**plan, "embedding": embedding, "head": cuts[-1]}


def _listed(cuts: Sequence[Cut]) -> str:
    return ", ".join(cut.label for cut in cuts[:12]) + ", ..."


def _embedding(cuts: Sequence[Cut]) -> Cut:
    """The last vector before the last layer; a dropout there belongs to the head."""
    layers = cuts[-1].weighted
    chosen = cuts[-1]
    for k, cut in enumerate(cuts):
        if cut.layout is Layout.VECTOR and cut.weighted < layers:
            before = cuts[k - 1] if k else cut
            chosen = before if cut.dropout and before.layout is Layout.VECTOR else cut
    return chosen


def _resolutions(cuts: Sequence[Cut]) -> list[Cut]:
    """The last cut of each resolution; pooling alone makes no stage, nor does upsampling."""
    groups: list[list[Cut]] = []
    for cut in cuts:
        now = groups[-1][0].positions if groups else 0
        if not groups or cut.positions < SAME_RESOLUTION * now:
            groups.append([cut])
        elif cut.positions * SAME_RESOLUTION <= now:
            groups[-1].append(cut)
    ends: list[Cut] = []
    for group in groups:
        done = ends[-1].weighted if ends else 0
        if group[-1].weighted > done:
            ends.append(_between_blocks(group, done))
    return ends


def _between_blocks(cuts: Sequence[Cut], done: int) -> Cut:
    """The last cut with the least nesting in the second half of the layers."""
    half = (done + cuts[-1].weighted) / 2
    late = [cut for cut in cuts if cut.weighted >= half]
    return min(reversed(late), key=lambda cut: cut.nesting)


def _with_stem(cuts: Sequence[Cut], ends: list[Cut]) -> list[Cut]:
    """Split the stem off a first stage of several layers, and a single resolution into parts."""
    if not ends or ends[0].weighted == 1:
        return ends
    early = [cut for cut in cuts if cut.weighted <= 1] or list(cuts[:1])
    stem = early[-1]
    if len(ends) == 1:
        ends = _parts([cut for cut in cuts if cut.weighted <= ends[0].weighted], stem)
    return [stem, *(end for end in ends if end.weighted > stem.weighted)]


def _parts(cuts: Sequence[Cut], stem: Cut) -> list[Cut]:
    layers = cuts[-1].weighted - stem.weighted
    ends = []
    for part in range(1, PARTS + 1):
        limit = stem.weighted + layers * part / PARTS
        ends.append([cut for cut in cuts if cut.weighted <= limit][-1])
    return list(dict.fromkeys(ends))
