"""Commands: wrong words, options and values, folders and environments that do not exist."""

from __future__ import annotations

from pathlib import Path

from bad_input.case import Case, command
from sakd.foundation.sealing import sealed_at_once

SIZE, HELP = "is not an amount above 0", "see sakd {} --help"


DAMAGED = r"results\.csv is damaged"


def changed(here: Path) -> None:
    """Make a report, in whose results a digit has changed."""
    folder = here / "08_reporting" / "digits"
    folder.mkdir(parents=True)
    (folder / "report.html").touch()
    with sealed_at_once(folder / "results.csv") as partial:
        partial.write_text("cell,val_top1\na,0.75\n")
    (folder / "results.csv").write_text("cell,val_top1\na,0.95\n")


def missing(name: str, words: str, value: str) -> Case:
    """Give a case of a command whose options are wrong."""
    return command(name, words, value, HELP.format(words.split(maxsplit=1)[0]))


def run(name: str, words: str, value: str, remedy: str, **more: object) -> Case:
    """Give a case of ``sakd run`` in an environment of seconds."""
    return command(name, f"run --env smoke {words}", value, remedy, **more)


CASES = [
    command("no-such-command", "lst distillers", "'lst'", "did you mean 'list'"),
    command("no-such-option", "--verson", "'--verson'", "known: run, plan"),
    missing("list-of-nothing", "list", "required: what"),
    command("unknown-list", "list distilers", "'distilers'", "did you mean 'distillers'"),
    missing("two-lists", "list distillers policies", "unrecognized arguments: policies"),
    missing("spots-of-nothing", "spots", "required: network"),
    command("spots-of-nobody", "spots resnet9", "'resnet9'", "did you mean 'resnet8'"),
    command("spots-of-a-flat-image", "spots resnet8 --input 3x224", "'3x224'", "write CxHxW"),
    command(
        "spots-of-a-huge-image", "spots vgg8 --input 3x9999999999x9", "9999999999", "up to 20,000"
    ),
    command("spots-of-no-classes", "spots resnet8 --classes 0", "'0'", "write 1 to 1,000,000"),
    command(
        "spots-of-many-classes", f"spots vgg8 --classes {10**20}", str(10**20), "1 to 1,000,000"
    ),
    missing("spots-in-an-environment", "spots resnet8 --env smoke", "arguments: --env smoke"),
    command("spots-of-a-system-call", "spots os:system", "os:system", "mend it, or correct"),
    command("spots-with-arguments", "spots resnet8(x)", r"'resnet8\(x\)'", "write them as in"),
    command("best-of-nothing", "best --data {here}", "no report in /", "make one with sakd run"),
    command("best-in-words", "best --max-params many", f"'many' {SIZE}", "write it as 100k"),
    command("best-of-no-size", "best --max-size 0", f"'0' {SIZE}", "write it as 300kB"),
    missing("best-of-less-than-no-time", "best --max-latency -2ms", "--max-latency"),
    command("best-by-no-number", "best --margin nan", f"'nan' {SIZE}", "write it as 0.5"),
    command("results-of-nothing", "results --data {here}/no", "no results in .*/no", "make some"),
    command(
        "results-that-changed", "results --data {here}", DAMAGED, "it again with", make=changed
    ),
    command("best-of-what-changed", "best --data {here}", DAMAGED, "it again with", make=changed),
    missing("results-by-a-typo", "results --distilller kd", "arguments: --distilller kd"),
    command("report-of-nothing", "report --data {here}/no", "no report in .*/no", "make one with"),
    missing("two-reports", "report digits cifar10", "unrecognized arguments: cifar10"),
    command("watch-nothing", "watch --data {here}/no", "no folder .*/no", "name one with --data"),
    command("watch-always", "watch --data {here} --every 0", "--every .* got 0", "above 0 seconds"),
    command(
        "watch-never", "watch --data {here} --every inf", "--every .* got inf", "at most 86400"
    ),
    command("watch-by-no-number", "watch --data {here} --every nan", "got nan", "above 0 seconds"),
    missing("watch-in-words", "watch --every often", "--every: .*'often'"),
    command("status-of-nobody", "status --env smok", "'smok'", "did you mean 'smoke'"),
    command("status-of-a-typo", "status --params grid.sedes=1", "'grid.sedes'", "mean 'seeds'"),
    missing("status-with-a-typo", "status --jso", "'--jso'.*--json"),
    missing(
        "status-twice",
        "status --params a=1 --params b=1",
        "--params is given twice, .* write it once",
    ),
    missing("status-now", "status now", "extra argument .now."),
    missing("status-of-an-empty-variable", "status --env=", "--env is empty: give it a value"),
    command("clean-nobody", "clean --env smok", "'smok'", "did you mean 'smoke'"),
    missing("clean-the-future", "clean --older-than -1", "'--older-than': -1.0 .*x>=0"),
    command(
        "clean-by-no-number", "clean --older-than nan", "--older-than nan", "write one of 0 or"
    ),
    missing("clean-in-words", "clean --older-than week", "'--older-than': 'week'"),
    command("plan-nobody", "plan --env smok", "'smok'", "did you mean 'smoke'"),
    command("plan-a-typo", "plan --env smoke --pipelines studnts", "'studnts'", "mean 'students'"),
    command("plan-no-node", "plan --env smoke --nodes prepar", "'prepar'", "mean 'prepare'"),
    missing("plan-twice", "plan --paper --env smoke", "--paper .* leave --env out"),
    command("dvc-of-nobody", "dvc --env smok", "'smok'", "did you mean 'smoke'"),
    command("dvc-elsewhere", "dvc --env ../conf/smoke", "'../conf/smoke'", "known: base"),
    command("dvc-not-written", "dvc --env smoke --check", "smoke/dvc.yaml", "write it again with"),
    missing("dvc-with-a-typo", "dvc --chek", "'--chek'.*--check"),
    command("slurm-on-no-machine", "slurm --nodes 0", "nodes .* got 0", "must be above 0"),
    command("slurm-on-less-than-none", "slurm --gpus -1", "gpus .* -1", "must not be negative"),
    command(
        "slurm-some-day", "slurm --time tomorrow", "--time .* 'tomorrow'", "takes minutes, H:M:S"
    ),
    command("slurm-with-a-runner", "slurm -- --runner X", "--runner after --", "by --row gpus=0.5"),
    missing("slurm-in-words", "slurm --nodes two", "--nodes: .*'two'"),
    command("slurm-with-an-address", "slurm --row address=x", "names address", "leave it out"),
    missing("slurm-twice", "slurm --gpus 1 --gpus 1", "--gpus is given twice, .* write it once"),
    command(
        "study-on-a-folder", "study --page {here}", "/.*: Is a directory", "name another place"
    ),
    command("study-on-nothing", "study --page=", r"\.: Is a directory", "name another place"),
    missing("study-with-a-typo", "study --pag x", "arguments: --pag x"),
    command("export-nobody", "export nobody --store {here}", "'nobody'", "or another store"),
    command("export-to-no-format", "export x --formats tflite", "'tflite'", "known: onnx, pt2"),
    command("export-by-no-licence", "export x --license Mine!", "'Mine!'", "as in mit, apache-2.0"),
    missing("export-of-half-a-bit", "export x --int8 half", "--int8: .*'half'"),
    command(
        "export-int8-alone", "export x --formats pt2 --int8 dynamic", "int8", "add onnx to the"
    ),
    command(
        "predict-by-nobody", "predict nobody x.png --store {here}", "'nobody'", "another store"
    ),
    missing("predict-nothing", "predict", "required: MODEL, IMAGE"),
    command(
        "predict-no-pictures", "predict x {here}", "folder .* has no images", "allowed: .*.png"
    ),
    command("predict-by-no-name", "predict x {here}/*.tif", "'.*/\\*.tif'", "correct the pattern"),
    missing("predict-elsewhere", "predict x x.png --device tpu", "--device: .*'tpu'"),
    missing("predict-early", "predict x x.png --epoch first", "--epoch: .*'first'"),
    command("evaluate-nobody", "evaluate nobody --data {here}", "'nobody'", "or another store"),
    missing("evaluate-on-nothing", "evaluate nobody", "required: --data"),
    command("run-nowhere", "run --env smok", "'smok'", "did you mean 'smoke'"),
    command("run-of-the-folder-above", "run --env ..", "'..'", "known: base"),
    command("run-of-a-path", "run --env ../conf/smoke", "'../conf/smoke'", "known: base"),
    command("run-of-a-folder-elsewhere", "run --env {here}", "environment '/", "known: base"),
    command("run-of-shell", "run --env $(ls)", r"'\$\(ls\)'", "known: base"),
    command(
        "run-of-an-empty-variable", "run --env=", "--env is empty", "or leave it out", status=2
    ),
    command("run-smoke", "run smoke", "extra argument .smoke.", "sakd run --help", status=2),
    command("run-with-a-typo", "run --parms a=1", "'--parms'", "'--params'", status=2),
    run("run-nothing", "--nodes=", "--nodes is empty", "or leave it out", status=2),
    run("run-by-a-file", "--config {here}/no.yml", "/no.yml", "sakd run --help", status=2),
    run(
        "unknown-runner", "--runner SequentialRuner", "'SequentialRuner'", "mean 'SequentialRunner'"
    ),
    run("runner-that-is-none", "--runner os.getcwd", "'os.getcwd' is not", "name one of Parallel"),
    run("threads-as-runner", "--runner ThreadRunner", "'ThreadRunner'", "known: ParallelRunner"),
    run("nobody-runs", "--runner-params workers=1", "'workers'", "known: is_async"),
    run("unknown-pipeline", "--pipelines studnts", "'studnts'", "did you mean 'students'"),
    run("unknown-node", "--nodes prepar", "'prepar'", "did you mean 'prepare'"),
    run("unknown-first-node", "--from-nodes prepar", "'prepar'", "did you mean 'prepare'"),
    run("unknown-last-node", "--to-nodes prepar", "'prepar'", "did you mean 'prepare'"),
    run("unknown-input", "--from-inputs digit-card", "'digit-card'", "mean 'digits-card'"),
    run("unknown-output", "--to-outputs digit-card", "'digit-card'", "mean 'digits-card'"),
    run("unknown-namespace", "--namespaces studnts", "'studnts'", "known: evaluate"),
    run("unknown-tag", "--tags studnts", "'studnts'", "did you mean 'students'"),
    run("tag-of-others", "--pipelines students --tags report", "'report'", "known: resnet20"),
    run("no-version", "--load-versions x", "found x", "'dataset_name:YYYY"),
    run("stage-too-early", "--pipelines report", "digits-evaluation", "run the stages before"),
    run(
        "no-worker",
        "--runner ParallelRunner --runner-params max_workers=0",
        "max_workers .* got 0",
        "must be 1 or more",
    ),
    run(
        "workers-in-words",
        "--runner ParallelRunner --runner-params max_workers=a",
        "max_workers .* got 'a'",
        "takes int",
    ),
]
