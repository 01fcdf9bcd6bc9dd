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
addEventListener("load", () => setTimeout(() => {
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
  const layers = [...document.querySelectorAll(".plotly-graph-div")].map(figure =>
    figure.querySelector(".main-svg").getAttribute("aria-label"));
  const found = document.createElement("pre");
  found.id = "found";
  found.textContent = JSON.stringify({errors, orders, aria, layers});
  document.body.append(found);
}, 500));
</script></body>"""


@pytest.mark.skipif(BROWSER is None, reason="needs a Chromium browser")
@pytest.mark.slow
def test_figures_are_drawn_and_headings_sort(results, history, tmp_path: Path):
    page = report_html(report(results, history(results)))
    file = tmp_path / "report.html"
    file.write_text(page.replace("<style>", f"{ERRORS}<style>", 1).replace("</body>", PROBE))
    options = ["--headless", "--no-sandbox", "--disable-gpu", "--virtual-time-budget=20000"]
    command = [str(BROWSER), *options, f"--user-data-dir={tmp_path / 'browser'}", "--dump-dom"]
    done = subprocess.run(
        [*command, file.as_uri()], capture_output=True, text=True, check=True, timeout=120
    )
    (shown,) = re.findall(r'<pre id="found">(.*?)</pre>', done.stdout, re.DOTALL)
    found = json.loads(unescape(shown))
    assert found["errors"] == []
    first, up, down, again = found["orders"]
    assert first == again == ["+2.00", "+0.00", "+1.83"]
    assert up == ["+0.00", "+1.83", "+2.00"]
    assert down == ["+2.00", "+1.83", "+0.00"]
    assert found["aria"] == ["ascending", "descending", "none"]
    assert [label.partition(":")[0][:9] for label in found["layers"]] == [
        *("Gain over", "Validatio", "Gate rate"),
    ]
