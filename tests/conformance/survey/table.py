"""Compare further systems with values of their authors' code, or of another implementation.

Most of that code ran in float32, so the comparisons are coarser than those with the reference.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from conformance.comparison import Comparison
from conformance.contrast import compare_contrast
from conformance.survey.arranged import compare_mixing
from conformance.survey.cases import GRADIENT, LOSS
from conformance.survey.channels import compare_matching
from conformance.survey.features import (
    compare_attention,
    compare_channels,
    compare_doubt,
    compare_excitation,
    compare_pixels,
    compare_skew,
    compare_tasks,
)
from conformance.survey.gradients import compare_cosines, compare_jacobians
from conformance.survey.relations import (
    compare_alignment,
    compare_categories,
    compare_edges,
    compare_moves,
    compare_regions,
    compare_triplets,
)
from conformance.survey.responses import compare_adjustment, compare_temperatures
from conformance.survey.transfer import compare_trail, compare_transfer

SURVEY: dict[str, Callable[[], Comparison]] = {
    "cwd/channel_kl_T4": partial(compare_channels, "channel_kl_T4", temperature=4.0),
    "cwd/mmrazor_tau4": partial(compare_channels, "mmrazor_tau4", temperature=4.0),
    "cwd/spatial_kl_T1": partial(compare_channels, "spatial_kl_T1", spatial=True),
    "skd/pixel": partial(compare_pixels, "pixel"),
    "skd/pixel_torchdistiller": partial(compare_pixels, "pixel_torchdistiller"),
    "ka/shift_T1": partial(compare_adjustment, "shift_T1"),
    "ka/shift_T4": partial(compare_adjustment, "shift_T4"),
    "ka/smooth_T1": partial(compare_adjustment, "smooth_T1"),
    "dtd/flsw": partial(compare_temperatures, "flsw"),
    "dtd/cwsm": partial(compare_temperatures, "cwsm"),
    "pad/torchdistill": compare_doubt,
    "unix/entropy_w10": partial(compare_mixing, "entropy_w10"),
    "unix/entropy_w1000": partial(compare_mixing, "entropy_w1000"),
    "unix/confidence_w10": partial(compare_mixing, "confidence_w10"),
    "unix/kd_only": partial(compare_mixing, "kd_only"),
    "category/unfiltered": partial(compare_categories, "unfiltered"),
    "category/filtered": partial(compare_categories, "filtered"),
    "triplet/step": compare_triplets,
    "irg/edges_authors": compare_edges,
    "irg/transform_authors": compare_moves,
    "afd/equal_sizes": compare_attention,
    "attentive/aberhu": compare_excitation,
    "jacobian/aberhu_label": compare_jacobians,
    "crcd_gradient/gradient_cosine": compare_cosines,
    "crcd": partial(compare_contrast, "survey/crcd", 1, LOSS, GRADIENT),
    "tofd/epoch0": compare_tasks,
    "tofd/orthogonal_squared": compare_skew,
    "mgd/double/amp": partial(compare_matching, "double", "amp"),
    "mgd/double/sp": partial(compare_matching, "double", "sp"),
    "mgd/double/sm": partial(compare_matching, "double", "sm"),
    "mgd/equal/amp": partial(compare_matching, "equal", "amp"),
    "mgd/equal/sp": partial(compare_matching, "equal", "sp"),
    "l2tww/matching": compare_transfer,
    "l2tww/meta_plain_sgd_one_step": partial(compare_trail, "meta_plain_sgd_one_step"),
    "l2tww/meta_authors_test": partial(compare_trail, "meta_authors_test"),
    "cat/kernel_alignment": compare_alignment,
    "skd/pair_direct": partial(compare_regions, "pair_direct"),
    "skd/pair_nopool": partial(compare_regions, "pair_nopool"),
}
