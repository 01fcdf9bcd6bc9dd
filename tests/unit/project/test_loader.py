"""A configuration file that cannot be read is one line."""

from __future__ import annotations

from pathlib import Path

import click
import pytest

from sakd.project.loader import Loader
from sakd.settings import CONFIG_LOADER_ARGS


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("parameters", b"data: {path: \xe9\xff}\n"),
        ("parameters", b"- a\n- list\n"),
        ("parameters", b"data: " + b"[" * 5000 + b"]" * 5000),
        ("parameters", b"data: {path: @home}\n"),
        ("parameters", b"data: {path: %x}\n"),
        ("parameters", b"data: {path: '${x}'}\n"),
        ("globals", b"data_root:\tx\n\ty: 1\n"),
        ("globals", b"- a\n- list\n"),
        ("parameters", b"3\n"),
    ],
    ids=["latin-1", "list", "deep", "at", "percent", "reference", "tabs", "list of globals", "3"],
)
def test_it_is_one_line(file: str, content: bytes, tmp_path: Path) -> None:
    for environment in ("base", "own"):
        (tmp_path / environment).mkdir()
    (tmp_path / "own" / f"{file}.yml").write_bytes(content)
    with pytest.raises(click.ClickException, match=r"\w") as caught:
        _ = Loader(str(tmp_path), env="own", **CONFIG_LOADER_ARGS)[file]
    assert "\n" not in caught.value.message
