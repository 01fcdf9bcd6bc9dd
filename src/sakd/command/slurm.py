"""Write a batch script by which SLURM runs a study on the machines of a cluster."""

from __future__ import annotations

import re
import shlex
import sys
from argparse import Namespace
from collections.abc import Iterator, Sequence
from pathlib import Path

from sakd.command.parser import Parser
from sakd.foundation.errors import require, require_not_negative, require_positive

TIME = re.compile(r"\d+(:\d\d){0,2}|\d+-\d\d?(:\d\d){0,2}")
"""Minutes, M:S, H:M:S, or days before a dash, as SLURM takes them."""

SCRIPT = """#!/usr/bin/env bash
# Written by `sakd slurm`. The same script again goes on from what is finished.
#SBATCH --job-name=sakd
#SBATCH --output=sakd-%j.log
{options}
#SBATCH --ntasks-per-node=1
#SBATCH --signal=B:TERM@120
set -euo pipefail
cd {folder}
export PATH={programs}:"$PATH" RAY_USAGE_STATS_ENABLED=0
read -r HEAD < <(scontrol show hostnames "$SLURM_JOB_NODELIST")
export HEAD PORT=$((20000 + SLURM_JOB_ID % 20000))

# A Ray cluster: its head on the first machine, which is this one, and the others join it.
srun bash -c '
    offer=(--num-cpus {cpus} --num-gpus {gpus} --block)
    if [ "$SLURM_PROCID" = 0 ]; then
        exec ray start --head --port "$PORT" "${{offer[@]}}"
    fi
    until ray status --address "$HEAD:$PORT" >/dev/null 2>&1; do sleep 2; done
    exec ray start --address "$HEAD:$PORT" "${{offer[@]}}"
' &
cluster=$!
until ray status --address "$HEAD:$PORT" >/dev/null 2>&1; do
    kill -0 "$cluster" || exit 1
    sleep 2
done

# The run is asked to end two minutes before its time is over.
run="" stopped=""
trap 'stopped=yes; kill -TERM "$run" 2>/dev/null || true' TERM
kedro run --runner RayRunner --runner-params address="$HEAD:$PORT"{shares} {given} &
run=$!
[ -z "$stopped" ] || kill -TERM "$run" || true
status=0
wait "$run" || status=$?
if [ -n "$stopped" ]; then
    status=0
    wait "$run" || status=$?
fi
kill "$cluster" 2>/dev/null || true
exit "$status"
"""


def run(arguments: Sequence[str]) -> None:
    """Print the script.

    Args:
        arguments: What is asked of SLURM; after ``--`` the options of ``kedro run``.

    Raises:
        UserError: A number or a time is wrong, or an option of the run is the script's own.
    """
    own, run_options = _halves(arguments)
    given = _parser().parse_args(own)
    require_positive(nodes=given.nodes, cpus=given.cpus)
    require_not_negative(gpus=given.gpus)
    fine = TIME.fullmatch(given.time) is not None
    require(fine, f"--time takes minutes, H:M:S or D-H:M:S, got {given.time!r}")
    taken = [one for one in run_options if one.startswith("--runner")]
    complaint = f"{', '.join(taken)} after --: the script names the runner"
    require(not taken, f"{complaint}; give shares of a row by --row gpus=0.5 before it")
    shares = [one.partition("=")[0].strip() for one in given.row.split(",")] if given.row else []
    own_name = f"--row {given.row} names address, which the script gives: leave it out"
    require("address" not in shares, own_name)
    script = SCRIPT.format(
        options="\n".join(_options(given)),
        folder=shlex.quote(str(Path.cwd())),
        programs=shlex.quote(str(Path(sys.executable).parent)),
        cpus=given.cpus,
        gpus=given.gpus,
        shares=shlex.quote(f",{given.row}") if given.row else "",
        given=shlex.join(run_options),
    )
    sys.stdout.write(script)


def _options(given: Namespace) -> Iterator[str]:
    """Write what is asked of SLURM as lines of the script."""
    asked = {
        "nodes": given.nodes,
        "cpus-per-task": given.cpus,
        "gpus-per-node": given.gpus or None,
        "time": given.time,
        "partition": given.partition,
        "account": given.account,
    }
    for name, value in asked.items():
        if value is not None:
            yield f"#SBATCH --{name}={shlex.quote(str(value))}"


def _halves(arguments: Sequence[str]) -> tuple[Sequence[str], Sequence[str]]:
    """Divide ``arguments`` at the first ``--``."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    return arguments[:at], arguments[at + 1 :]


def _parser() -> Parser:
    parser = Parser("slurm", __doc__)
    parser.add_argument("--nodes", type=int, default=1, help="machines (%(default)s)")
    parser.add_argument("--gpus", type=int, default=1, help="GPUs of each (%(default)s)")
    parser.add_argument("--cpus", type=int, default=4, help="processors of each (%(default)s)")
    parser.add_argument("--time", default="24:00:00", help="the longest time (%(default)s)")
    parser.add_argument("--partition", help="the partition; without it, that of the cluster")
    parser.add_argument("--account", help="the account; without it, your own")
    parser.add_argument("--row", metavar="SHARES", help="shares of a row, such as gpus=0.25,cpus=2")
    return parser
