"""The section on routing: which cells are in it, and with which numbers."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
import torch
from plotly.offline import get_plotlyjs

from sakd.data import DataCard
from sakd.measures.routing import DIFFICULTIES, Spot, routing_rows
from sakd.reporting import Routing, picture_files, report, report_html, report_markdown
from sakd.reporting.figures.sheets import sheet
from sakd.reporting.pages.routing import routing_section
from sakd.reporting.pages.sections import Chart, Picture, Report, Section, Tabular, Text
from sakd.reporting.tables.frames import prepared
from sakd.reporting.tables.routed import routed_rows
from sakd.reporting.tables.shown_routing import MOST

Card = Callable[..., DataCard]
Line = Callable[..., dict[str, object]]

IMAGES, EPOCHS = 40, 10
SPOTS = ("stage1", "logits")


def measured(
    cell: str, seed: int, classes: int = 2, spots: tuple[str, ...] = SPOTS
) -> pd.DataFrame:
    """The hard half distils at the first spot, the rate of which is a half; all at the others."""
    hard = np.arange(IMAGES) + 0.1 * seed
    rates = [(np.arange(IMAGES) >= IMAGES // 2) * 1.0, *[np.ones(IMAGES)] * (len(spots) - 1)]
    found = [
        Spot(name, rate, np.full(IMAGES, EPOCHS), np.full(EPOCHS, rate.mean()), float(rate.mean()))
        for name, rate in zip(spots, rates, strict=True)
    ]
    losses = pd.DataFrame({"image": range(IMAGES), **dict.fromkeys(DIFFICULTIES, hard)})
    labels = np.arange(IMAGES) * classes // IMAGES
    return routing_rows(found, labels, losses, weighs=False).assign(cell=cell)


def of_cells(cells: pd.DataFrame, **how: object) -> Routing:
    """Measures and sheets of the finished cells under policies that choose."""
    chosen = cells[~cells["policy"].isin(["none", "always"]) & (cells["status"] == "done")]
    tables = [measured(c, s, **how) for c, s in zip(chosen["cell"], chosen["seed"], strict=True)]
    png = sheet({"logits, most": torch.zeros(1, 1, 8, 8, dtype=torch.uint8)})
    sheets = [{"cell": c, "png": png, "text": f"logits, most: {c}"} for c in chosen["cell"]]
    return Routing(pd.concat(tables), pd.DataFrame(sheets))


def section(results: pd.DataFrame, routing: Routing | None, data: DataCard | None) -> Section:
    (found,) = routing_section(prepared(results), routing, data)
    return found


def tables(found: Section) -> dict[str, Tabular]:
    return {block.name: block for block in found.blocks if isinstance(block, Tabular)}


def test_where_no_policy_tells_images_apart_there_is_no_section(results: pd.DataFrame) -> None:
    plain = results[results["policy"] != "adaptive"]
    assert routing_section(prepared(plain), of_cells(results), None) == []
    coins = plain.assign(policy=plain["policy"].replace("always", "random"))
    assert routing_section(prepared(coins), of_cells(results), None) == []
    assert routing_section(prepared(results), None, None) == []


def test_a_line_for_each_method_and_spot_has_the_mean_of_its_seeds(
    results: pd.DataFrame, data: Card
) -> None:
    found = tables(section(results, of_cells(results), data()))
    shown = found["routing-t-s"].frame
    assert shown[["distiller", "policy", "spot"]].to_numpy().tolist() == [
        [distiller, "adaptive", spot] for distiller in ("kd", "at") for spot in SPOTS
    ]
    assert shown["rate, all epochs"].tolist() == ["0.50", "1.00"] * 2
    assert shown["entropy, bits"].tolist() == ["1.00", "0.00"] * 2
    assert shown["selectivity"].tolist() == [f"{EPOCHS**0.5:.2f}", "-"] * 2
    assert shown["loss of student alone"].tolist() == ["+0.87", "-"] * 2
    assert shown["images"].tolist() == shown["asked"].tolist() == [str(IMAGES)] * 4
    assert shown["seeds"].tolist() == ["3", "3", "1", "1"]
    assert found["routing-t-s"].values["rho_alone"][0] == pytest.approx(0.8663, abs=1e-4)
    classes = found["routed_classes-t-s"].frame
    assert classes["class ant"].tolist() == ["0.00", "1.00"] * 2
    assert classes["class bee"].tolist() == ["1.00", "1.00"] * 2
    assert classes["highest - lowest"].tolist() == ["1.00", "0.00"] * 2


def test_the_numbers_of_seeds_are_averaged(results: pd.DataFrame) -> None:
    cells = prepared(results)
    routing = of_cells(results).measures
    kd = cells.loc[(cells["distiller"] == "kd") & (cells["policy"] == "adaptive"), "cell"].tolist()
    is_rate = (routing["measure"] == "rate") & (routing["spot"] == "logits")
    for cell, value in zip(kd, (0.2, 0.3, 0.7), strict=True):
        routing.loc[is_rate & (routing["cell"] == cell), "value"] = value
    rows = routed_rows(cells, routing).query("measure == 'rate' and spot == 'logits'")
    assert rows["value"].tolist() == [pytest.approx(0.4), 1.0]


def test_of_many_classes_the_lowest_and_the_highest_are_named(
    results: pd.DataFrame, data: Card
) -> None:
    names = tuple(f"k{number}" for number in range(20))
    found = tables(section(results, of_cells(results, classes=20), data(classes=names)))
    shown = found["routed_classes-t-s"]
    assert shown.frame["lowest"][0] == "k0 0.00, k1 0.00, k2 0.00"
    assert shown.frame["highest"][0] == "k19 1.00, k18 1.00, k17 1.00"
    assert len(shown.values.columns) == 21


def test_cells_without_a_record_are_counted(results: pd.DataFrame) -> None:
    routing = of_cells(results)
    kept = routing.measures[~routing.measures["cell"].str.contains("kd")]
    found = section(results, Routing(kept, routing.sheets[:0]), None)
    assert any(isinstance(b, Text) and "Not recorded: 3 cells" in b.text for b in found.blocks)
    nothing = section(results, Routing(kept[:0], routing.sheets[:0]), None)
    assert [type(block) for block in nothing.blocks] == [Text, Text]
    assert "Not recorded: 4 cells" in nothing.blocks[1].text


def test_the_figure_has_a_panel_for_each_method_and_a_line_for_each_spot(
    results: pd.DataFrame,
) -> None:
    (chart,) = (b for b in section(results, of_cells(results), None).blocks if isinstance(b, Chart))
    figure = chart.figure
    assert [title.text for title in figure.layout.annotations] == ["kd, adaptive", "at, adaptive"]
    lines = [trace for trace in figure.data if trace.name == "stage1"]
    assert [list(line.x) for line in lines] == [list(range(1, 11))] * 2
    assert list(lines[0].y) == [0.0] * 5 + [1.0] * 5
    assert "tenth %{x}" in lines[0].hovertemplate
    assert "student alone" in figure.layout.xaxis.title.text


def test_the_figure_of_cells_whose_difficulties_are_not_known_says_so(
    results: pd.DataFrame,
) -> None:
    known = of_cells(results)
    few = Routing(known.measures[known.measures["measure"] != "part"], known.sheets)
    (chart,) = (b for b in section(results, few, None).blocks if isinstance(b, Chart))
    assert chart.figure.layout.annotations[0].text.startswith("No rates by difficulty")


def test_each_method_has_the_sheet_of_its_first_seed(results: pd.DataFrame) -> None:
    found = [b for b in section(results, of_cells(results), None).blocks if isinstance(b, Picture)]
    assert [picture.name for picture in found] == [
        "sheet-digits_t_s_kd_adaptive_s0",
        "sheet-digits_t_s_at_adaptive_s0",
    ]
    assert "kd, adaptive, seed 0" in found[0].caption
    page = report_html(Report("t", "", "", (Section("Routing", tuple(found)),)))
    assert page.count(b64encode(found[0].png).decode()) == 2
    assert 'alt="logits, most: digits-t-s-kd-adaptive-s0"' in page


def test_more_pictures_than_a_page_takes_are_left_out_and_counted(
    results: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    routing = of_cells(results)
    size = len(routing.sheets["png"][0])
    monkeypatch.setattr("sakd.reporting.pages.routing.BYTES", size)
    blocks = section(results, routing, None).blocks
    assert sum(isinstance(block, Picture) for block in blocks) == 1
    assert blocks[-1] == Text("1 more sheet in sheets.parquet.")


def test_a_study_of_many_methods_fits_in_a_page(cell: Line) -> None:
    spots = ("stage1", "stage2", "stage3", "logits")
    policies = ["adaptive", "anti", "budget", "heldout", "better", "uncertain", "random_matched"]
    lines = [
        cell(f"d{number}", policy, 0, 0.8, cell=f"{number}-{policy}")
        for number in range(25)
        for policy in policies
    ]
    study = pd.DataFrame(lines)
    one = measured("one", 0, 10, spots)
    every = pd.concat([one.assign(cell=name) for name in study["cell"]], ignore_index=True)
    routing = Routing(every, pd.DataFrame(columns=["cell", "png", "text"]))
    found = section(study, routing, None)
    shown = tables(found)
    assert len(shown) == 2
    assert {len(table.frame) for table in shown.values()} == {MOST}
    assert "40 of 700 lines" in next(iter(shown.values())).note
    page = report_html(Report("t", "", "", (found,)))
    assert len(page) - len(get_plotlyjs()) < 120_000


def test_both_pages_have_the_section(
    results: pd.DataFrame, history: Callable[..., pd.DataFrame], data: Card
) -> None:
    content = report(results, history(results), routing=of_cells(results), data=data())
    files = picture_files(content)
    assert files["sheet-digits_t_s_kd_adaptive_s0.png"].startswith(b"\x89PNG")
    assert b"student alone" in files["rates-by-difficulty.svg"]
    markdown = report_markdown(content)
    for name in ("rates-by-difficulty.svg", "sheet-digits_t_s_kd_adaptive_s0.png"):
        assert f"](pictures/{name})" in markdown
    for page in (report_markdown(content), report_html(content)):
        assert "Selectivity" in page
        assert "Rate by difficulty" in page
