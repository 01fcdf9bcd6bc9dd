"""Evaluations are kept for a name and a key, in two files that are there together or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from sakd.foundation.errors import DamagedError
from sakd.foundation.files import write_json
from sakd.foundation.sealing import write_sealed
from sakd.study.evaluations import Evaluation, Evaluations

MEASURES = {"test_top1": 0.5, "test_nll": 1.25}
IMAGES = pd.DataFrame({"predicted": [2, 0, 1], "log_probability": [-0.5, -2.0, 0.0]})


@pytest.fixture
def kept(tmp_path: Path) -> Evaluations:
    kept = Evaluations(tmp_path)
    kept.save("cell", "k1", Evaluation(MEASURES, IMAGES))
    return kept


def test_an_evaluation_is_found_by_its_name_and_key(kept: Evaluations) -> None:
    found = kept.find("cell", "k1")
    assert found is not None
    assert found.measures == MEASURES
    pd.testing.assert_frame_equal(found.images, IMAGES)
    for name, key in {"cell": "k2", "other": "k1"}.items():
        assert kept.find(name, key) is None


def test_keys_that_begin_alike_are_different(kept: Evaluations) -> None:
    kept.save("cell", "0123456789ab of this version", Evaluation(MEASURES))
    assert kept.find("cell", "0123456789ab of another one") is None


def test_measures_may_be_kept_without_images(kept: Evaluations) -> None:
    kept.save("network", "k1", Evaluation(MEASURES))
    found = kept.find("network", "k1")
    assert found is not None
    assert found.images is None


def test_a_forgotten_evaluation_is_gone_and_may_be_forgotten_again(
    kept: Evaluations, tmp_path: Path
) -> None:
    for _ in range(2):
        kept.forget("cell", "k1")
        assert kept.find("cell", "k1") is None
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_without_its_images_or_in_an_older_form_it_is_made_again(
    kept: Evaluations, tmp_path: Path
) -> None:
    (tmp_path / "cell" / "k1.parquet").unlink()
    assert kept.find("cell", "k1") is None
    (tmp_path / "cell" / "k1.json").write_text('{"key": "k1", "test_top1": 0.5}')
    assert kept.find("cell", "k1") is None


DAMAGES: dict[str, Callable[[bytes], bytes]] = {
    "other": lambda _content: b"[1, 2]",
    "cut off": lambda content: content[:-9],
    "zeros": lambda content: content[:40] + bytes(8) + content[48:],
}


@pytest.mark.parametrize("name", ["k1.json", "k1.parquet"])
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_one_is_made_again_with_a_warning(
    kept: Evaluations, tmp_path: Path, caplog: pytest.LogCaptureFixture, name: str, damage: str
) -> None:
    path = tmp_path / "cell" / name
    path.write_bytes(DAMAGES[damage](path.read_bytes()))
    os.utime(path, ns=(0, 1))
    assert kept.find("cell", "k1") is None
    (line,) = caplog.messages
    assert f"{name} is damaged (" in line
    assert line.endswith("measured again")


@pytest.mark.parametrize("measures", [3, [], None, {"top1": None}, {"top1": "high"}])
def test_one_whose_measures_are_no_numbers_is_made_again(
    kept: Evaluations, tmp_path: Path, caplog: pytest.LogCaptureFixture, measures: object
) -> None:
    write_sealed(tmp_path / "cell" / "k1.json", {"key": "k1", "measures": measures})
    assert kept.find("cell", "k1") is None
    assert "k1.json is damaged (measures takes" in caplog.text
    with pytest.raises(DamagedError, match="measures takes"):
        kept.measures("cell", "k1")


def test_one_of_a_version_without_checksums_is_read(kept: Evaluations, tmp_path: Path) -> None:
    content = {"key": "k1", "images": 3, "measures": MEASURES}
    write_json(tmp_path / "cell" / "k1.json", content)
    found = kept.find("cell", "k1")
    assert found is not None
    assert found.measures == MEASURES
