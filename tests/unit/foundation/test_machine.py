"""The device of a run, and the provenance of its results."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import torch

import sakd
from sakd.foundation import machine
from sakd.foundation.errors import UserError
from sakd.foundation.machine import (
    describe,
    free_memory,
    provenance,
    require_compiler,
    resolve_device,
    settle,
)


def test_the_cpu_is_always_there() -> None:
    assert resolve_device("cpu") == torch.device("cpu")


def test_a_missing_gpu_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(UserError, match=r"'cuda'.* device=cpu"):
        resolve_device("cuda")
    assert resolve_device("auto") == torch.device("cpu")


def test_a_missing_compiler_is_refused_with_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine.shutil, "which", lambda name: name == "g++" or None)
    monkeypatch.delenv("CXX", raising=False)
    require_compiler()
    monkeypatch.setenv("CXX", "/no/compiler")
    with pytest.raises(UserError, match=r"/no/compiler.* set compile to false"):
        require_compiler()


def test_auto_takes_the_gpu_where_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_device("auto") == resolve_device("cuda") == torch.device("cuda")


def test_a_gpu_is_asked_for_its_name_its_memory_and_its_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    gpu, waited = torch.device("cuda"), []
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda _device: (7, 9))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _device=None: "a card")
    monkeypatch.setattr(torch.cuda, "synchronize", waited.append)
    assert free_memory(gpu) == 7
    assert describe(gpu).startswith("a card (")
    assert provenance("cuda")["device"] == "cuda (a card)"
    settle(torch.device("cpu"))
    settle(gpu)
    assert waited == [gpu]
    provenance.cache_clear()


def test_provenance_names_revision_versions_and_machine() -> None:
    found = provenance("cpu")
    assert re.fullmatch(r"[0-9a-f]{40}(-dirty)?|unknown", found["git_revision"])
    assert found["sakd"] == sakd.__version__
    assert found["torch"] == torch.__version__
    assert found["device"] == "cpu"
    assert int(found["threads"]) == torch.get_num_threads()
    assert all(isinstance(value, str) and value for value in found.values())


def test_provenance_without_git_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    provenance.cache_clear()
    try:
        assert provenance("cpu")["git_revision"] == "unknown"
    finally:
        provenance.cache_clear()


def test_free_memory_is_what_linux_says_and_a_container_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "meminfo").write_text("MemTotal: 90 kB\nMemAvailable:   40 kB\n")
    monkeypatch.setattr(machine, "_MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(machine, "_CGROUP", tmp_path)
    cpu = torch.device("cpu")
    assert free_memory(cpu) == 40 * 1024
    for limit, expected in (("max", 40 * 1024), ("9000", 7000), ("1000", 0)):
        (tmp_path / "memory.max").write_text(f"{limit}\n")
        (tmp_path / "memory.current").write_text("2000\n")
        assert free_memory(cpu) == expected
    (tmp_path / "meminfo").unlink()
    (tmp_path / "memory.max").unlink()
    assert free_memory(cpu) > 0
