"""Pages of a folder in a headless browser, over the loopback address."""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event, Thread
from typing import Any

from sakd.foundation.errors import UserError, require

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
LOOPBACK = "127.0.0.1"
SECONDS = 300.0
"""For a page to do what it is asked, at most; a slow machine may need minutes."""

HELD, FOUND = "/held", "/found"
"""Addresses: an image that comes once the script is done, and where it sends what it has found."""

HEAD = f'<head><img src="{HELD}" hidden><script>const SEND = "{FOUND}";\n%s</script>'
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
    f"--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE {LOOPBACK}",  # the browser's own wishes too
)


def find_browser() -> str:
    """Find a browser on the path.

    Raises:
        UserError: There is none.
    """
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        raise UserError(f"no browser to draw with: install {' or '.join(BROWSERS)}")
    return found


def browse(
    folder: Path,
    script: str,
    picture: Path | None = None,
    size: tuple[int, int] = (1600, 1000),
    page: str = "",
) -> Any:  # noqa: ANN401 - JSON
    """Show the page of a folder in a browser, run a script in it, and give what that sends.

    The folder is served to this machine alone. The browser takes the page for loaded, and draws
    it, once the script has sent JSON to SEND.

    Args:
        folder: With an ``index.html``.
        script: JavaScript, which runs before all other scripts of the page.
        picture: A PNG file for the page as it is in the end; None for none.
        size: Of the window in pixels.
        page: The place of the page in ``folder``, like "notes/".

    Raises:
        UserError: There is no browser, it ends with an error or not at all, or the script does not
            end.
    """
    server = _Server(folder, page, script)
    shown = "--dump-dom" if picture is None else f"--screenshot={picture.resolve()}"
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        with TemporaryDirectory(ignore_cleanup_errors=True) as profile:
            window = f"--window-size={size[0]},{size[1]}"
            command = [find_browser(), *OPTIONS, f"--user-data-dir={profile}", window, shown]
            _run([*command, f"http://{LOOPBACK}:{server.server_port}/{page}"])
    finally:
        server.done.set()
        server.shutdown()
        thread.join()
        server.server_close()
    require(server.found is not None, f"the page in {folder} has not answered: try again")
    return server.found


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(  # noqa: S603 - a browser from the path
            command, capture_output=True, text=True, timeout=2 * SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        found = f"{command[0]} has not ended within {2 * SECONDS:g} seconds"
        raise UserError(f"{found}: try again when the machine is less busy") from error
    last = " ".join(done.stderr.split()[-20:])
    require(done.returncode == 0, f"{command[0]} ended with exit code {done.returncode}: {last}")


class _Server(ThreadingHTTPServer):
    """Serves a folder, and takes what the script in its page has found."""

    def __init__(self, folder: Path, page: str, script: str) -> None:
        self.place = f"/{page}"
        self.page = (folder / page / "index.html").read_text().replace("<head>", HEAD % script, 1)
        self.done = Event()
        self.found: Any = None
        super().__init__((LOOPBACK, 0), partial(_Handler, directory=str(folder)))

    def handle_error(self, *_request: object) -> None:
        """Say nothing where the browser has gone in the middle of an answer."""


class _Handler(SimpleHTTPRequestHandler):
    """Answers for a `_Server`, and says nothing."""

    server: _Server

    def do_GET(self) -> None:
        if self.path == HELD:
            self.server.done.wait(SECONDS)
            self._answer("")
        elif self.path == self.server.place:
            self._answer(self.server.page)
        else:
            super().do_GET()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.found = json.loads(body)
        self._answer("")
        self.server.done.set()

    def _answer(self, text: str) -> None:
        content = text.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_message: object) -> None:
        pass
