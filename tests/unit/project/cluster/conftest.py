"""Stores that are no folders: a server of S3 on this machine, and a folder as fsspec sees it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def s3() -> Iterator[str]:
    """The address of a server of S3."""
    pytest.importorskip("s3fs", reason="needs the extra ray")
    server = pytest.importorskip("moto.server").ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(params=["folder", "s3"])
def url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The place of an empty store."""
    if request.param == "folder":
        return f"file://{tmp_path}/store"
    given = {
        "AWS_ACCESS_KEY_ID": "me",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": request.getfixturevalue("s3"),
    }
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    bucket = tmp_path.name.replace("_", "-").lower().strip("-")[-40:].strip("-")
    s3fs = pytest.importorskip("s3fs")
    s3fs.S3FileSystem(use_listings_cache=False).mkdir(bucket)
    return f"s3://{bucket}/study"
