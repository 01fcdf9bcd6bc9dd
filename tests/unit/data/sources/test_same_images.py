"""The same images prepare to the same data, whatever form they are stored in."""

import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from sakd.data import Splits, Splitting, open_dataset, prepare

NAMES = ("ant", "bee", "cat")
SPLITTING = Splitting(0.3, test_fraction=0.3, split_seed=4)
# As Pillow takes them: grey, grey with alpha, colour, colour with alpha.
SHAPES = st.sampled_from([(8, 8), (8, 8, 2), (8, 8, 3), (8, 8, 4), (9, 12), (12, 9, 3)])


def prepared(name: str, path: Path) -> Splits:
    return prepare(open_dataset(name, path).load(), SPLITTING, name="pets")


@pytest.fixture(scope="module")
def forms(encode, draw, write_parquet) -> Callable[..., tuple[Splits, Splits]]:
    """Store pictures as a folder and as parquet files, and prepare both."""

    def both(shapes: list[tuple[int, ...]], splits: list[str], seed: int) -> tuple[Splits, Splits]:
        with tempfile.TemporaryDirectory() as top:
            folder, parquet = Path(top, "folder"), Path(top, "parquet")
            parquet.mkdir()
            for number, split in enumerate(splits):
                pictures = [draw(99 * number + k, *shape) for k, shape in enumerate(shapes)]
                contents = [encode(picture) for picture in pictures]
                labels = [k % len(NAMES) for k in range(len(contents))]
                for k, (content, label) in enumerate(zip(contents, labels, strict=True)):
                    place = folder / split / NAMES[label]
                    place.mkdir(parents=True, exist_ok=True)
                    (place / f"{k}.png").write_bytes(content)
                order = np.random.default_rng(seed).permutation(len(contents))
                write_parquet(
                    parquet / f"{split}-0.parquet",
                    [contents[k] for k in order],
                    NAMES,
                    label=[labels[k] for k in order],
                )
            return prepared("folder", folder), prepared("parquet", parquet)

    return both


@settings(max_examples=15)
@given(
    shapes=st.lists(SHAPES, min_size=9, max_size=14),
    extra=st.sampled_from([[], ["test"], ["validation"], ["validation", "test"]]),
    seed=st.integers(0, 99),
)
def test_a_folder_and_parquet_files_give_the_same_tensors_and_hash(
    forms, shapes, extra, seed
) -> None:
    one, other = forms(shapes, ["train", *extra], seed)
    for split in ("train", "val", "test"):
        first, second = getattr(one, split), getattr(other, split)
        assert torch.equal(first.images, second.images)
        assert torch.equal(first.labels, second.labels)
    assert one.card.sha256 == other.card.sha256
    assert (one.card.mean, one.card.counts) == (other.card.mean, other.card.counts)
    assert one.card.classes == other.card.classes
