"""Prepared splits on disk: written, found by their key, and left alone if they are not those."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from sakd.data import ImageSet, RawData, Splits, Splitting, prepare
from sakd.data.splits.store import SplitStore
from sakd.foundation.errors import UserError
from sakd.foundation.sealing import write_sealed


def read(tensors) -> ImageSet:
    return ImageSet(**tensors)


def written(raw: RawData, root: Path, **changes: float) -> Splits:
    made = prepare(raw, Splitting(0.25, 0.25, **changes), name="pets", key="ee")
    made = replace(made, card=replace(made.card, origin="here"))
    SplitStore(root).write(made)
    write_sealed(root / "card.json", made.card.to_json())
    return made


@pytest.mark.parametrize("share", [0.0, 0.2])
def test_splits_that_were_written_are_found_by_their_key(raw, share: float, tmp_path) -> None:
    made, store = written(raw, tmp_path, set_aside=share), SplitStore(tmp_path)
    learnt = ["aside", "train", "val"] if share else ["train", "val"]
    assert list(store.development) == learnt
    assert list(store.test) == ["test"]
    found = store.matching("ee", read)
    assert found is not None
    assert found.card == made.card
    assert found.hashes() == made.hashes()
    assert store.matching("other", read) is None


def test_images_set_aside_before_do_not_stay(raw, tmp_path) -> None:
    written(raw, tmp_path, set_aside=0.2)
    written(raw, tmp_path)
    assert list(SplitStore(tmp_path).development) == ["train", "val"]


@pytest.mark.parametrize("name", ["development/train", "development/aside", "test/test", "card"])
def test_splits_of_which_a_part_is_missing_are_not_found(raw, name: str, tmp_path) -> None:
    written(raw, tmp_path, set_aside=0.2)
    (found,) = tmp_path.glob(f"{name}.*")
    found.unlink()
    assert SplitStore(tmp_path).matching("ee", read) is None


def test_images_of_another_preparation_are_not_found(raw, tmp_path) -> None:
    card = written(raw, tmp_path).card
    written(raw, tmp_path, split_seed=1)
    write_sealed(tmp_path / "card.json", card.to_json())
    assert SplitStore(tmp_path).matching("ee", read) is None


def test_a_folder_with_data_of_another_origin_is_not_overwritten(raw, tmp_path) -> None:
    store = SplitStore(tmp_path)
    store.check_origin("anywhere")
    written(raw, tmp_path)
    store.check_origin("here")
    with pytest.raises(UserError, match=r"another folder than data\.path; delete it"):
        store.check_origin("anywhere")
