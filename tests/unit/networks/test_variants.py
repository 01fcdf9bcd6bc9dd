"""Names of variants of a teacher, in pairs, ids and file names."""

from __future__ import annotations

import pytest

from sakd.foundation.errors import UserError
from sakd.networks.paths import split_pair
from sakd.networks.variants import kind_of, network_of, root_of, slug, split_variant

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


def test_the_kind_of_a_teacher_is_its_history_without_its_networks() -> None:
    assert [kind_of(f"{name}@brief/{name}") for name in ("resnet20", OUTSIDE)] == ["@brief/"] * 2
    assert kind_of("resnet20") == kind_of(OUTSIDE) == ""


def test_the_root_of_a_path_is_a_network() -> None:
    assert root_of(f"{OUTSIDE}@brief&vgg8/resnet20") == OUTSIDE


def test_different_paths_have_different_slugs_even_if_they_are_long() -> None:
    steps = ["resnet56@brief", "resnet44", "resnet32", "resnet26", "resnet20", "resnet14"]
    paths = [sign.join(steps) for sign in ("/", "//", "&")]
    paths += ["/".join(steps[::-1]), "resnet56_to_vgg8/resnet8", "resnet56/vgg8/resnet8"]
    slugs = list(map(slug, paths))
    assert len(set(slugs)) == len(slugs) - 1  # the last two share theirs, which a grid refuses
    assert max(map(len, slugs)) <= 64
