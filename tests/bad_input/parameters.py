"""Parameters of the command line: unknown names, wrong types, values out of range."""

from __future__ import annotations

from bad_input.case import prepare

CASES = [
    prepare("unknown-key", "student.epoch=3", "'student.epoch'", "did you mean 'epochs'"),
    prepare("unknown-section", "grd.seeds=1", "'grd'", "did you mean 'grid'"),
    prepare("number-for-section", "grid=3", "'grid': .* got 3", "should be a dictionary"),
    prepare("fraction-of-epochs", "student.epochs=1.5", "student.epochs.* 1.5", "valid integer"),
    prepare("word-for-number", "student.epochs=many", "student.epochs.* 'many'", "valid integer"),
    prepare("deeper-than-a-number", "student.epochs.x=1", r"epochs.* \{'x': 1\}", "valid integer"),
    prepare("name-with-two-dots", "student..epochs=1", "'student.'", "known: epochs"),
    prepare("no-epochs", "student.epochs=0", "epochs .* got 0", "must be 1 or more"),
    prepare("negative-epochs", "teacher.epochs=-1", "epochs .* got -1", "must be 1 or more"),
    prepare("empty-batches", "student.batch_size=0", "batch_size .* got 0", "must be 1 or more"),
    prepare("negative-rate", "student.optimisation.lr=-1", "lr .* got -1", "must be above 0"),
    prepare("nan-rate", "student.optimisation.lr=nan", "lr .* got nan", "must be above 0"),
    prepare("infinite-rate", "student.optimisation.lr=inf", "lr' .* got inf", "must be finite"),
    prepare("huge-rate", "student.optimisation.lr=1e400", "lr' .* got inf", "must be finite"),
    prepare("momentum-of-2", "student.optimisation.momentum=2", "momentum .* 2.0", r"in \[0, 1\)"),
    prepare("nan-decay", "student.optimisation.weight_decay=nan", "decay.* nan", "not be negative"),
    prepare(
        "huge-padding", "student.augment.crop_padding=1000000000", "1000000000", "at most 4096"
    ),
    prepare("negative-cutout", "student.augment.cutout=-1", "cutout.* got -1", "0 pixels or more"),
    prepare("infinite-cutmix", "student.augment.cutmix=inf", "cutmix .* got inf", "at most 4096"),
    prepare("nan-mixup", "student.augment.mixup=nan", "mixup .* got nan", "0 or more"),
    prepare("too-many-threads", "threads=2147483648", "threads .* 2147483648", "1 to 1024"),
    prepare("no-threads", "threads=0", "threads .* got 0", "1 to 1024, or null"),
    prepare("unknown-device", "device=tpu", "'device'.* got 'tpu'", "'cpu' or 'cuda'"),
    prepare("unknown-dataset", "data.name=cifra10", "'cifra10'", "did you mean 'cifar10'"),
    prepare("all-for-validation", "data.val_fraction=1.5", "val_fraction .* 1.5", "below 1"),
    prepare("none-for-validation", "data.val_fraction=0", "val_fraction .* 0.0", "above 0"),
    prepare("nan-for-testing", "data.test_fraction=nan", "test_fraction .* nan", "above 0"),
    prepare(
        "too-many-per-class", "data.student_per_class=100000", "100000 labelled", "allowed: 1 to"
    ),
    prepare("classes-of-others", "data.classes=x", "data.classes: x unknown", "name each of 0, 1"),
    prepare("path-to-bundled", "data.path=/x", "reads no path, got /x", "leave it empty"),
    prepare("at-sign", "data.path=@home", "'data.path=@home'", "put text with signs into quotes"),
    prepare("percent-sign", "data.path=%x", "'data.path=%x'", "put text with signs into quotes"),
    prepare("open-brace", "data.path=${", r"'data.path=\$\{'", "put text with signs into quotes"),
    prepare("broken-yaml", "student={epochs:[}", r"'student=\{epochs:\[\}'", "into quotes"),
    prepare("unknown-reference", "data.path=${x}", "data.path: .* 'x' not", "write the value"),
    prepare(
        "secret-reference", "data.path=${oc.env:HOME}", "data.path: .* oc.env", "write the value"
    ),
    prepare("no-value", "student", "`student`", "separated by `=`", status=2),
    prepare("no-key", "=3", "key cannot be an empty", "see sakd run --help", status=2),
    prepare(
        "twice",
        "threads=1,device=cpu,threads=2",
        "'threads' twice, by 'threads=1' and",
        "leave one",
        status=2,
    ),
    prepare("no-parameters", "", "--params is empty", "give it a value, or leave", status=2),
    prepare("negative-weight", "distillation.kd_weight=-1", "kd_weight .* -1", "not be negative"),
    prepare("nan-weight", "distillation.ce_weight=nan", "ce_weight .* nan", "not be negative"),
    prepare("weight-of-nobody", "distillation.weights.ta=1", "distiller 'ta'", "known: kd"),
    prepare(
        "no-weight-left",
        "distillation.kd_weight=0,distillation.ce_weight=0,distillation.weights.at=0,"
        "grid.distillers=at",
        "weights.at is 0, and no other loss .* 'at'",
        "give one a weight above 0",
    ),
    prepare(
        "huge-variance",
        "distillation.options.vid.initial_variance=1e300",
        r"initial_variance' .* got 1e\+300",
        "must be finite",
    ),
    prepare("cold", "distillation.options.kd.temperature=0", "temperature .* got 0", "above 0"),
    prepare("unknown-option", "distillation.options.kd.heat=1", "option 'heat'", "known: temp"),
    prepare("unknown-objective", "distillation.objective=jont", "'jont'", "mean 'joint'"),
    prepare("negative-gamma", "routing.gamma=-1", "gamma .* got -1", "above 0, or null"),
    prepare("negative-margin", "report.margin=-1", "report.margin .* got -1", "above 0 points"),
    prepare("unknown-tracker", "trackers=wandb", "tracker 'wandb'", "known: tensorboard"),
    prepare("tracker-that-is-none", "trackers=os:system", "os:system is no", "name a class"),
    prepare("nan-head-start", "routing.same_family_bias=nan", "bias' .* got nan", "be finite"),
    prepare("truth-for-a-number", "student.epochs=true", "epochs' .* got True", "takes a number"),
    prepare("huge-seed", "grid.seeds=99999999999999999999", "grid.seeds'", r"below 2\*\*63"),
    prepare("ten-kilobytes-of-a-name", f"{'x' * 10_000}=1", "'xxx", "known: device"),
    prepare("ten-kilobytes-of-a-value", f"device={'x' * 10_000}", "got 'xxx", "'cpu' or 'cuda'"),
    prepare("escape-codes-in-a-name", "dev\x1b[31mice=cpu", r"'dev\\x1b'", "mean 'device'"),
    prepare(
        "escape-codes-in-a-value", "device=c\x1b[31mpu", r"c\\x1b\[31mpu", "put text with signs"
    ),
    prepare("bidi-in-a-value", "device=c\u202epu", r"c\\u202epu", "'cpu' or 'cuda'"),
]
