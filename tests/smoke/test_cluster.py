"""Trainings on a cluster of two machines, which are two sets of processes here."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from sakd.project.cluster.mirror import MirroredCellsDataset, opened
from sakd.weights.archives import load_archive

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("ray") is None, reason="needs the extra ray"),
]

ROOT = Path(__file__).parents[2]
STAGES = "data_preparation,teacher,students"
STUDY = """
device: cpu
data: {splits: shared, train_size: 100, student_per_class: 5}
grid: {pairs: [resnet14/resnet8], distillers: [kd], policies: [always, adaptive], seeds: [0, 1]}
teacher: {epochs: 1, keep_epochs: 0}
student: {epochs: 30, keep_epochs: 0, checkpoint_seconds: 0.1}
"""
PATIENCE = 300
"""Seconds until something that never comes fails a test."""
LAST = re.compile(r"(digits-\S+): epoch (\d+)/\2,")
"""A line of the log at the end of a training."""

STORE = "s3://bucket/study/digits"
"""Where the cells of the study are in S3."""


class Runs:
    """Runs of the study in one folder of data."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.data, self.environment = folder / "data", environment
        self.started: list[subprocess.Popen[str]] = []
        shutil.copytree(ROOT / "conf", folder / "conf")
        own = folder / "conf" / "own_study"
        own.mkdir()
        (own / "parameters.yml").write_text(STUDY)
        (own / "globals.yml").write_text(f"data_root: {self.data}\n")
        self.command = [
            *(sys.executable, "-m", "kedro", "run", "--env", "own_study"),
            *("--conf-source", str(folder / "conf"), "--pipelines", STAGES),
        ]

    def start(self, *options: str) -> subprocess.Popen[str]:
        run = subprocess.Popen(
            [*self.command, *options],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.started.append(run)
        return run

    def stop(self) -> None:
        """End the runs that a failed test has left."""
        for run in self.started:
            if run.poll() is None:
                run.kill()
                run.communicate()

    def to_the_end(self, run: subprocess.Popen[str]) -> str:
        output, _ = run.communicate(timeout=PATIENCE)
        assert run.returncode == 0, output
        return output

    @property
    def cells(self) -> Path:
        return self.data / "06_models" / "digits" / "cells"

    def weights(self) -> dict[str, bytes]:
        """The content of all files of weights."""
        found = (self.data / "06_models").rglob("*.safetensors")
        return {str(path.relative_to(self.data)): path.read_bytes() for path in found}

    def running(self) -> dict[str, dict[str, int]]:
        """The trainings of students that say how far they are."""
        found = {}
        for path in (self.cells / "running").glob("*resnet8*.json"):
            with suppress(OSError, ValueError):  # it ends at this moment
                live = json.loads(path.read_text())
                found[live["id"]] = live
        return found

    def begun(self) -> dict[str, int] | None:
        """A training that has left a checkpoint after its first epoch and is not finished."""
        kept = set()
        for path in self.cells.glob("*/*/*/checkpoint.pt"):
            with suppress(FileNotFoundError):  # the next one takes its place at this moment
                if load_archive(path, "")["history"]:
                    kept.add(path.parent.parent.name)
        return next((one for name, one in self.running().items() if name in kept), None)


def wait_for(found: Callable[[], Any], run: subprocess.Popen[str]) -> Any:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end:
        if (one := found()) is not None:
            return one
        assert run.poll() is None, run.communicate()[0]
        time.sleep(0.02)
    raise TimeoutError(found)


@pytest.fixture
def runs(
    tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]
) -> Iterator[Callable[[], Runs]]:
    made: list[Runs] = []

    def make() -> Runs:
        made.append(Runs(tmp_path_factory.mktemp("runs"), environment))
        return made[-1]

    yield make
    for one in made:
        one.stop()


@pytest.fixture(scope="module")
def alone(
    tmp_path_factory: pytest.TempPathFactory, environment: dict[str, str]
) -> dict[str, bytes]:
    """The weights that a run without a cluster gives."""
    here = Runs(tmp_path_factory.mktemp("alone"), environment)
    here.to_the_end(here.start())
    return here.weights()


