"""Parameters of the command line: unknown names, wrong types, values out of range."""

from __future__ import annotations

from bad_input.case import prepare

CASES = [
    prepare("unknown-key", "student.epoch=3", "'student.epoch'; did you mean 'epochs'"),
    prepare("unknown-section", "grd.seeds=1", "unknown parameter 'grd'; did you mean 'grid'"),
    prepare("number-for-section", "grid=3", "'grid': Input should be a dictionary.*got 3"),
    prepare("fraction-of-epochs", "student.epochs=1.5", "'student.epochs'.*got 1.5"),
    prepare("word-for-number", "student.epochs=many", "'student.epochs'.*got 'many'"),
    prepare("no-epochs", "student.epochs=0", "epochs must be 1 or more, got 0"),
    prepare("negative-epochs", "teacher.epochs=-1", "epochs must be 1 or more, got -1"),
    prepare("empty-batches", "student.batch_size=0", "batch_size must be 1 or more, got 0"),
    prepare("negative-rate", "student.optimisation.lr=-1", "lr must be above 0, got -1"),
    prepare("nan-rate", "student.optimisation.lr=nan", "lr must be above 0, got nan"),
    prepare("infinite-rate", "student.optimisation.lr=inf", "lr' must be finite .* got inf"),
    prepare("huge-rate", "student.optimisation.lr=1e400", "lr' must be finite .* got inf"),
    prepare("momentum-of-2", "student.optimisation.momentum=2", r"momentum must be in \[0, 1\)"),
    prepare("nan-decay", "student.optimisation.weight_decay=nan", "weight_decay must not be.* nan"),
    prepare("huge-padding", "student.augment.crop_padding=1000000000", "crop_padding .* at most"),
    prepare("negative-cutout", "student.augment.cutout=-1", "cutout must be 0 pixels or more"),
    prepare("infinite-cutmix", "student.augment.cutmix=inf", "cutmix .* got inf"),
    prepare("nan-mixup", "student.augment.mixup=nan", "mixup .* got nan"),
    prepare("too-many-threads", "threads=2147483648", "threads must be 1 to 1024.* 2147483648"),
    prepare("no-threads", "threads=0", "threads must be 1 to 1024, or null, got 0"),
    prepare("unknown-device", "device=tpu", "'device': .*'cpu' or 'cuda', got 'tpu'"),
    prepare("unknown-dataset", "data.name=cifra10", "'cifra10'; did you mean 'cifar10'"),
    prepare("all-for-validation", "data.val_fraction=1.5", "val_fraction must be above 0.* 1.5"),
    prepare("none-for-validation", "data.val_fraction=0", "val_fraction must be above 0.* 0.0"),
    prepare("nan-for-testing", "data.test_fraction=nan", "test_fraction must be above 0.* nan"),
    prepare(
        "too-many-per-class",
        "data.student_per_class=100000",
        "100000 labelled .*student_per_class",
    ),
    prepare("classes-of-others", "data.classes=x", "data.classes: x unknown; 0, .* name each"),
    prepare("path-to-bundled", "data.path=/x", "digits is bundled and reads no path, got /x"),
    prepare("at-sign", "data.path=@home", "--params 'data.path=@home' .*put text with signs"),
    prepare("percent-sign", "data.path=%x", "--params 'data.path=%x' .*put text with signs"),
    prepare("open-brace", "data.path=${", r"--params 'data.path=\$\{' .*put text with signs"),
    prepare("unknown-reference", "data.path=${x}", "data.path: Interpolation key 'x' not found"),
    prepare("secret-reference", "data.path=${oc.env:HOME}", "data.path: .*; write the value"),
    prepare(
        "no-value", "student", "Item `student` must contain a key and a value", status=2, lines=4
    ),
    prepare("no-key", "=3", "key cannot be an empty string", status=2, lines=4),
    prepare("negative-weight", "distillation.kd_weight=-1", "kd_weight must not be negative: -1"),
    prepare("nan-weight", "distillation.ce_weight=nan", "ce_weight must not be negative: nan"),
    prepare("weight-of-nobody", "distillation.weights.ta=1", "unknown distiller 'ta'; known: kd"),
    prepare(
        "no-weight-left",
        "distillation.kd_weight=0,distillation.ce_weight=0,distillation.weights.at=0,"
        "grid.distillers=at",
        "weights.at is 0, and no other loss .* 'at': give one a weight above 0",
    ),
    prepare(
        "huge-variance",
        "distillation.options.vid.initial_variance=1e300",
        r"initial_variance' must be finite .* got 1e\+300",
    ),
    prepare("cold", "distillation.options.kd.temperature=0", "temperature must be above 0, got 0"),
    prepare("unknown-option", "distillation.options.kd.heat=1", "'kd' has no option 'heat'; known"),
    prepare("unknown-objective", "distillation.objective=jont", "'jont'; did you mean 'joint'"),
    prepare("negative-gamma", "routing.gamma=-1", "gamma must be above 0, or null, got -1"),
    prepare("negative-margin", "report.margin=-1", "report.margin must be above 0 points, got -1"),
    prepare("unknown-tracker", "trackers=wandb", "unknown tracker 'wandb'; known: tensorboard"),
    prepare("tracker-that-is-none", "trackers=os:system", "os:system is no tracker: name a class"),
    prepare("huge-seed", "grid.seeds=99999999999999999999", r"grid.seeds' must be below 2\*\*63"),
]
