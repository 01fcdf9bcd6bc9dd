"""From the files of a run to a page with tables, pictures and cells."""

from __future__ import annotations

import shutil
from xml.etree import ElementTree

import pandas as pd
import pytest

from sakd.foundation.errors import UserError
from sakd.foundation.sealing import sealed_at_once
from sakd.reporting.verdict.drawing import LOOKS
from sakd.reporting.verdict.writing import check, write

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def data(study, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data")
    output, report = folder / "07_model_output/digits", folder / "08_reporting/digits"
    output.mkdir(parents=True)
    report.mkdir(parents=True)
    results, history, predictions = study
    results.to_csv(report / "results.csv", index=False)
    history.to_csv(output / "history.csv", index=False)
    predictions.to_parquet(output / "predictions.parquet")
    return folder


@pytest.fixture(scope="module")
def page(data):
    write(data, ["digits"], data / "found.md")
    return data / "found.md"


def test_a_missing_file_is_named(data, tmp_path):
    with pytest.raises(UserError, match=r"results\.csv: run the study of 'letters' first"):
        write(data, ["letters"], tmp_path / "page.md")


@pytest.mark.parametrize("name", ["results.csv", "history.csv", "predictions.parquet"])
def test_a_file_that_is_damaged_is_named(data, tmp_path, name):
    folder = shutil.copytree(data, tmp_path / "data")
    (path,) = folder.rglob(name)
    with sealed_at_once(path) as partial:
        partial.write_bytes(path.read_bytes())
    write(folder, ["digits"], tmp_path / "page.md")
    path.write_bytes(path.read_bytes() + b"\n")
    with pytest.raises(UserError, match=f"{name} is damaged"):
        write(folder, ["digits"], tmp_path / "other.md")
    assert not (tmp_path / "other.md").exists()


def test_a_page_keeps_its_prose_unless_it_is_to_be_fresh(data, page):
    page.write_text(page.read_text() + "\nMy words.\n")
    write(data, ["digits"], page)
    assert "My words." in page.read_text()
    write(data, ["digits"], page, keep=False)
    assert "My words." not in page.read_text()


def test_a_page_that_was_written_is_one_that_can_be_written_again(page):
    before = {path: path.read_bytes() for path in page.parent.iterdir() if path.is_file()}
    check(["digits", "letters"], page)
    after = {path: path.read_bytes() for path in page.parent.iterdir() if path.is_file()}
    assert before == after


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.md", b"caf\xe9", "a.md is not text in UTF-8 .byte 3.: write it"),
        ("a.md", b"no block", "no place for a block.*digits-levels, letters-extent"),
        ("a.csv", b"<!-- digits-extent -->\n<!-- end -->\n", "cells are written: .*a.md"),
    ],
)
def test_a_page_that_cannot_be_filled_is_refused_before(tmp_path, name, content, complaint):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=complaint):
        check(["digits", "letters"], tmp_path / name)
    assert (tmp_path / name).read_bytes() == content
    if name == "a.md":
        check(["digits", "letters"], tmp_path / name, keep=False)


@pytest.mark.parametrize(
    "name", ["a.md", "a.csv", "a-digits-rates.svg", "a-digits-differences.svg"]
)
def test_a_folder_in_the_place_of_a_file_is_named_before(tmp_path, name):
    (tmp_path / name).mkdir()
    with pytest.raises(IsADirectoryError, match=name):
        check(["digits"], tmp_path / "a.md", keep=False)


def test_the_cells_are_listed_with_their_rates(study, page):
    cells = pd.read_csv(page.with_suffix(".csv"))
    assert len(cells) == len(study[0])
    assert cells["test_top1"].tolist() == pytest.approx(study[0]["test_top1"].tolist())
    router = cells[(cells["policy"] == "adaptive") & (cells["teacher"] == "bad@brief")]
    assert router["rate_first"].tolist() == [0.5] * 8
    assert router["rate_last"].tolist() == [0.5] * 8
    assert set(cells.loc[cells["teacher"] == "good", "router"].dropna()) >= {"always"}
    assert set(cells["revision"]) == {"ab" * 6}


def test_the_pictures_are_readable_and_explained(page):
    for name in ("rates", "differences"):
        picture = page.with_name(f"found-digits-{name}.svg")
        root = ElementTree.parse(picture).getroot()
        assert root.get("role") == "img"
        assert "digits" in str(root.findtext(f"{SVG}title"))
        assert "bad@brief" in "".join(root.itertext())


def test_a_panel_has_a_line_for_every_spot_and_bars_for_every_difference(page):
    rates = ElementTree.parse(page.with_name("found-digits-rates.svg")).getroot()
    drawn = rates.findall(f"{SVG}polyline")
    assert len(drawn) == 2 + 2 * 2 * 2  # the legend; distillers, teachers, spots
    differences = ElementTree.parse(page.with_name("found-digits-differences.svg")).getroot()
    assert len(differences.findall(f"{SVG}circle")) == 5 * 2 * 3  # both distillers, and all
    classes = {found.get("class") for found in differences.findall(f"{SVG}polyline")}
    assert classes == {kind for kind, _ in LOOKS[:3]}


def test_every_point_lies_within_its_panel(page):
    root = ElementTree.parse(page.with_name("found-digits-differences.svg")).getroot()
    frames = [
        (float(f.get("x")), float(f.get("x")) + float(f.get("width")))
        for f in root.findall(f"{SVG}rect")
        if f.get("class") == "frame"
    ]
    for line in root.findall(f"{SVG}polyline"):
        places = [float(point.split(",")[0]) for point in line.get("points").split()]
        assert any(left <= min(places) and max(places) <= right for left, right in frames)
