"""Kedro's settings of the project."""

from kedro_viz.integrations.kedro.hooks import DatasetStatsHook

from sakd.project.context import Context
from sakd.project.failures import FailureHooks
from sakd.project.hooks import RunHooks
from sakd.project.in_step import StepHooks
from sakd.project.loader import Loader
from sakd.project.origin import OriginHooks
from sakd.project.run_status import RunStatusHooks
from sakd.project.session import Session

HOOKS = (
    RunHooks(),
    OriginHooks(),
    FailureHooks(),
    RunStatusHooks(),
    DatasetStatsHook(),
    StepHooks(),
)

# Usage data stays here, also where no file .telemetry says so. Of the hooks of kedro-viz one is
# above, and `RunStatusHooks` takes the place of the other.
DISABLE_HOOKS_FOR_PLUGINS = ("kedro-telemetry", "kedro-viz")

CONTEXT_CLASS = Context

SESSION_CLASS = Session

CONFIG_LOADER_CLASS = Loader

CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    # An environment names only the parameters that it changes.
    "merge_strategy": {"parameters": "soft"},
}
