"""Kedro's settings of the project."""

from sakd.project.hooks import ParameterHooks
from sakd.project.session import Session

HOOKS = (ParameterHooks(),)

SESSION_CLASS = Session

CONFIG_LOADER_ARGS = {
    "base_env": "base",
    "default_run_env": "local",
    # An environment names only the parameters that it changes.
    "merge_strategy": {"parameters": "soft"},
}
