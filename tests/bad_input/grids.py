"""Grids: empty, doubled or contradictory; pairs and methods that are impossible."""

from __future__ import annotations

from bad_input.case import prepare

CASES = [
    prepare("no-pair", "grid.pairs=resnet20", "'resnet20' is not a pair", "write teacher/student"),
    prepare("three-in-a-pair", "grid.pairs=a/b/c", "'a'", "known: resnet8"),
    prepare("unknown-network", "grid.pairs=resnet20/resnet9", "'resnet9'", "did you mean"),
    prepare(
        "pair-twice", "grid.pairs=vgg13/vgg8+vgg13/vgg8", "pairs .* vgg13/vgg8", "name each once"
    ),
    prepare("no-distillers", "grid.distillers=", "grid.distillers'.*got None", "valid tuple"),
    prepare("distiller-twice", "grid.distillers=kd+kd", "distillers .*: kd, kd", "name each once"),
    prepare("unknown-distiller", "grid.distillers=kdd", "'kdd'", "did you mean 'kd'"),
    prepare("distiller-with-itself", "grid.distillers=at-at", "'at-at' names at", "name it once"),
    prepare("unknown-policy", "grid.policies=alwys", "'alwys'", "did you mean 'always'"),
    prepare("reserved-policy", "grid.policies=none", "unknown policy 'none'", "known: adaptive"),
    prepare("seed-twice", "grid.seeds=0+0", "grid.seeds .*: 0, 0", "name each once"),
    prepare("negative-seed", "grid.seeds=-1", "grid.seeds: -1 is negative", "seeds start at 0"),
    prepare("seed-in-words", "grid.seeds=a", "'grid.seeds.0'.*got 'a'", "valid integer"),
    prepare("half-a-seed", "grid.seeds=1.5", "'grid.seeds.0'.*got '1.5'", "valid integer"),
    prepare("missing-package", "grid.pairs=no.module:net/resnet8", "'no.module'", "put it where"),
    prepare("function-that-is-none", "grid.pairs=os:system/resnet8", "os:system", "mend it, or"),
    prepare("function-unknown", "grid.pairs=math:net/resnet8", "of math 'net'", "known: acos"),
    prepare("unknown-variant", "grid.pairs=resnet20@late/resnet8", "'late'", "known: brief"),
    prepare("unknown-model", "grid.pairs=torchvision:resnet19/resnet8", "'resnet19'", "'resnet18'"),
    prepare(
        "broken-arguments",
        "grid.pairs=torchvision:resnet18(x/resnet8",
        r"'torchvision:resnet18\(x/resnet8' is not a pair",
        "write teacher/student",
    ),
    prepare("unknown-system", "grid.systems=dmk", "system 'dmk'", "did you mean 'dml'"),
    prepare("systems-twice", "grid.systems=dml+dml", "systems .*: dml, dml", "name each once"),
    prepare("too-few-teachers", "grid.systems=ebkd", "'ebkd' learns with several", "resnet20&vgg8"),
    prepare(
        "too-many-teachers",
        "grid.systems=eskd,grid.distillers=[],grid.pairs=resnet20&vgg8/resnet8",
        "'eskd' learns with a trained teacher, which 'resnet20&vgg8/resnet8'",
        "take a pair such as resnet20/resnet8",
    ),
    prepare(
        "network-twice-in-a-path",
        "grid.pairs=resnet56/resnet20/resnet20/resnet8",
        "names 'resnet20' twice",
        "name each network once",
    ),
    prepare(
        "one-teacher-twice",
        "grid.pairs=resnet20&resnet20/resnet8",
        "names 'resnet20' twice",
        "name each network once",
    ),
    prepare(
        "system-that-cannot-be-routed",
        "grid.systems=dml,grid.policies=adaptive",
        "'dml' cannot be routed",
        "'always': add it",
    ),
    prepare("no-peers", "grid.systems=dml,systems.dml.peers=0", "peers .* got 0", "1 or more"),
    prepare(
        "too-many-peers",
        "grid.systems=dml,systems.dml.peers=99999999",
        "peers .* got 99999999",
        "at most 100",
    ),
    prepare(
        "too-many-branches",
        "grid.systems=one,systems.one.branches=101",
        "branches .* got 101",
        "at most 100",
    ),
    prepare(
        "state-after-the-training",
        "grid.systems=rco,grid.distillers=[],grid.pairs=resnet20@40&resnet20/resnet8",
        "epoch 40 is not one of the 2 of resnet20",
        "from 1 to 2",
    ),
    prepare("distiller-in-company", "grid.distillers=simkd-at", "'simkd-at'", "leave out the oth"),
    prepare(
        "assistant-unknown", "assistants.networks=resnet9", "'assistants.networks'", "known: dis"
    ),
]
