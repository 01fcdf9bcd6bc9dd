"""Grids: empty, doubled or contradictory; pairs and methods that are impossible."""

from __future__ import annotations

from bad_input.case import prepare

CASES = [
    prepare("no-pair", "grid.pairs=resnet20", "'resnet20' is not a pair; write teacher/student"),
    prepare("three-in-a-pair", "grid.pairs=a/b/c", "'a/b/c' is not a pair|unknown network"),
    prepare("unknown-network", "grid.pairs=resnet20/resnet9", "'resnet9'; did you mean"),
    prepare("pair-twice", "grid.pairs=resnet20/resnet8+resnet20/resnet8", "pairs repeats itself"),
    prepare("no-distillers", "grid.distillers=", "grid.distillers'.*got None"),
    prepare("distiller-twice", "grid.distillers=kd+kd", "grid.distillers repeats itself: kd, kd"),
    prepare("unknown-distiller", "grid.distillers=kdd", "'kdd'; did you mean 'kd'"),
    prepare("distiller-with-itself", "grid.distillers=at-at", "'at-at' names at twice"),
    prepare("unknown-policy", "grid.policies=alwys", "'alwys'; did you mean 'always'"),
    prepare("reserved-policy", "grid.policies=none", "unknown policy 'none'; known: adaptive"),
    prepare("seed-twice", "grid.seeds=0+0", "grid.seeds repeats itself: 0, 0"),
    prepare("negative-seed", "grid.seeds=-1", "grid.seeds: -1 is negative; seeds start at 0"),
    prepare("seed-in-words", "grid.seeds=a", "'grid.seeds.0'.*got 'a'"),
    prepare("half-a-seed", "grid.seeds=1.5", "'grid.seeds.0'.*got '1.5'"),
    prepare("missing-package", "grid.pairs=no.module:net/resnet8", "no module 'no.module': put"),
    prepare("function-that-is-none", "grid.pairs=os:system/resnet8", "os:system: it cannot be"),
    prepare("function-unknown", "grid.pairs=math:net/resnet8", "of math 'net'; known"),
    prepare("unknown-variant", "grid.pairs=resnet20@late/resnet8", "teacher 'late'; known: brief"),
    prepare("unknown-model", "grid.pairs=torchvision:resnet19/resnet8", "did you mean 'resnet18'"),
    prepare("broken-arguments", "grid.pairs=torchvision:resnet18(x/resnet8", "resnet18"),
    prepare("unknown-system", "grid.systems=dmk", "unknown system 'dmk'"),
    prepare("systems-twice", "grid.systems=dml+dml", "grid.systems repeats itself|unknown"),
    prepare("distiller-alone-in-company", "grid.distillers=simkd-at", "simkd.*"),
    prepare("assistant-unknown", "assistants.networks=resnet9", "resnet9|unknown parameter"),
]
