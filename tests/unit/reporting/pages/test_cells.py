"""Numbers of the page lead to the records and weights of the cells behind them."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from sakd.reporting import Origin, report, report_html, report_markdown


class Links(HTMLParser):
    """Links by their text, and the anchor of each list of cells."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[tuple[str, str]] = []
        self.listed: dict[str, list[str]] = {}
        self.open = self.item = ""

    def handle_starttag(self, tag, attrs):
        known = dict(attrs)
        if tag == "a":
            self.open = known["href"]
        if tag == "li":
            self.item, self.start = known.get("id") or "", known.get("data-at") or ""
        if "data-to" in known:
            files = [self.start + rest for rest in known["data-to"].split(" ") if rest]
            self.listed.setdefault(self.item, []).extend(files)

    def handle_endtag(self, tag):
        self.open = "" if tag == "a" else self.open
        self.item = "" if tag == "li" else self.item

    def handle_data(self, data):
        if self.open:
            self.links.append((data, self.open))


@pytest.fixture(scope="module")
def placed(results):
    """Every cell has a record, and the finished ones weights, in a folder with a blank."""
    record = "my data/" + results["cell"] + "/record.json"
    weights = ("my data/" + results["cell"] + "/last.safetensors").where(results["test_top1"] > 0)
    return results.assign(record=record, weights=weights)


@pytest.fixture(scope="module")
def found(placed, history):
    parser = Links()
    parser.feed(report_html(report(placed, history(placed), origin=Origin(place="../../.."))))
    return parser


def behind(found: Links, shown: str) -> list[str]:
    """The links of the list to which the number ``shown`` leads."""
    (anchor,) = {href for text, href in found.links if text == shown}
    return found.listed[anchor.removeprefix("#")]


def test_a_number_leads_to_records_and_weights_of_its_cells(found):
    folder = "../../../my%20data/digits-t-s-kd-adaptive-s"
    files = ("record.json", "last.safetensors")
    wanted = [f"{folder}{seed}/{file}" for seed in range(3) for file in files]
    assert behind(found, "84.00 ± 3.00") == wanted


def test_reference_rows_lead_to_their_cells(found):
    assert len(behind(found, "72.00 ± 2.00 (n=3)")) == 6


def test_a_failed_cell_has_a_record_and_no_weights(found):
    (links,) = (each for each in found.listed.values() if any("at-adaptive-s1" in e for e in each))
    assert [link.rpartition("/")[2] for link in links] == [
        *("record.json", "last.safetensors", "record.json"),
    ]


def test_pooled_numbers_lead_nowhere(found):
    assert not [text for text, _ in found.links if text == "+1.83"]


def test_a_path_outside_the_project_is_a_link_all_the_same(placed, history):
    outside = placed.assign(record="/mnt/a b/record.json")
    page = report_html(report(outside, history(outside), origin=Origin(place="../../..")))
    parser = Links()
    parser.feed(page)
    listed = [link for links in parser.listed.values() for link in links]
    assert "file:///mnt/a%20b/record.json" in listed


def test_results_without_paths_have_no_links(results, history):
    page = report_html(report(results, history(results)))
    assert 'id="cells"' not in page
    assert not re.findall(r'href="(?!#)', page[page.index("<body>") :])


def test_markdown_says_where_the_paths_are(placed, history):
    assert "results.csv has their paths" in report_markdown(report(placed, history(placed)))
