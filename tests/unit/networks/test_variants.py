"""Names of variants of a teacher, in pairs, ids and file names."""

from __future__ import annotations

import pytest

from sakd.foundation.errors import UserError
from sakd.networks.variants import network_of, slug, split_pair, split_variant

OUTSIDE = "pkg.nets:small(x='a@b/c'; y=[1; 2])"


@pytest.mark.parametrize("network", ["resnet20", "vgg8-imagenet", "wrn_40_2", OUTSIDE])
def test_the_network_of_a_variant_is_what_stands_before_its_sign(network: str) -> None:
    assert split_variant(network) == (network, None)
    assert split_variant(f"{network}@brief") == (network, "brief")
    assert network_of(f"{network}@brief") == network_of(network) == network
    assert slug(f"{network}@brief") == f"{slug(network)}_brief"


@pytest.mark.parametrize("student", ["resnet8", OUTSIDE, "resnet8@brief"])
@pytest.mark.parametrize("teacher", ["resnet20", OUTSIDE, "resnet20@brief", f"{OUTSIDE}@brief"])
def test_a_pair_is_split_at_the_slash_between_its_networks(teacher: str, student: str) -> None:
    assert split_pair(f"{teacher}/{student}") == (teacher, student)
    assert split_pair(f" {teacher} / {student}") == (teacher, student)


@pytest.mark.parametrize("pair", ["resnet20@brief", "resnet20@/resnet8", "resnet20@brief/"])
def test_a_pair_that_lacks_a_name_is_refused(pair: str) -> None:
    with pytest.raises(UserError, match=f"'{pair}' is not a pair; write teacher/student"):
        split_pair(pair)
