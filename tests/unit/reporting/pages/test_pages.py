from __future__ import annotations

from html.parser import HTMLParser

import pandas as pd
import pytest
from plotly.offline import get_plotlyjs

from sakd.reporting import Origin, report, report_html, report_markdown
from sakd.reporting.pages.sections import Report, Section, Tabular

SCRIPT = "<script>alert('x')</script>"
ORIGIN = Origin(
    provenance={"git revision": "3f9c1e2", "device": "cpu", "remote": "https://example.org/<b>"}
)


class Elements(HTMLParser):
    """Every element with its attributes, and the text outside scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.raw = False

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        self.raw = tag in ("script", "style")

    def handle_endtag(self, tag):
        self.raw = False

    def handle_data(self, data):
        self.text += "" if self.raw else data


@pytest.fixture(scope="module")
def page(results, history, data):
    hostile = results.assign(error=results["error"].where(results["error"].isna(), SCRIPT))
    return report_html(report(hostile, history(results), origin=ORIGIN, data=data()))


def elements(page):
    parser = Elements()
    parser.feed(page.replace(get_plotlyjs(), ""))
    return parser


def test_plotly_is_inlined_exactly_once(page):
    assert page.count(get_plotlyjs()) == 1


def test_the_page_loads_nothing(page):
    own = page.replace(get_plotlyjs(), "")
    found = elements(page).found
    loads = [(tag, a) for tag, a in found if {"src", "srcset", "data", "action"} & a.keys()]
    links = [a["href"] for _, a in found if "href" in a]
    assert loads == []
    assert all(link.startswith("#") for link in links)
    assert {"link", "img", "iframe", "object", "embed", "base"}.isdisjoint(tag for tag, _ in found)
    assert "@import" not in own
    assert "url(" not in own
    # The address in the provenance is text; nothing else names one.
    assert own.count("http") - own.count("http-equiv") == own.count("https://example.org") == 1


def test_the_page_forbids_every_request(page):
    policy = next(a for tag, a in elements(page).found if "http-equiv" in a)["content"]
    assert "default-src 'none'" in policy
    assert "connect-src" not in policy


def test_links_lead_to_sections_of_the_page(page):
    found = elements(page).found
    ids = [a["id"] for _, a in found if "id" in a]
    assert len(ids) == len(set(ids))
    assert {a["href"][1:] for _, a in found if "href" in a} <= set(ids)


def test_text_from_data_is_escaped(page):
    assert SCRIPT not in page
    assert SCRIPT in elements(page).text
    assert "https://example.org/<b>" in elements(page).text


def test_a_name_cannot_end_the_data_of_a_figure(cell, history):
    name = "</script><script>alert(1)</script>"
    frame = pd.DataFrame([cell(name, policy, 0, 0.5) for policy in ("always", "adaptive")])
    page = report_html(report(frame, history(frame)))
    assert "alert(1)</script>" not in page
    # plotly, its template, three figures, the page's own.
    assert sum(tag == "script" for tag, _ in elements(page).found) == 6


def test_a_very_long_table_of_names_is_shown_in_full():
    frame = pd.DataFrame({"setting": [f"setting {k}" for k in range(80)], "study": "value"})
    section = Section("The study", (Tabular("settings", "Settings", frame, names=2),))
    page = report_html(Report("Title", "", "", (section,)))
    assert all(f"setting {k}<" in page for k in range(80))


def test_of_a_very_long_table_the_lines_of_the_highest_first_number_are_shown():
    numbers = [f"{number}.00 ± 1.00" for number in range(100)]
    frame = pd.DataFrame({"method": [f"m{k}" for k in range(100)], "top-1 %": numbers})
    section = Section("Long", (Tabular("long", "A long table", frame),))
    page = report_html(Report("Title", "", "", (section,)))
    assert "50 of 100 lines, those with the highest top-1 %; tables/long.csv has all." in page
    assert [">m49<" in page, ">m50<" in page, ">m99<" in page] == [False, True, True]


def test_pairs_are_folded_where_there_are_several(results, history):
    both = pd.concat([results, results.assign(student="u", cell=results["cell"] + "-u")])
    for frame, folds in ((results, 0), (both, 2)):
        content = report(frame, history(frame))
        parts = [section for section in content.sections if section.title.startswith("digits")]
        assert sum(section.folded for section in parts) == folds
        assert report_html(content).count("<summary><h3>digits") == folds


def test_an_image_counts_once_and_so_do_those_that_only_one_seed_tests(
    results, history, predictions
):
    answers = predictions(results)
    own = answers.assign(content=answers["content"] + answers["cell"].str[-2:])
    for found, images in ((answers, 100), (own, 300)):
        content = report(results, history(results), predictions=found)
        assert f"3 seeds on {images} different test images" in report_markdown(content)


def test_both_pages_tell_the_same_story(results, history, data, page):
    content = report(results, history(results), origin=ORIGIN, data=data())
    markdown = report_markdown(content)
    for text in (markdown, elements(page).text):
        for shown in (
            "[-0.48, +4.48] (seeds alone)",
            "cannot be told, +1.83",
            "No result from 1 of 13 cells",
            "Cells without a result",
            "3f9c1e2",
            "16",
            "7 to 9",
            "0.1235",
            "best (optimistic)",
        ):
            assert shown in text


def test_markdown_tables_survive_pipes_and_newlines(results, history):
    hostile = results.assign(error=results["error"].where(results["error"].isna(), "a | b\nc <i>"))
    text = report_markdown(report(hostile, history(results)))
    assert "a \\| b c &lt;i>" in text


def test_markdown_tables_keep_every_digit_of_a_number(results, history):
    text = report_markdown(report(results, history(results)))
    (table,) = (part for part in text.split("**") if "val-selected %" in part)
    (line,) = (line for line in table.splitlines() if line.startswith("| student alone |"))
    assert [part.strip() for part in line.split("|")][3:7] == [
        *("72.00 ± 2.00", "71.00 ± 2.00", "74.00 ± 2.00", "+2.00 ± 0.00"),
    ]


def test_no_adaptive_cells_and_no_history_still_make_a_page(results):
    plain = results[results["policy"] != "adaptive"]
    content = report(plain, pd.DataFrame())
    assert "No gain to show" in report_html(content)
    assert "No policy to compare" in report_markdown(content)


def test_everything_failed_still_makes_a_page(results, history):
    failed = results.assign(status="failed", test_top1=None, error="RuntimeError: gone")
    page = report_html(report(failed, history(results)))
    assert "0 of 13" in page
    assert page.count("RuntimeError: gone") == 13


def test_no_cells_still_make_a_page(results):
    assert "0 of 0" in report_html(report(results.iloc[:0], pd.DataFrame()))


def test_the_main_verdicts_of_every_teacher_come_before_the_others(results, history):
    routed = results[results["policy"] == "adaptive"]
    anti = routed.assign(policy="anti", cell=routed["cell"] + "-anti")
    plain = pd.concat([results, anti], ignore_index=True)
    brief = plain.assign(teacher="t@brief", cell=plain["cell"] + "-brief")
    lines = pd.concat([plain, brief], ignore_index=True)
    facts = report(lines, history(lines)).sections[0].blocks[0]
    subjects = [subject for subject, _ in facts.items]
    assert set(subjects[:4]) == {
        *("distillation under t", "distillation under t@brief"),
        *("adaptivity under t", "adaptivity under t@brief"),
    }
    assert subjects[4] == "what to ship"
    assert len(subjects) > 5
