from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sakd.evidence import components, of_seeds, units_needed
from sakd.reporting.tables.contrasts import Contrast, difference, duels
from sakd.reporting.tables.outcomes import Outcomes

ADAPTIVE = Contrast("adaptive", "always")
IMAGES = 40


@pytest.fixture
def study(cell):
    """Cells with random answers: results, predictions, and the answers by (policy, seed)."""

    def make(policies=("always", "adaptive"), seeds=3, students=("s",), distiller="kd"):
        rng = np.random.default_rng(0)
        lines, tables, found = [], [], {}
        for student in students:
            for policy in policies:
                for seed in range(seeds):
                    right = rng.random(IMAGES) < 0.8
                    line = cell(distiller, policy, seed, right.mean(), student=student)
                    line["cell"] += f"-{student}"
                    images = [f"{number:03d}" for number in range(IMAGES)]
                    frame = pd.DataFrame({"content": images, "right": right})
                    tables.append(frame.assign(cell=line["cell"]))
                    lines.append(line)
                    found[student, policy, seed] = right.astype(float)
        return pd.DataFrame(lines), pd.concat(tables, ignore_index=True), found

    return make


def judged(results, predictions):
    outcomes = Outcomes.of(results, predictions=predictions)
    return difference(outcomes, duels(outcomes.cells, ADAPTIVE))


def test_the_estimate_is_that_of_seeds_and_images(study):
    results, predictions, right = study()
    table = [right["s", "adaptive", seed] - right["s", "always", seed] for seed in range(3)]
    expected = components(np.stack(table)).estimate()
    found = judged(results, predictions)
    assert found.estimate.interval() == pytest.approx(expected.interval())
    assert (found.seeds, found.images) == (3, IMAGES)


def test_two_seeds_are_enough_to_say_how_many_are_needed(study):
    results, predictions, right = study(seeds=2)
    table = [right["s", "adaptive", seed] - right["s", "always", seed] for seed in range(2)]
    outcomes = Outcomes.of(results, predictions=predictions)
    wide = replace(outcomes, margin=0.5)
    expected = units_needed(components(np.stack(table)), wide.margin)
    assert expected is not None
    assert difference(wide, duels(wide.cells, ADAPTIVE)).needed == expected
    one = replace(wide, cells=wide.cells[wide.cells["seed"] == 0])
    assert difference(one, duels(one.cells, ADAPTIVE)).needed is None


def test_images_are_matched_by_their_content_and_not_by_their_order(study):
    results, predictions, _ = study()
    shuffled = predictions.sample(frac=1, random_state=0)
    expected = judged(results, predictions).estimate.interval()
    assert judged(results, shuffled).estimate.interval() == pytest.approx(expected)


def test_one_image_is_an_image(study):
    results, predictions, _ = study()
    found = judged(results, predictions[predictions["content"] == "007"])
    assert found.per_image
    assert found.images == 1


def test_seeds_may_have_test_images_of_their_own(study):
    results, predictions, _ = study()
    seed = predictions["cell"].str.extract(r"-s(\d)-")[0].astype(int)
    own = predictions["content"].astype(int) % 3 != seed
    found = judged(results, predictions[own])
    assert found.images == IMAGES
    assert found.estimate.known


def test_three_pairs_are_a_sample_of_pairs_and_two_are_not(study):
    results, predictions, right = study(students=("s", "t", "u"))
    found = judged(results, predictions)
    gains = {
        key: right[key[0], "adaptive", key[2]] - right[key] for key in right if "always" in key
    }
    by_pair = [np.mean([gains[p, "always", k] for k in range(3)], axis=0) for p in ("s", "t", "u")]
    expected = components(np.stack(by_pair)).estimate()
    assert found.several
    assert found.estimate.interval() == pytest.approx(expected.interval())
    gain = [by_image.mean() for by_image in by_pair]
    assert judged(results, None).estimate.interval() == pytest.approx(
        of_seeds(np.array(gain)).interval()
    )
    two = results[results["student"] != "u"]
    assert not judged(two, predictions).several
    assert judged(two, predictions).seeds == 6


def test_seeds_of_a_pair_may_have_test_images_of_their_own(study):
    results, predictions, right = study(students=("s", "t", "u"))
    seed = predictions["cell"].str.extract(r"-s(\d)-")[0].astype(int)
    own = predictions["content"].astype(int) % 3 == seed
    tests = [
        right[pair, "adaptive", image % 3][image] - right[pair, "always", image % 3][image]
        for pair in ("s", "t", "u")
        for image in range(IMAGES)
    ]
    expected = components(np.reshape(tests, (3, IMAGES))).estimate()
    found = judged(results, predictions[own])
    assert (found.images, found.pairs) == (IMAGES, 3)
    assert found.estimate.interval() == pytest.approx(expected.interval())


def test_variants_of_a_teacher_are_no_replications(study):
    results, predictions, right = study(students=("s", "t", "u"))
    named = results.assign(teacher="t@" + results["student"], student="s")
    found = judged(named, predictions)
    assert (found.pairs, found.seeds, found.several) == (1, 3, False)
    gains = [
        np.mean([right[p, "adaptive", k] - right[p, "always", k] for p in ("s", "t", "u")], axis=0)
        for k in range(3)
    ]
    expected = components(np.stack(gains)).estimate()
    assert found.estimate.interval() == pytest.approx(expected.interval())


def test_without_the_answers_of_a_cell_the_interval_is_of_seeds_alone(study):
    results, predictions, _ = study()
    seeds = judged(results, None)
    assert not seeds.per_image
    lacking = predictions[predictions["cell"] != results["cell"][0]]
    assert judged(results, lacking).estimate.interval() == seeds.estimate.interval()


def test_an_image_that_a_split_has_twice_counts_once(study):
    results, predictions, _ = study()
    twice = pd.concat([predictions, predictions[predictions["content"] == "007"]])
    expected = judged(results, predictions).estimate
    assert judged(results, twice).estimate.interval() == pytest.approx(expected.interval())


def test_every_distiller_is_compared_with_the_student_alone_of_its_seed(cell):
    lines = [cell("none", "none", seed, 0.5 + 0.1 * seed) for seed in range(2)]
    lines += [cell(name, "always", seed, 0.8) for name in ("kd", "at") for seed in range(3)]
    found = duels(Outcomes.of(pd.DataFrame(lines)).cells, Contrast("always", "none"))
    assert list(found["distiller"]) == ["kd", "kd", "at", "at"]
    assert list(found["difference"]) == pytest.approx([0.3, 0.2, 0.3, 0.2])
