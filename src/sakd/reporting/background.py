"""The sections behind the numbers: unfinished cells, the data, where the run comes from."""

from collections.abc import Mapping, Sequence

import pandas as pd

from sakd.reporting.formats import NOTHING
from sakd.reporting.sections import Block, Facts, Section, Tabular, Text

_CLASSES_SHOWN = 20


def unfinished_section(cells: pd.DataFrame) -> list[Section]:
    """The cells without a result, with their errors; no section when all finished."""
    lines = cells[~cells["finished"]]
    if lines.empty:
        return []
    table = pd.DataFrame(
        {
            "cell": lines["cell"].astype(str).tolist(),
            "distiller": lines["distiller"].tolist(),
            "policy": lines["policy"].tolist(),
            "seed": lines["seed"].astype(str).tolist(),
            "status": lines["status"].astype(str).tolist(),
            "error": [error or NOTHING for error in lines["error"]],
        }
    )
    block = Tabular("Cells that gave no result", table, names=len(table.columns))
    return [Section("Cells without a result", (block,))]


def data_section(card: Mapping[str, object]) -> list[Section]:
    """The data card: what was learned from and measured on; no section without a card."""
    if not card:
        return []
    facts = [
        (name, _shown(name, card[name]))
        for name in ("name", "classes", "mean", "std", "source", "sha256")
        if card.get(name) is not None
    ]
    blocks: list[Block] = [Facts(tuple(facts))]
    counts = card.get("counts")
    if isinstance(counts, Mapping) and counts:
        blocks.append(Tabular("Images per split", _split_table(counts)))
    return [Section("Data", tuple(blocks))]


def provenance_section(provenance: Mapping[str, str]) -> list[Section]:
    """Where the run comes from, in the order given."""
    if not provenance:
        return [Section("Provenance", (Text("Not recorded."),))]
    facts = tuple((str(name), str(value)) for name, value in provenance.items())
    return [Section("Provenance", (Facts(facts),))]


def _shown(name: str, value: object) -> str:
    if isinstance(value, str) or not isinstance(value, Sequence):
        return str(value)
    if name in ("mean", "std"):
        return ", ".join(f"{float(part):.4f}" for part in value)
    named = ", ".join(str(part) for part in value[:_CLASSES_SHOWN])
    more = len(value) - _CLASSES_SHOWN
    return f"{len(value)}: {named}" + (f" and {more} more" if more > 0 else "")


def _split_table(counts: Mapping[str, Sequence[int]]) -> pd.DataFrame:
    per_class = {split: [int(count) for count in each] for split, each in counts.items()}
    return pd.DataFrame(
        {
            "split": list(per_class),
            "images": [str(sum(each)) for each in per_class.values()],
            "per class": [_range(each) for each in per_class.values()],
        }
    )


def _range(counts: list[int]) -> str:
    low, high = min(counts, default=0), max(counts, default=0)
    return str(low) if low == high else f"{low} to {high}"
