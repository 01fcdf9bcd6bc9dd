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
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from running_folders import whole_files
from sakd.foundation.processes import process_runs
from sakd.project.cluster.mirror import MirroredCellsDataset
from sakd.project.cluster.shelf import opened
from sakd.weights.archives import load_archive

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("ray") is None, reason="needs the extra ray"),
]

ROOT = Path(__file__).parents[2]
STAGES = "data_preparation,teacher,students"
STUDY = """
device: cpu
trackers: gate:Gate
data: {splits: shared, train_size: 100, student_per_class: 5}
grid: {pairs: [resnet14/resnet8], distillers: [kd], policies: [always, adaptive], seeds: [0, 1]}
teacher: {epochs: 1, keep_epochs: 0}
student: {epochs: 3, keep_epochs: 0, checkpoint_seconds: 0}
"""
TAUGHT = "resnet8-kd"
"""A part of the ids of half of the students."""

LAST = re.compile(r"(digits-\S+): epoch (\d+)/\2,")
"""A line of the log at the end of a training."""

BUSY = "another run is training it"
"""What a run says of a row that is another's."""

RAY = ("--runner", "RayRunner", "--runner-params")


class Study:
    """The study in a folder of data of its own."""

    def __init__(self, folder: Path, start: Callable[..., Any]) -> None:
        self.data, self.conf, self._start = folder / "data", folder / "conf", start
        shutil.copytree(ROOT / "conf", self.conf)
        own = self.conf / "own_study"
        own.mkdir()
        (own / "parameters.yml").write_text(STUDY)
        (own / "globals.yml").write_text(f"data_root: {self.data}\n")
        self.command = [
            *(sys.executable, "-m", "kedro", "run", "--env", "own_study"),
            *("--conf-source", str(self.conf), "--pipelines", STAGES),
        ]

    def start(self, *options: str) -> Any:
        return self._start([*self.command, *options])

    def look(self, *options: str) -> Any:
        """Ask how the study stands."""
        code = "import sys; from sakd.command.main import main; sys.exit(main())"
        chosen = ("--env", "own_study", "--conf-source", str(self.conf))
        return self._start([sys.executable, "-c", code, "status", *chosen, *options])

    def to_the_end(self, *options: str) -> str:
        return finished(self.start(*options))

    @property
    def cells(self) -> Path:
        return self.data / "06_models" / "digits" / "cells"

    def weights(self) -> dict[str, bytes]:
        """The content of all files of weights."""
        found = (self.data / "06_models").rglob("*.safetensors")
        return {str(path.relative_to(self.data)): path.read_bytes() for path in found}

    def records(self) -> dict[str, int]:
        """When each training ended, by its id, in nanoseconds."""
        found = whole_files(self.cells, "record.json")
        return {path.parents[1].name: written for path, written in found.items()}

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
        for path in whole_files(self.cells, "checkpoint.pt"):
            with suppress(FileNotFoundError):  # the next one takes its place at this moment
                if load_archive(path, "")["history"]:
                    kept.add(path.parent.parent.name)
        return next((one for name, one in self.running().items() if name in kept), None)


def finished(run: Any) -> str:
    """Give the output of a run, which must end well."""
    assert run.ended() == 0, run.output
    output: str = run.output
    return output


@pytest.fixture
def study(
    tmp_path_factory: pytest.TempPathFactory, gate: Any, start: Callable[..., Any]
) -> Callable[..., Study]:
    """Make studies whose runs end with the test."""

    def make(**more: str) -> Study:
        place: dict[str, Any] = {"cwd": ROOT, "env": gate.environment | more}
        return Study(tmp_path_factory.mktemp("study"), partial(start, **place))

    return make


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory, gate: Any) -> dict[str, bytes]:
    """The weights that a run without a cluster gives."""
    run = partial(subprocess.run, cwd=ROOT, env=gate.environment, check=True)
    here = Study(tmp_path_factory.mktemp("alone"), run)
    here.start()
    return here.weights()


@pytest.fixture(scope="module")
def s3() -> Iterator[dict[str, str]]:
    """The variables by which a server of S3 on this machine is reached."""
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
        yield given
    server.stop()


@pytest.fixture(scope="module")
def bucket(s3: dict[str, str]) -> Iterator[str]:
    """A bucket; its name is also that of a folder of this machine, where others test too."""
    assert s3
    name = f"bucket-{uuid4().hex}"
    pytest.importorskip("s3fs").S3FileSystem().mkdir(name)
    yield name
    used = MirroredCellsDataset(url=f"s3://{name}/study/digits").filepath
    shutil.rmtree(Path(tempfile.gettempdir(), used), ignore_errors=True)


