"""What is around the tests, made the same on every machine."""

from __future__ import annotations

import os
from pathlib import Path

from hypothesis import HealthCheck, settings

STRANGE = ("AWS_", "DVC_", "GIT_", "RAY_", "COLUMNS", "KEDRO_ENV", "KEDRO_LOGGING", "KEDRO_MP")
"""Beginnings of variables by which a user, a hook of git or a stage of DVC would change results."""

GIT = {
    "GIT_CONFIG_GLOBAL": str(Path(__file__).with_name("gitconfig")),
    "GIT_CONFIG_NOSYSTEM": "1",
}
"""Nobody's settings of git."""

HERE = "127.0.0.1,localhost"
"""Between tests and their servers on this machine there is no proxy."""


def as_anywhere() -> None:
    """Forget the settings of who runs the tests, and have laws tried alike at any speed."""
    for name in [each for each in os.environ if each.startswith(STRANGE)]:
        del os.environ[name]
    os.environ.update(GIT)
    for name in ("no_proxy", "NO_PROXY"):
        os.environ[name] = ",".join(filter(None, (os.environ.get(name), HERE)))
    settings.register_profile(
        "laws",
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow],  # a busy machine is, at any time
        derandomize=True,
        max_examples=25,
        database=None,
    )
    settings.load_profile("laws")
