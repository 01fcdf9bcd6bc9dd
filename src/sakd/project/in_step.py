"""Runs and DVC in step: a run is recorded, and stages of another grid do not run."""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from kedro.framework import project
from kedro.framework.context import KedroContext
from kedro.framework.hooks import hook_impl
from kedro.pipeline import Pipeline

from sakd.foundation.errors import UserError, require
from sakd.project.dvc import complaint, file_of, followed, is_ours, stages_of
from sakd.project.errors import told_in_one_line
from sakd.project.parameters import active_parameters, environment_of
from sakd.project.stages import BASE, Stages

STAGE = "DVC_STAGE"
"""Names the stage that runs, in the environment of its command."""

AGAIN = (
    "then start `dvc repro` or `dvc exp run` again (-S by itself changes parameters, and no stages)"
)

logger = logging.getLogger(__name__)


class StepHooks:
    """Keeps DVC in step with the grid and with what has run."""

    @hook_impl
    def after_context_created(self, context: KedroContext) -> None:
        """Stop a stage whose file was written for another grid, before Kedro misses its node.

        Raises:
            ClickException: The file must be written again.
        """
        environment = environment_of(context.env)
        file, _, stage = os.environ.get(STAGE, "").rpartition(":")
        root = Path(context.project_path)
        if stage and (file or file_of(BASE)) == file_of(environment) and is_ours(root, environment):
            with told_in_one_line():
                require(followed(root, environment), f"{complaint(environment)}, {AGAIN}")

    @hook_impl(trylast=True)
    def after_pipeline_run(self, run_params: Mapping[str, Any], pipeline: Pipeline) -> None:
        """Record a run that ended well in the lock file of DVC, or say how, where there is none.

        Only runs of the parameters that DVC knows of are recorded: those in the files of an
        environment whose stages were written. A stage is recorded if all of its nodes have run.
        """
        root, environment = Path(run_params["project_path"]), environment_of(run_params["env"])
        if STAGE in os.environ or not (root / ".dvc").is_dir() or not is_ours(root, environment):
            return
        with suppress(UserError):  # the files give no study, so this run was not of theirs
            stages = stages_of(root, environment)
            if stages.parameters == active_parameters() and followed(root, environment):
                done = stages_in(pipeline, stages)
                _record(root, file_of(environment), done, whole=len(done) == _count(stages))


def stages_in(pipeline: Pipeline, stages: Stages) -> list[str]:
    """Name the stages all of whose nodes are in ``pipeline``."""
    nodes = {node.name for node in pipeline.nodes}
    rows = {
        f"{group.name}@{row}": {item["node"]}
        for group in stages.groups
        for row, item in group.items.items()
    }
    others = {name: _nodes(name) for name in stages.every() if name in project.pipelines}
    known = {**{name: of for name, of in others.items() if name != "students"}, **rows}
    return [name for name, of in known.items() if of and of <= nodes]


def _nodes(pipeline: str) -> set[str]:
    return {node.name for node in project.pipelines[pipeline].nodes}


def _count(stages: Stages) -> int:
    groups = {group.name for group in stages.groups}
    rows = sum(len(group.items) for group in stages.groups)
    return len(stages.every().keys() - groups) + rows


def _record(root: Path, file: str, stages: list[str], *, whole: bool) -> None:
    lock = root / Path(file).with_suffix(".lock")
    if not lock.exists():
        if whole:
            logger.info("`dvc commit --force %s` makes this run known to DVC", file)
        return
    prefix = "" if file == file_of(BASE) else f"{file}:"
    targets = [file] if whole else [prefix + stage for stage in stages]
    # Imported late: DVC takes a second to start, and few runs are recorded.
    import_module("sakd.project.committing").commit(root, lock, targets)
