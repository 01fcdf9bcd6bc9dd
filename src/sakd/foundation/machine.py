"""The device of a run, and the provenance of its results."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path

import torch
from torch import Tensor

import sakd
from sakd.foundation.determinism import is_deterministic
from sakd.foundation.errors import UserError, require

_MEMINFO, _CGROUP = Path("/proc/meminfo"), Path("/sys/fs/cgroup")


def resolve_device(name: str) -> torch.device:
    """Find the device called ``auto`` (a GPU where there is one), ``cpu`` or ``cuda``.

    A GPU computes convolutions of float32 in float32 from then on; torch lets it round factors.

    Raises:
        UserError: A GPU is asked for, and torch sees no GPU.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name == "cuda" and not torch.cuda.is_available():
        raise UserError("device 'cuda': torch sees no GPU here; use device=cpu or device=auto")
    torch.backends.cudnn.allow_tf32 = False
    return torch.device(name)


def send(tensor: Tensor, device: torch.device) -> Tensor:
    """Copy a ``tensor`` of the host to ``device`` without waiting for the device."""
    if device.type == "cuda":
        tensor = tensor.pin_memory()
    return tensor.to(device, non_blocking=True)


def settle(device: torch.device) -> None:
    """Wait until ``device`` has done all that it was asked for."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def require_compiler() -> None:
    """Check that there is a C++ compiler, which `torch.compile` uses.

    Raises:
        UserError: There is none.
    """
    names = [os.environ["CXX"]] if "CXX" in os.environ else ["g++", "clang++"]
    found = any(map(shutil.which, names))
    tried = " or ".join(names)
    require(found, f"to compile networks needs {tried}: install it, or set compile to false")


def free_memory(device: torch.device) -> int:
    """Count the bytes that are still free on ``device``, within the limit of a container."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    found = [_available()]
    with suppress(OSError, ValueError):  # no container, or one without a limit
        limit, used = (int((_CGROUP / f"memory.{n}").read_text()) for n in ("max", "current"))
        found.append(limit - used)
    return max(0, min(found))


def _available() -> int:
    with suppress(OSError, StopIteration, ValueError):
        lines = _MEMINFO.read_text().splitlines()
        available = next(line for line in lines if line.startswith("MemAvailable:"))
        return 1024 * int(available.split()[1])
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2


def describe(device: torch.device) -> str:
    """Name ``device`` with the machine that it is in, and the threads of torch."""
    kind = torch.cuda.get_device_name(device) if device.type == "cuda" else device.type
    cores, threads = os.cpu_count(), torch.get_num_threads()
    threaded = f"{threads} thread{'' if threads == 1 else 's'}"
    return f"{kind} ({platform.machine()}, {cores} cores, {threaded})"


def out_of_memory(error: Exception) -> bool:
    """Tell whether ``error`` is a lack of memory, so that fewer trainings may succeed."""
    known = isinstance(error, MemoryError | torch.OutOfMemoryError)
    return known or "can't allocate memory" in str(error)


@cache
def provenance(device: str) -> dict[str, str]:
    """List the origins of a result: revision, versions, machine, ``device``, threads."""
    if torch.device(device).type == "cuda":
        device = f"cuda ({torch.cuda.get_device_name()})"
    found = {
        "git_revision": _git_revision(),
        "sakd": sakd.__version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torchvision": version("torchvision"),  # to import it would take seconds
        "platform": platform.platform(),
        "device": device,
        "threads": str(torch.get_num_threads()),
    }
    return found | ({"deterministic": "true"} if is_deterministic() else {})


def _git_revision() -> str:
    """Give the commit of the source tree, with ``-dirty`` if it was changed; or ``unknown``."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=40", "--exclude=*"]
    try:
        answer = subprocess.run(  # noqa: S603 - fixed command
            command, cwd=Path(__file__).parent, capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    return answer.stdout.strip()
