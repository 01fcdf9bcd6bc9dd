"""The numbers of a summary as small files, of which DVC shows each as a line."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Mapping

from sakd.foundation.names import file_name
from sakd.reporting.tables.columns import METRIC
from sakd.routing import POLICIES

STUDY = "study.json"
"""The numbers of the whole study."""

GAIN, ENDS = "gain", ("low", "high", "seeds")
WHOLE = ("cells_done", "cells_failed", f"{METRIC}/student_alone", f"{GAIN}/distillation")


def metric_files(numbers: Mapping[str, float | int]) -> dict[str, bytes]:
    """Divide a summary, see `sakd.reporting.summary`, into files of a few numbers each.

    Returns:
        JSON files by name: ``study.json`` with the cells that are done and failed, the accuracy of
        the student alone and the gains by distillation and by policies; one with the accuracy of
        every method; and, named ``gain-...``, one with every gain, its interval and its seeds.

    >>> sorted(metric_files({"cells_done": 1, "top1/kd/always": 0.9, "gain/anti/seeds": 3}))
    ['gain-anti.json', 'kd-always.json', 'study.json']
    """
    policies = [f"{GAIN}/{policy}" for policy in POLICIES]
    lines: dict[str, dict[str, float | int]] = defaultdict(dict)
    lines[STUDY] = {name: numbers[name] for name in (*WHOLE, *policies) if name in numbers}
    for name, number in numbers.items():
        kind, _, rest = name.partition("/")
        if kind == METRIC:
            lines[_file(rest)][METRIC] = number
        elif kind == GAIN:
            of, _, end = rest.rpartition("/")
            at_end = end in ENDS
            lines[_file(f"{GAIN}-{of if at_end else rest}")][end if at_end else GAIN] = number
    return {file: json.dumps(line, indent=2).encode() for file, line in lines.items()}


def _file(name: str) -> str:
    return "-".join(map(file_name, re.split("[-/]", name))) + ".json"
