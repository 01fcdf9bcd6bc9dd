"""The page in a real browser: figures, headings that sort, no error of a script."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import pytest

from sakd.reporting import report, report_html

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")

ERRORS = """<script>
window.errors = [];
addEventListener("error", event => errors.push(event.message));
addEventListener("unhandledrejection", event => errors.push(String(event.reason)));
</script>"""

PROBE = """<script>
addEventListener("load", () => {
  document.querySelectorAll("details").forEach(fold => { fold.open = true; });
  setTimeout(() => {
    const tables = [...document.querySelectorAll("table")];
    const table = tables.find(each => each.textContent.includes("adaptive against always"));
    const column = heading => [...table.tBodies[0].rows].map(row => row.cells[heading].textContent);
    const orders = [column(3)];
    const head = table.tHead.rows[0].cells[3];
    const aria = [];
    for (const _ of [1, 2, 3]) {
      head.querySelector("button").click();
      orders.push(column(3));
      aria.push(head.ariaSort);
    }
    const figures = [...document.querySelectorAll("figure")].map(figure => {
      const place = figure.querySelector(".plot");
      const rows = figure.querySelectorAll(".numbers tbody tr");
      return {
        label: place.getAttribute("aria-label"),
        reachable: place.tabIndex === 0,
        drawn: place.querySelectorAll(".main-svg .trace, .main-svg .infolayer .annotation").length,
        tools: place.querySelectorAll(".modebar-btn[tabindex='0']").length,
        numbers: [...rows].map(row => [...row.cells].map(cell => cell.textContent)),
        inside: place.querySelector(".main-svg").clientWidth <= place.clientWidth,
      };
    });
    const found = document.createElement("pre");
    found.id = "found";
    found.textContent = JSON.stringify({errors, orders, aria, figures});
    document.body.append(found);
  }, 3000);
});
</script></body>"""


@pytest.fixture(scope="module")
def found(results, history, tmp_path_factory):
    """Show a page in a browser, in a window so high that every figure is in sight."""
    folder: Path = tmp_path_factory.mktemp("browser")
    costs = {"parameters": 1000.0, "macs": 2000.0, "latency_b1_p50_ms": 1.0}
    page = report_html(report(results.assign(**costs), history(results)))
    file = folder / "report.html"
    file.write_text(page.replace("<style>", f"{ERRORS}<style>", 1).replace("</body>", PROBE))
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000"]
    window = [f"--user-data-dir={folder / 'browser'}", "--window-size=1000,20000", "--dump-dom"]
    command = [str(BROWSER), *options, *window, file.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=600)
    (shown,) = re.findall(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    return json.loads(unescape(shown))


pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(BROWSER is None, reason="needs a browser: chromium or google-chrome"),
]


def test_no_script_fails_and_headings_sort(found):
    assert found["errors"] == []
    first, up, down, again = found["orders"]
    assert first == again == ["+2.00", "+0.00", "+1.83"]
    assert up == ["+0.00", "+1.83", "+2.00"]
    assert down == ["+2.00", "+1.83", "+0.00"]
    assert found["aria"] == ["ascending", "descending", "none"]


def test_every_figure_is_drawn_as_wide_as_its_place(found):
    assert len(found["figures"]) >= 4  # one of them with three panels, which fill no two rows
    for figure in found["figures"]:
        assert figure["drawn"] > 0
        assert figure["inside"]


def test_every_figure_is_reached_by_keyboard_with_its_tools(found):
    for figure in found["figures"]:
        assert figure["reachable"]
        assert figure["tools"] > 3


def test_every_figure_says_what_is_seen_and_has_its_numbers_in_a_table(found):
    gain, curves = (
        next(figure for figure in found["figures"] if figure["label"].startswith(title))
        for title in ("Gain over plain distillation", "Validation accuracy per epoch")
    )
    assert "adaptive - always kd 2 ± 2.48" in gain["label"]
    assert ["adaptive - always", "kd", "2", "± 2.48", "n=3"] in gain["numbers"]
    assert "kd: always ends at 82" in curves["label"]
    assert ["kd", "always", "41", "82"] in curves["numbers"]
