"""Packages that are installed only for some uses."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from types import ModuleType

from sakd.foundation.errors import require

_DATA = ("pyarrow", "sklearn")
_REPORT = ("matplotlib", "pandas", "plotly", "scipy", "tabulate")

EXTRAS: Mapping[str, tuple[str, ...]] = {
    "data": _DATA,
    "export": ("onnx", "onnxruntime", "onnxscript"),
    "project": (*_DATA, *_REPORT, "dvc", "kedro", "kedro_datasets", "kedro_viz", "pydantic"),
    "ray": ("ray", "s3fs"),
    "report": _REPORT,
    "scipy": ("scipy",),
    "tensorboard": ("tensorboard",),
    "timm": ("timm",),
}
"""The packages of each extra in ``pyproject.toml``, as they are imported."""


def require_extra(extra: str, *packages: str) -> None:
    """Check that packages of an extra are installed, without importing them.

    Args:
        extra: One of `EXTRAS`.
        packages: Those that are needed, as they are imported; all of the extra if none is named.

    Raises:
        UserError: One is not installed.
    """
    missing = [name for name in packages or EXTRAS[extra] if find_spec(name) is None]
    found = f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed"
    require(not missing, f'{found}: pip install "sakd[{extra}]"')


def from_extra(extra: str, module: str) -> ModuleType:
    """Import a ``module`` of an ``extra``, at the moment when it is used.

    Raises:
        UserError: Its package is not installed.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError:
        require_extra(extra, module.partition(".")[0])
        raise
