from pathlib import Path

import pytest
import torch
from sklearn.datasets import load_digits

from sakd.data import DATASETS, Splitting, open_dataset, prepare
from sakd.foundation.errors import UserError


def test_the_digits_are_those_of_scikit_learn_scaled_to_bytes() -> None:
    raw = DATASETS["digits"](path=None, source="bundled").load()
    bunch = load_digits()
    assert raw.test is None
    assert raw.train.images.shape == (1797, 1, 8, 8)
    ink = (raw.train.images[:, 0].double() / 255 * 16).round()
    assert torch.equal(ink, torch.from_numpy(bunch.images))
    assert (raw.train.images.min(), raw.train.images.max()) == (0, 255)
    assert raw.train.labels.tolist() == bunch.target.tolist()
    assert raw.classes == tuple("0123456789")


def test_the_digits_can_be_prepared() -> None:
    raw = DATASETS["digits"](path=None, source="bundled").load()
    card = prepare(raw, Splitting(0.2, test_fraction=0.2), name="digits").card
    assert sum(map(sum, card.counts.values())) == 1797
    assert min(map(min, card.counts.values())) >= 28


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"source": "parquet"}, "digits has no source 'parquet'; allowed: bundled"),
        ({"path": Path("images")}, "digits is bundled and reads no path, got images"),
        ({"download": True}, "digits is bundled and needs no download"),
    ],
)
def test_options_that_mean_nothing_for_the_digits_are_refused(options, message: str) -> None:
    with pytest.raises(UserError, match=message):
        DATASETS["digits"](**{"path": None, "source": "bundled", **options})


def test_the_message_of_an_unknown_dataset_names_near_matches() -> None:
    with pytest.raises(UserError, match=r"unknown dataset 'cifa10'; did you mean 'cifar10' or .*"):
        DATASETS["cifa10"]
    with pytest.raises(
        UserError, match=r"unknown dataset 'MNIST'; known: .*digits.*, or torchvision:"
    ):
        open_dataset("MNIST")


def test_an_option_of_other_datasets_is_refused() -> None:
    with pytest.raises(
        UserError,
        match=r"digits does not take data.options.label_column; leave it out; its options: none",
    ):
        open_dataset("digits", label_column="fine", image_column=None)
    with pytest.raises(UserError, match=r"parquet does not take data.streamed; leave .*: size, "):
        open_dataset("parquet", streamed=True)
    with pytest.raises(UserError, match=r"data.options.size of parquet takes int, got '8'"):
        open_dataset("parquet", size="8")
    with pytest.raises(UserError, match=r"background of folder takes .*'white'.*, got 'red'"):
        open_dataset("folder", background="red")


def test_without_a_source_the_first_of_the_dataset_is_meant() -> None:
    assert open_dataset("digits").source == "bundled"
