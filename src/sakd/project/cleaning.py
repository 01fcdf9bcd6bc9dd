"""The command ``sakd clean``, with the options of ``kedro run`` that choose a study."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
from kedro.framework.cli.project import run as kedro_run

from sakd.foundation.errors import require
from sakd.foundation.frames import read_sealed_table
from sakd.foundation.names import listed
from sakd.foundation.text import printable
from sakd.pipelines.plan import places_of
from sakd.project.commands import invoke, open_catalog
from sakd.project.options import Once, readable
from sakd.project.parameters import active_parameters
from sakd.project.plan import Catalog, is_prepared, whole_scope
from sakd.project.reports import report_folder
from sakd.study.cleaning import DAY, Old, old_trainings, remove
from sakd.study.evaluations import KEY_CHARACTERS
from sakd.study.parameters import Parameters
from sakd.study.splits import splits_of
from sakd.study.store import CellStore

SHARED = ("env", "params", "conf_source")
"""The options of ``kedro run`` that choose a study."""

UNITS = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"))


def main(arguments: Sequence[str]) -> None:
    """Run the command with ``arguments``.

    Raises:
        UserError: An option, a name or a value is wrong, or it is not known what is in use.
    """
    invoke(command, arguments)


def clean(
    *,
    env: str | None,
    params: dict[str, Any],
    conf_source: str | None,
    older_than: float | None,
    dry_run: bool,
    yes: bool,
) -> None:
    """Remove the trainings that neither the present grid nor its latest report uses.

    The grid is that of the environment and the parameters that are named. What another run is
    training stays, and so does a teacher of what stays.
    """
    catalog, parameters = open_catalog(env, params, conf_source), active_parameters()
    store: CellStore = catalog.load(f"{parameters.data.slug}-cells")
    if not any(store.folders()):
        click.echo(f"nothing to remove: there are no trainings in {store.root}")
        return
    used = _of_grid(catalog, parameters, store) | {*_reported(catalog, store)}
    before = math.inf if older_than is None else time.time() - older_than * DAY
    old = old_trainings(store, used, before)
    if not old:
        click.echo("nothing to remove: the present grid or its report uses all trainings")
        return
    click.echo(_table(old))
    if dry_run:
        click.echo("nothing was removed, as this is a dry run")
    elif yes or _agreed(len(old)):
        held = remove(store, old)
        for one in held:
            click.echo(f"{one.name} stays: another run is training it")
        click.echo(f"{len(old) - len(held)} removed")


def _of_grid(catalog: Catalog, parameters: Parameters, store: CellStore) -> set[Path]:
    """Find the folders of the trainings of the present grid.

    Of a cell whose key is not known yet they are those with all keys.

    Raises:
        UserError: The images are not there, or are others.
    """
    used, waiting = set[Path](), list[str]()
    for split in splits_of(parameters):
        unknown = f"{split.data} is not prepared with these parameters, so it is not known what the"
        remedy = f"{unknown} grid uses: run --pipelines data_preparation with them first"
        require(is_prepared(catalog, split), remedy)
        places, untrained = places_of(whole_scope(catalog, split), store)
        waiting += [f"{name} of {split.data}" for name in untrained]
        every = {(group, name) for group, name, key in places if key is None}
        used |= {x for x in store.folders() if (x.parent.parent.name, x.parent.name) in every}
        used |= {store.entry(*place[:2], place.key).folder for place in places if place.key}
    if waiting:
        found = f"these teachers are not trained yet: {listed(waiting)}"
        click.echo(f"{found}; of a cell that learns from them every training stays")
    return used


def _reported(catalog: Catalog, store: CellStore) -> Iterator[Path]:
    """Find the folders of the cells that the latest report names."""
    results = report_folder(catalog) / "results.csv"
    if not results.is_file():
        return
    keys = read_sealed_table(results, "run --pipelines report").get("key")
    unknown = f"{results} has no column key, so it is not known what is in use"
    require(keys is not None, f"{unknown}: run --pipelines report")
    known = {str(key)[:KEY_CHARACTERS] for key in keys.dropna()}
    yield from (folder for folder in store.folders() if folder.name in known)


def _agreed(number: int) -> bool:
    asked = sys.stdin.isatty()
    require(asked, "nobody is there to ask: name --yes to remove them, or --dry-run to list them")
    return click.confirm(f"remove these {number}?")


def _days(_context: click.Context, _option: click.Parameter, days: float | None) -> float | None:
    """Check a number of days: the comparisons of click let NaN pass."""
    fine = days is None or math.isfinite(days)
    require(fine, f"--older-than {days} is no number of days: write one of 0 or more")
    return days


def _table(old: Sequence[Old]) -> str:
    days = [time.strftime("%Y-%m-%d", time.gmtime(one.changed)) for one in old]
    lines = [
        f"{shown(x.size):>9}  {day}  {printable(x.name)}" for x, day in zip(old, days, strict=True)
    ]
    total = shown(sum(one.size for one in old))
    return "\n".join([*lines, f"{total:>9}  in {len(old)} trainings that nothing uses"])


def shown(size: float) -> str:
    """Write a number of bytes.

    >>> [shown(size) for size in (7, 1234, 5.67e6, 8e9)]
    ['7 B', '1.2 kB', '5.7 MB', '8.0 GB']
    """
    found = next(((size / unit, name) for unit, name in UNITS if size >= unit), None)
    return f"{size:.0f} B" if found is None else "{:.1f} {}".format(*found)


command = Once(
    "clean",
    callback=clean,
    help=clean.__doc__,
    params=[
        *readable(option for option in kedro_run.params if option.name in SHARED),
        click.Option(
            ["--older-than"],
            type=click.FloatRange(min=0),
            callback=_days,
            metavar="DAYS",
            help="Only those that nothing has been written to for so many days.",
        ),
        click.Option(["--dry-run"], is_flag=True, help="List them with their sizes, no more."),
        click.Option(["--yes"], is_flag=True, help="Remove them without asking."),
    ],
)
