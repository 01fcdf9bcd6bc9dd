"""Compare two training steps with those of the published code."""

from __future__ import annotations

import re

from conformance.comparison import Comparison, Golden, names
from conformance.steps.names import our_name, state_of
from conformance.steps.replay import rewind
from conformance.steps.start import run_of, start, ungate
from conformance.steps.values import Recording, forward_values
from sakd.objectives import SpotDistillation

CASES = [name for name in names("steps") if name != "common"]
UNGATED = {"ft_fixed_none"}  # where the reference does not silence a loss that nobody is chosen for
KNOWN = re.compile(
    r"(init|after2)/|init_from|meta|fixed_action|step\d/(agent|student_loss)/|"
    r"step\d/(gumbel_u|randn|ac\d)$"
)


def compare_steps(name: str) -> Comparison:
    """Compare all values of two steps, the gradients of the first, and the state after both."""
    case, common, objective = start(name)
    if name in UNGATED:
        ungate(objective.distillers[case["meta"]["distiller"].lower()])
    run = run_of(objective, case["meta"])
    recording, found = Recording(objective, run), Comparison(f"step {name}")
    untouched = {k for k in case if not KNOWN.match(k)}
    for step in (1, 2):
        batch = rewind(objective, case, common, step)
        recording.clear()
        result = objective(batch)
        for value_name, value in forward_values(recording, result, batch.labels):
            key = f"step{step}/{value_name}"
            if key in case:
                untouched.discard(key)
                found.check(f"step {step}", value_name, value, case[key])
        run.update(result.losses)
        if step == 1:
            check_gradients(recording, case, found)
    check_state(objective, case, found)
    assert not untouched
    return found


def compare_silence(name: str) -> Comparison:
    """Compare a step whose distiller nobody is chosen for: its loss is 0, the rest unchanged."""
    case, common, objective = start(name)
    meta, found = case["meta"], Comparison(f"silenced {name}")
    result = objective(rewind(objective, case, common, 1))
    gated = case["step1/loss_total"] - meta["beta"] * case["step1/loss_kd_raw"]
    found.check("loss", "loss_kd_raw", result.terms[meta["distiller"].lower()], 0.0)
    found.check("loss", "loss_total", result.losses["student"], gated)
    found.check("loss", "routing_total", result.losses["router"], case["step1/routing_total"])
    return found


def check_gradients(recording: Recording, case: Golden, found: Comparison) -> None:
    """Compare the gradients of step 1 in full where stored, and all their norms."""
    for player in ("agent", "student_loss"):
        prefix = f"step1/{player}/grad/"
        for key in [k for k in case if k.startswith(prefix)]:
            name = key.removeprefix(prefix)
            found.check("gradient", name, recording.gradients[our_name(name)], case[key])
        names_of, norms = (case.get(f"step1/{player}/gradnorm{k}", []) for k in ("_names", ""))
        for name, norm in zip(names_of, norms, strict=True):
            ours = recording.gradients.get(our_name(name))
            assert (ours is None) == bool(norm.isnan())
            if ours is not None:
                found.check("gradient", f"|{name}|", ours.norm(), norm)


def check_state(objective: SpotDistillation, case: Golden, found: Comparison) -> None:
    """Compare what two updates have made of every parameter and buffer."""
    for name, norm in zip(case["after2/norm_names"], case["after2/norm"], strict=True):
        value = state_of(objective, name)
        size = value.norm() if value.is_floating_point() else value  # a count of batches
        found.check("step 2", f"|{name}| after", size, norm)
    for key in [k for k in case if k.startswith(("after2/student/", "after2/policy/"))]:
        value = state_of(objective, key.removeprefix("after2/"))
        found.check("step 2", key, value, case[key])
