"""Files of configuration: twice the same key, no YAML, no text, lists, unknown environments."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

from bad_input.case import Case

ROOT = Path(__file__).parents[2]


def holds(content: str | bytes, name: str = "parameters.yml") -> Callable[[Path], None]:
    """Copy the configuration, with other content in a file of the environment smoke."""
    written = content if isinstance(content, bytes) else content.encode()

    def make(here: Path) -> None:
        shutil.copytree(ROOT / "conf", here / "conf")
        (here / "conf" / "smoke" / name).write_bytes(written)

    return make


def conf(name: str, content: str | bytes, shown: str, file: str = "parameters.yml") -> Case:
    words = ("run", "--conf-source", "{here}/conf", "--env", "smoke")
    return Case(name, (*words, "--pipelines", "data_preparation"), shown, holds(content, file))


def started(name: str, options: str, shown: str, **more: int) -> Case:
    return Case(name, ("run", *options.split()), shown, **more)  # type: ignore[arg-type]


CASES = [
    conf("key-twice", "device: cpu\ndevice: cpu\n", "duplicate key device"),
    conf("key-twice-inside", "student: {epochs: 1, epochs: 2}\n", "duplicate key epochs"),
    conf("tab", "student:\n\tepochs: 1\n", "Invalid YAML .*parameters.yml, .*line 1"),
    conf("unclosed", "student: {epochs: 1\n", "Invalid YAML .*parameters.yml, .*line 1"),
    conf("list", "- 1\n- 2\n", "cannot be read .*names and values"),
    conf("word", "hello\n", "unknown parameter 'hello'; known: device"),
    conf("not-utf-8", b"device: \xff\n", "cannot be read .*UTF-8"),
    conf("nulls", b"device: cpu\x00\n", "special characters are not allowed|unacceptable"),
    conf("deep", "[" * 5000, "cannot be read .*levels"),
    conf("python-tag", "device: !!python/object/apply:os.getcwd []\n", "could not determine a con"),
    conf("tab-in-globals", "data_root:\tx\n\ty: 1\n", "Invalid YAML .*globals.yml", "globals.yml"),
    conf("globals-list", "- data\n", "cannot be read .*names and values", "globals.yml"),
    conf("infinite-in-yaml", "student: {optimisation: {lr: .inf}}\n", "lr' must be finite"),
    conf("date-for-number", "student: {epochs: 2020-01-01}\n", "'student.epochs'.*got"),
    conf("yes-for-number", "student: {epochs: [1]}\n", r"'student.epochs'.*got \[1\]"),
    started("unknown-environment", "--env smok", "'smok'; did you mean 'smoke'"),
    started("unknown-runner", "--runner SequentialRuner", "unknown runner 'SequentialRuner'"),
    started("runner-that-is-none", "--runner os.getcwd", "'os.getcwd' is not a runner: name one"),
    started("unknown-pipeline", "--env smoke --pipelines studnts", "did you mean 'students'"),
    started("unknown-node", "--env smoke --nodes prepar", "unknown node 'prepar'"),
    started("unknown-tag", "--env smoke --tags studnts", "unknown tag 'studnts'"),
    started("unknown-flag", "--parms grid.seeds=1", "No such option.*--parms", status=2, lines=4),
    started("no-folder-of-conf", "--conf-source nowhere", "nowhere", status=2, lines=4),
    started(
        "threads-as-runner",
        "--env smoke --runner ThreadRunner",
        "unknown runner 'ThreadRunner'",
    ),
    started("stage-too-early", "--env smoke --pipelines report", "not there yet: .*run the stages"),
    started(
        "weights-nowhere",
        "--env smoke --params teacher_weights.resnet20=nowhere.pth",
        "teacher_weights: there is no file nowhere.pth for resnet20; correct",
    ),
]