@pytest.fixture(scope="module")
def s3(environment: dict[str, str]) -> Iterator[dict[str, str]]:
    """The environment with a server of S3 on this machine, which has a bucket."""
    server = pytest.importorskip("moto.server").ThreadedMotoServer("127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    given = {
        "AWS_ACCESS_KEY_ID": "me",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": f"http://{host}:{port}",
    }
    with pytest.MonkeyPatch.context() as patch:
        for name, value in given.items():
            patch.setenv(name, value)
        pytest.importorskip("s3fs").S3FileSystem().mkdir("bucket")
        yield environment | given
    server.stop()
    used = MirroredCellsDataset(url=STORE).filepath
    shutil.rmtree(Path(tempfile.gettempdir(), used), ignore_errors=True)


@pytest.fixture(scope="module")
def address(s3: dict[str, str]) -> Iterator[str]:
    """The address of a cluster of two machines with a processor each, which reach the server."""
    assert s3  # their processes have the environment that there is now
    utils = pytest.importorskip("ray.cluster_utils")
    each = {"num_cpus": 1, "object_store_memory": 10**8}
    cluster = utils.Cluster(
        initialize_head=True, head_node_args={**each, "include_dashboard": False}
    )
    cluster.add_node(**each)
    yield cluster.address
    cluster.shutdown()


def test_a_row_whose_process_is_killed_goes_on_elsewhere_and_ends_with_the_same_bits(
    runs: Callable[[], Runs], alone: dict[str, bytes], address: str
) -> None:
    here = runs()
    run = here.start("--runner", "RayRunner", "--runner-params", f"address={address}")
    killed = wait_for(here.begun, run)
    os.kill(killed["process"], signal.SIGKILL)

    def again() -> dict[str, int] | None:
        found = here.running().get(str(killed["id"]))
        return found if found and found["process"] != killed["process"] else None

    assert wait_for(again, run)["epoch"] > 0
    output = here.to_the_end(run)
    assert here.weights() == alone
    assert Counter(name for name, _ in LAST.findall(output)).most_common(1)[0][1] == 1
    assert not list(here.cells.glob(".run-*"))


def test_after_a_killed_driver_two_others_share_what_is_left(
    runs: Callable[[], Runs], alone: dict[str, bytes], address: str
) -> None:
    here = runs()
    cluster = ("--runner", "RayRunner", "--runner-params", f"address={address},cpus=0.5")
    first = here.start(*cluster)
    wait_for(here.begun, first)
    first.kill()
    first.communicate()
    done = {path.parents[1].name for path in here.cells.rglob("record.json")}
    others = [here.start(*cluster) for _ in range(2)]
    outputs = [here.to_the_end(run) for run in others]
    assert here.weights() == alone
    trained = Counter(name for output in outputs for name, _ in LAST.findall(output))
    assert set(trained.values()) == {1}
    assert not done & trained.keys()


def test_cells_in_s3_have_the_same_bits_and_are_found_from_another_folder(
    runs: Callable[[], Runs], alone: dict[str, bytes], address: str, s3: dict[str, str]
) -> None:
    outputs = []
    for here in (runs(), runs()):
        here.environment = s3
        params = f"address={address},store=s3://bucket/study"
        outputs.append(
            here.to_the_end(here.start("--runner", "RayRunner", "--runner-params", params))
        )
    files, place = opened("s3://bucket/study/digits")
    kept = {
        f"06_models/digits/cells/{path.removeprefix(f'{place}/')}": files.cat_file(path)
        for path in files.find(place)
        if path.endswith(".safetensors")
    }
    assert kept == {name: content for name, content in alone.items() if "/cells/" in name}
    first, second = map(LAST.findall, outputs)
    assert first
    assert second == []


def test_what_the_cluster_can_never_give_is_refused_at_once(
    runs: Callable[[], Runs], address: str
) -> None:
    here = runs()
    run = here.start("--runner", "RayRunner", "--runner-params", f"address={address},gpus=2")
    output, _ = run.communicate(timeout=PATIENCE)
    assert run.returncode == 1
    assert re.search(r"1 CPUs and 2 GPUs .*at most 1 CPUs and 0 GPUs.*--runner-params", output)
    assert output.count("\n") == 1
    assert not list(here.data.glob("0[1-7]*"))  # nothing is prepared, and nothing trained