@pytest.fixture(scope="module")
def address(s3: dict[str, str], gate: Any) -> Iterator[str]:
    """The address of a cluster of two machines with a processor each, which reach the server."""
    assert s3  # their processes have the environment that there is now
    utils = pytest.importorskip("ray.cluster_utils")
    each = {"num_cpus": 1, "object_store_memory": 10**8}
    head = {**each, "include_dashboard": False}
    with pytest.MonkeyPatch.context() as patch:
        for name in ("GATE", "PYTHONPATH", "RAY_memory_monitor_refresh_ms"):
            patch.setenv(name, gate.environment[name])
        cluster = utils.Cluster(initialize_head=True, head_node_args=head)
        try:
            cluster.add_node(**each)
            yield cluster.address
        finally:
            cluster.shutdown()


def test_a_row_whose_process_is_killed_goes_on_elsewhere_and_ends_with_the_same_bits(
    study: Callable[..., Study], alone: dict[str, bytes], address: str, gate: Any
) -> None:
    here = study()
    with gate.shut(TAUGHT):
        run = here.start(*RAY, f"address={address}")
        killed = run.until(here.begun)
        os.kill(killed["process"], signal.SIGKILL)

        def again() -> dict[str, int] | None:
            found = here.running().get(str(killed["id"]))
            return found if found and found["process"] != killed["process"] else None

        assert run.until(again)["epoch"] > 0
    output = finished(run)
    assert here.weights() == alone
    assert Counter(name for name, _ in LAST.findall(output)).most_common(1)[0][1] == 1
    assert not list(here.cells.glob(".run-*"))


def test_after_a_killed_driver_two_others_share_what_is_left(
    study: Callable[..., Study], alone: dict[str, bytes], address: str, gate: Any
) -> None:
    here = study()
    cluster = (*RAY, f"address={address},cpus=0.5")
    with gate.shut(TAUGHT):
        first = here.start(*cluster)
        first.until(lambda: len({one["row"] for one in here.running().values()}) == 2)
        workers = {one["process"] for one in here.running().values()}
        first.kill()
        others = [here.start(*cluster) for _ in range(2)]
        others[0].until(lambda: not any(map(process_runs, workers)))
        done = here.records()
        others[0].until(lambda: sum(run.output.count(BUSY) for run in others) > 1)
    outputs = [finished(run) for run in others]
    assert here.weights() == alone
    records = here.records()
    assert done.items() <= records.items()
    trained = Counter(name for output in outputs for name, _ in LAST.findall(output))
    assert trained == dict.fromkeys(records.keys() - done, 1)


def test_cells_in_s3_have_the_same_bits_and_are_found_from_another_folder(
    study: Callable[..., Study],
    alone: dict[str, bytes],
    address: str,
    s3: dict[str, str],
    bucket: str,
) -> None:
    store = f"s3://{bucket}/study"
    folders = [study(**s3) for _ in range(2)]
    outputs = [each.to_the_end(*RAY, f"address={address},store={store}") for each in folders]
    files, place = opened(f"{store}/digits")
    kept = {
        f"06_models/digits/cells/{path.removeprefix(f'{place}/')}": files.cat_file(path)
        for path in files.find(place)
        if path.endswith(".safetensors")
    }
    assert kept == {name: content for name, content in alone.items() if "/cells/" in name}
    first, second = map(LAST.findall, outputs)
    assert first
    assert second == []
    assert "6 cells: 6 done" in finished(folders[0].look("--store", store))


def test_what_the_cluster_can_never_give_is_refused_at_once(
    study: Callable[..., Study], address: str
) -> None:
    here = study()
    run = here.start(*RAY, f"address={address},gpus=2")
    assert run.ended() == 1
    told = r"1 CPUs and 2 GPUs .*at most 1 CPUs and 0 GPUs.*--runner-params"
    assert re.search(told, run.output)
    assert run.output.count("\n") == 1
    assert not list(here.data.glob("0[1-7]*"))  # nothing is prepared, and nothing trained


def tree(process: int) -> list[Any]:
    """List a process and those that it has started, as of psutil, which Ray brings."""
    pytest.importorskip("ray")
    first = import_module("psutil").Process(process)
    return [first, *first.children(recursive=True)]


def listening(process: Any) -> set[str]:
    """The addresses at which a process listens; none if it has ended meanwhile."""
    psutil = import_module("psutil")
    with suppress(psutil.NoSuchProcess):
        sockets = process.net_connections()
        return {each.laddr.ip for each in sockets if each.status == psutil.CONN_LISTEN}
    return set()


def test_a_cluster_of_this_machine_alone_is_reached_by_no_other_and_outlives_its_log(
    study: Callable[..., Study], alone: dict[str, bytes], gate: Any
) -> None:
    here = study()
    with gate.shut(TAUGHT):
        run = here.start(*RAY[:2])
        run.until(here.begun)
        processes = tree(run.process.pid)
        heard = {each.removeprefix("::ffff:") for one in processes for each in listening(one)}
        (log,) = (one for one in processes if one.name().startswith("ray::Journal"))
        log.kill()
    finished(run)
    assert heard
    assert all(ip_address(each).is_loopback for each in heard)
    assert here.weights() == alone
