"""The project's parameters, put back after each test, and a project without data."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

from sakd.project.context import Context
from sakd.project.parameters import activate

ROOT = Path(__file__).parents[3]


@pytest.fixture(autouse=True)
def _put_back(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("KEDRO_ENV", raising=False)
    yield
    activate(None)


@pytest.fixture(scope="session", autouse=True)
def _project() -> None:
    bootstrap_project(ROOT)


@pytest.fixture
def as_in_a_terminal() -> Iterator[None]:
    """Let Ctrl-C and a closed terminal end a run, which nohup or a background shell has ignored."""
    heeded = {signal.SIGINT: signal.default_int_handler, signal.SIGHUP: signal.SIG_DFL}
    before = {number: signal.signal(number, handle) for number, handle in heeded.items()}
    yield
    for number, handle in before.items():
        signal.signal(number, handle)


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Make a project in which nothing is prepared the present folder."""
    for name in ("conf", "src", "pyproject.toml"):
        (tmp_path / name).symlink_to(ROOT / name)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def load_context() -> Callable[..., Context]:
    """Make the context of a command: of Kedro's own session, as kedro-viz and notebooks do."""

    def load(env: str = "base", conf: Path = ROOT / "conf", **parameters: Any) -> Context:
        with KedroSession.create(
            ROOT, save_on_close=False, env=env, runtime_params=parameters, conf_source=str(conf)
        ) as session:
            context = session.load_context()
        assert isinstance(context, Context)
        return context

    return load
