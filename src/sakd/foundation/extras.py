"""Packages that are installed only for some commands."""

from __future__ import annotations

from importlib.util import find_spec

from sakd.foundation.errors import require


def require_extra(extra: str, *packages: str) -> None:
    """Check that the ``packages`` of an extra are installed, without importing them.

    Raises:
        UserError: One is not.
    """
    missing = [name for name in packages if find_spec(name) is None]
    found = f"{', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed"
    require(not missing, f'{found}: pip install "sakd[{extra}]"')
