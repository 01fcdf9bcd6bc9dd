"""The batch script for SLURM, run with stand-ins for SLURM, Ray and Kedro."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from sakd.command import slurm
from sakd.foundation.errors import UserError

PATIENCE = 300
"""Seconds that a slow machine may take."""

STAND_INS = {
    "scontrol": "printf 'first\\nsecond\\n'",
    # A process on each of two machines.
    "srun": r'for i in 0 1; do SLURM_PROCID=$i "$@" & done; trap "kill \$(jobs -p)" TERM; wait',
    "ray": """
        case "$1 $2" in
            "start --head") name=head ;;
            "start --address") name=other ;;
            *) test -e head; exit ;;
        esac
        echo "$*" > "$name.new"
        mv "$name.new" "$name"  # others wait for it
        sleep 600""",
    "kedro": """
        printf '%s\\n' "$@" > given
        trap 'exit 143' TERM
        until test -e other; do sleep 0.05; done
        touch trains
        if test -e stays; then while true; do sleep 0.05; done; fi
        exit 3""",
}


Start = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Start]:
    """Write the script in a folder with a space in its name, and start it, until the test ends."""
    folder, programs = tmp_path / "a study", tmp_path / "bin"
    folder.mkdir()
    programs.mkdir()
    for name, code in STAND_INS.items():
        (programs / name).write_text(f"#!/usr/bin/env bash\n{code}\n")
        (programs / name).chmod(0o755)
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "executable", str(programs / "python"))

    def begin(*arguments: str, late: float = 0) -> subprocess.Popen[bytes]:
        slurm.run(arguments)
        script = folder / "study.sbatch"
        text = capsys.readouterr().out.replace("sleep 2", "sleep 0.05")
        script.write_text(text.replace("run=$!", f"sleep {late}\nrun=$!"))
        assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
        job = {"SLURM_JOB_NODELIST": "first,second", "SLURM_JOB_ID": "41234"}
        begun.append(
            subprocess.Popen(
                ["bash", script], env=os.environ | job, start_new_session=True, cwd=tmp_path
            )
        )
        return begun[-1]

    begun: list[subprocess.Popen[bytes]] = []
    yield begin
    for job in begun:
        with suppress(ProcessLookupError):
            os.killpg(job.pid, signal.SIGKILL)
        job.wait()


def test_the_script_runs_a_study_on_all_machines_and_ends_with_its_status(
    start: Start,
) -> None:
    options = ("--nodes", "2", "--gpus", "2", "--cpus", "8", "--row", "gpus=0.5")
    params = "grid.pairs=a/b,data.path=my images"
    job = start(*options, "--", "--env", "cifar100", "--params", params)
    assert job.wait(PATIENCE) == 3
    here = Path.cwd()
    offered = "--num-cpus 8 --num-gpus 2 --block"
    assert (here / "head").read_text() == f"start --head --port 21234 {offered}\n"
    assert (here / "other").read_text() == f"start --address first:21234 {offered}\n"
    shares = ["--runner", "RayRunner", "--runner-params", "address=first:21234,gpus=0.5"]
    given = (here / "given").read_text().splitlines()
    assert given == ["run", *shares, "--env", "cifar100", "--params", params]


@pytest.mark.parametrize("late", [0, 1])
def test_the_run_is_asked_to_end_when_the_time_is_nearly_over(start: Start, late: float) -> None:
    """Also where it comes before the script has gone on from the start of the run."""
    Path("stays").touch()
    job = start("--nodes", "2", late=late)
    end = time.monotonic() + PATIENCE
    while not Path("trains").exists():
        assert job.poll() is None
        assert time.monotonic() < end
        time.sleep(0.02)
    job.terminate()
    assert job.wait(PATIENCE) == 143


def test_what_is_asked_of_slurm_is_in_the_head_of_the_script(
    capsys: pytest.CaptureFixture[str],
) -> None:
    slurm.run(["--nodes", "3", "--time", "2-12:00", "--partition", "gpu", "--gpus", "0"])
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("#SBATCH")]
    assert {"#SBATCH --nodes=3", "#SBATCH --time=2-12:00", "#SBATCH --partition=gpu"} <= {*lines}
    assert not [line for line in lines if "gpus" in line or "account" in line]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--nodes", "0"], "nodes must be above 0, got 0"),
        (["--gpus", "-1"], "gpus must not be negative: -1"),
        (["--time", "tomorrow"], "--time takes .*'tomorrow'"),
        (["--", "--runner", "SequentialRunner"], "--runner after --: .*--row"),
    ],
)
def test_what_slurm_cannot_be_asked_is_refused(arguments: list[str], complaint: str) -> None:
    with pytest.raises(UserError, match=complaint):
        slurm.run(arguments)
