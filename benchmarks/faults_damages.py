"""Damage to kept files, and what of a study must be the same after it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path

import numpy as np
import pandas as pd

CELLS = "06_models/digits/cells"
MADE = "07_model_output/digits"

KEPT: Mapping[str, tuple[str, ...]] = {
    "prepared images": ("03_primary/digits/*/*.safetensors",),
    "data cards": ("03_primary/digits/card.json",),
    "weights of students": (f"{CELLS}/digits-*/*/*/**/*.safetensors",),
    "cards of students": (f"{CELLS}/digits-*/*/*/*t.json", f"{CELLS}/digits-*/*/*/epochs/*.json"),
    "records": (f"{CELLS}/digits-*/*/*/record.json",),
    "histories": (f"{CELLS}/digits-*/*/*/history.csv",),
    "decisions": (f"{CELLS}/digits-*/*/*/routing.parquet",),
    "weights of teachers": (f"{CELLS}/teachers/*/*/*.safetensors",),
    "cards of teachers": (f"{CELLS}/teachers/*/*/*t.json",),
    "copies of teachers": ("06_models/digits/teachers/*",),
    "evaluations": (f"{CELLS}/evaluations/digits-*/*.json",),
    "answers": (f"{CELLS}/evaluations/**/*.parquet",),
    "tables between stages": (f"{MADE}/*.csv", f"{MADE}/*.parquet"),
    "results": ("08_reporting/digits/results.csv", "08_reporting/digits/results.csv.sha256"),
    "checksums of these": (f"{MADE}/*.sha256",),
    "records and accuracies": (f"{MADE}/*/*.json",),
}
"""Kinds of kept files, and where they are in the folder of all data."""

SAME = ("**/*.safetensors", "**/history.csv", "**/predictions.parquet", "**/routing.parquet")
"""Files that a rerun gives to the bit."""

LEFT = ("**/*.partial", "**/.tmp*", "**/checkpoint.pt", "**/previous.pt")
"""Files that a finished run leaves nowhere."""

Damage = Callable[[bytes, np.random.Generator], bytes]


def flipped(content: bytes, draw: np.random.Generator) -> bytes:
    """Flip one bit."""
    place = int(draw.integers(len(content)))
    bit = 1 << int(draw.integers(8))
    return content[:place] + bytes([content[place] ^ bit]) + content[place + 1 :]


def zeroed(content: bytes, draw: np.random.Generator) -> bytes:
    """Put zeros in place of a block of at most 64 KiB, a third of the file."""
    size = min(2**16, 1 + len(content) // 3)
    start = int(draw.integers(len(content) - size + 1))
    return content[:start] + bytes(size) + content[start + size :]


def cut_off(content: bytes, draw: np.random.Generator) -> bytes:
    """Leave the beginning."""
    return content[: int(draw.integers(len(content)))]


DAMAGES: Mapping[str, Damage] = {
    "a flipped bit": flipped,
    "a block of zeros": zeroed,
    "cut off": cut_off,
}


def harmed(content: bytes, harm: str, draw: np.random.Generator) -> bytes:
    """Damage ``content`` so that it is another one."""
    while (found := DAMAGES[harm](content, draw)) == content:
        pass  # zeros in the place of zeros
    return found


def files_of(data: Path, kind: str) -> list[Path]:
    """List the files of a kind."""
    found = {path for pattern in KEPT[kind] for path in data.glob(pattern)}
    if not found:
        raise FileNotFoundError(f"no {kind} in {data}: correct the patterns")
    return sorted(found)


def outcome(data: Path) -> dict[str, str]:
    """Hash all that a study gives but for times and places."""
    files = {path for pattern in SAME for path in data.glob(pattern) if "@" not in str(path)}
    found = {str(p.relative_to(data)): sha256(p.read_bytes()).hexdigest() for p in files}
    for table in (data / MADE / "evaluation.csv", data / "08_reporting/digits/results.csv"):
        lines = pd.read_csv(table) if table.exists() else pd.DataFrame()
        kept = [n for n in lines if n.startswith("test_") or n in {"cell", "key", "status"}]
        found[table.name] = lines[kept].to_csv(index=False)
    return found


def left_over(data: Path) -> list[str]:
    """List temporary files and checkpoints."""
    return [str(path.relative_to(data)) for pattern in LEFT for path in data.glob(pattern)]
