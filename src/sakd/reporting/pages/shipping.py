"""The choice of a student in words: the verdict of a report, and the answer of ``sakd best``."""

from __future__ import annotations

from collections.abc import Sequence

from sakd.foundation.errors import UserError
from sakd.reporting.tables import formats
from sakd.reporting.tables.candidates import COSTS, PARAMETERS, Candidate, candidates
from sakd.reporting.tables.choice import Choice, choose, order
from sakd.reporting.tables.outcomes import Outcomes

SUBJECT = "what to ship"

_NAMED = 3


def what_to_ship(outcomes: Outcomes) -> str:
    """Say in a sentence which student to ship, and which others would do."""
    try:
        choice = choose(candidates(outcomes.cells), outcomes.margin)
    except UserError as error:
        return f"cannot be told: {error}"
    best, others = choice.best, (*choice.equal, *choice.near)
    first = f"{best.name}: {formats.percent(best.val.mean)} % on val, {_rank(choice)}"
    within = f"within {100 * outcomes.margin:g} points on val"
    return "; ".join(
        [
            first,
            f"test {_measured(best)}",
            best.cost(PARAMETERS),
            f"{within}: {_listed(others)}" if others else f"no other is {within}",
            *_smaller(choice),
        ]
    )


def recommendation(choice: Choice, margin: float, weights: str = "") -> str:
    """Write the choice for a terminal, a line for each fact.

    Args:
        choice: The choice.
        margin: The difference in accuracy that does not matter, as a fraction.
        weights: The file of the weights of the best cell; empty where it is not known.
    """
    best, others = choice.best, (*choice.equal, *choice.near)
    picked = f" (of its seeds the best on val; test {formats.percent(best.cell_test)} %)"
    facts = {
        "ship": best.name,
        "val": f"{formats.percent(best.val.mean)} %, {_rank(choice)}",
        "test": _measured(best),
        "costs": ", ".join(best.cost(name) for name in COSTS if best.costs[name] > 0),
        "cell": best.cell + (picked if best.val.n > 1 else ""),
        "weights": weights,
    }
    lines = [f"{term:<8} {text}" for term, text in facts.items() if text]
    within = f"within {100 * margin:g} points of it on val"
    shown = [f"{within}:", "", *_table(others)] if others else [f"no other is {within}"]
    remarks = [f"\n{text}" for text in _smaller(choice)]
    return "\n".join([*lines, "", *shown, *remarks, ""])


def _measured(one: Candidate) -> str:
    """Write the accuracy on test with its spread, and why that may mislead."""
    level = formats.with_sd(formats.percent(one.test.mean), one.test.sd)
    remarks = [formats.plural(one.test.n, "seed")]
    remarks += ["so no spread is known"] if one.test.n == 1 else []
    if one.unfinished:
        remarks.append(f"{formats.plural(one.unfinished, 'seed')} without a result")
    return f"{level} % ({', '.join(remarks)})"


def _rank(choice: Choice) -> str:
    """Say how the best came to be it, ties in words."""
    number = formats.plural(choice.fitting, "method")
    if not choice.equal:
        return f"the highest of {number}" if choice.fitting > 1 else "the only method"
    same = all(order(other) == order(choice.best) for other in choice.equal)
    rule = "the first of them in the grid" if same else "it costs least of them"
    return f"as high as {_listed(choice.equal)}, and {rule} (of {number})"


def _listed(others: Sequence[Candidate]) -> str:
    """Name a few of them."""
    named = [other.name for other in others[:_NAMED]]
    more = len(others) - len(named)
    return " | ".join(named) + (f" and {more} more" if more else "")


def _smaller(choice: Choice) -> list[str]:
    """Name the smallest within the margin, if it is smaller than the best."""
    smallest = choice.smallest
    if not smallest.costs[PARAMETERS] < choice.best.costs[PARAMETERS]:
        return []
    return [f"the smallest of these is {smallest.name}, with {smallest.cost(PARAMETERS)}"]


def _table(others: Sequence[Candidate]) -> list[str]:
    rows = [("method", "val %", "test %", PARAMETERS)]
    rows += [
        (
            other.name,
            formats.percent(other.val.mean),
            formats.level(other.test),
            other.number(PARAMETERS),
        )
        for other in others
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join([row[0].ljust(widths[0]), *map(str.rjust, row[1:], widths[1:])]) for row in rows
    ]
