"""The study that a report is of: two studies give pages that can be told apart."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sakd.reporting import Origin, report, report_html, report_markdown
from sakd.reporting.pages.sections import Facts, Tabular, Text
from sakd.reporting.pages.study import lessons, outline, study_section

RECIPE = {"epochs": 20, "batch_size": 6}
SETTINGS = {
    "data": {"student_per_class": 2},
    "teacher": RECIPE,
    "student": RECIPE | {"epochs": 1},
    "teacher_weights": {},
}
ORIGIN = Origin(
    settings=SETTINGS,
    defaults={**SETTINGS, "student": RECIPE | {"epochs": 240}},
    base={**SETTINGS, "student": RECIPE | {"epochs": 30}},
    environment="smoke",
    command="kedro run --env smoke --params student.epochs=1",
    made="2026-03-01 09:30 UTC",
)


def facts(results, origin, data):
    section = study_section(results, origin, data)
    (found,) = (block for block in section.blocks if isinstance(block, Facts))
    return dict(found.items)


def test_it_names_command_environment_and_date(results, data):
    shown = facts(results, ORIGIN, data())
    assert shown["command"] == ORIGIN.command
    assert shown["environment"] == "smoke"
    assert shown["report made"] == ORIGIN.made


def test_what_is_not_known_is_said_to_be_so(results, data):
    shown = facts(results, Origin(), data())
    assert shown["command"].startswith("not known: the report was not made by a run")
    assert shown["differs from conf/base in"] == shown["environment"] == "not known"
    assert shown["training in all"].startswith("not known")
    assert shown["cells trained with revision"] == "not known"


def test_images_epochs_and_steps_of_both_roles_are_counted(data):
    found = lessons(SETTINGS, data())  # 16 training images of two classes
    assert found["teachers"] == "16 images x 20 epochs (60 steps of 6)"
    assert found["students"] == "4 images x 1 epoch (1 step of 6)"
    every = {**SETTINGS, "data": {"student_per_class": None}}
    assert lessons(every, data())["students"].startswith("16 images x 1 epoch (3 steps")


def test_images_of_one_split_among_several_are_called_so(data):
    each = {**SETTINGS, "data": {"splits": "per_seed"}}
    assert lessons(each, data()) == {
        "teachers": "16 images of the first seed's split x 20 epochs (60 steps of 6)",
        "students": "16 images of the first seed's split x 1 epoch (3 steps of 6)",
    }


def test_a_teacher_from_a_file_is_named(data):
    given = {**SETTINGS, "teacher_weights": {"resnet20": "weights.pth"}}
    assert "finished, from a file: resnet20" in lessons(given, data())["teachers"]


def test_the_variants_of_teachers_in_the_grid_are_described(data):
    brief, noisy = RECIPE | {"epochs": 2, "label_noise": 0}, RECIPE | {"label_noise": 0.4}
    card = data()
    first, last = card.classes[0], card.classes[-1]
    part = brief | {"classes": (first, last)}
    variants = {"brief": brief, "noisy": noisy, "part": part, "unused": brief}
    names = ("resnet20", *(f"resnet20@{name}" for name in ("brief", "noisy", "part")))
    grid = {"pairs": tuple(f"{name}/resnet8" for name in names)}
    found = lessons({**SETTINGS, "grid": grid, "teacher_variants": variants}, card)["teachers"]
    count = card.counts["train"][0] + card.counts["train"][-1]
    steps = 2 * -(-count // 6)
    assert found.split("; ")[1:] == [
        "brief: 16 images x 2 epochs (6 steps of 6)",
        "noisy: 16 images x 20 epochs (60 steps of 6), 40.00 % of the labels wrong",
        f"part: {count} images x 2 epochs ({steps} steps of 6), of the classes {first}, {last}",
    ]


def test_settings_are_compared_with_those_of_base_and_with_the_defaults(results, data):
    section = study_section(results, ORIGIN, data())
    (table,) = (block for block in section.blocks if isinstance(block, Tabular))
    assert table.frame.to_dict("records") == [
        {"setting": "student.epochs", "this study": "1", "conf/base": "30", "default": "240"}
    ]
    assert facts(results, ORIGIN, data())["differs from conf/base in"] == "student.epochs=1"
    base = replace(ORIGIN, base=SETTINGS)
    assert facts(results, base, data())["differs from conf/base in"] == "nothing"
    same = replace(base, defaults=SETTINGS)
    texts = [b.text for b in study_section(results, same, data()).blocks if isinstance(b, Text)]
    assert texts == ["No setting differs from conf/base or from default."]


def test_the_time_of_cells_that_do_not_say_when_they_ended_is_not_known(results, data):
    times = ["2026-03-01 09:00:20+00:00", *[""] * (len(results) - 1)]
    for ended, shown in ((times, "not known: cells do not say when they ended"), (times[:1], "0:")):
        own = results.head(len(ended)).assign(ended=ended, seconds=5)
        assert facts(own, ORIGIN, data())["training in all"].startswith(shown)


def test_cells_say_by_what_they_were_trained(results, data):
    revisions = ["abc"] * (len(results) - 1) + ["def"]
    shown = facts(results.assign(revision=revisions, device="cpu"), ORIGIN, data())
    assert shown["cells trained with revision"] == "abc (12 cells), def (1 cell)"
    assert shown["cells trained with device"] == "cpu"
    assert shown["cells"] == "13 (pairs 1, distillers 2, policies 2, seeds 3; and students alone)"


@pytest.mark.parametrize("write", [report_html, report_markdown])
def test_the_head_of_a_page_tells_one_study_from_another(results, history, data, write):
    other = replace(ORIGIN, environment="base", settings=ORIGIN.base)
    pages = [
        write(report(results, history(results), origin=origin, data=data()))
        for origin in (ORIGIN, other)
    ]
    for page, origin, epochs in zip(
        pages, (ORIGIN, other), ("1 epoch (", "30 epochs ("), strict=True
    ):
        head = page[: page.index("At a glance")]
        assert f"environment {origin.environment}" in head
        assert f"4 images x {epochs}" in head


def test_the_outline_is_empty_where_nothing_is_known():
    assert outline(Origin(), None) == ""
