"""Spot-adaptive knowledge distillation."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from sakd.deployment import Model

__version__ = "0.1.0"

__all__ = ["__version__", "load"]


def load(model: str | Path, *, network: str | None = None) -> Model:
    """Load a trained model, with its classes and its preprocessing.

    Args:
        model: An exported folder, the id of a cell in ``data/06_models``, its folder there, or a
            ``.safetensors`` file with a card next to it.
        network: The name of the network; needed for one of your own, ``package.module:function``,
            whose code is never run because a file names it.

    Returns:
        A module from normalised images (B, C, H, W) to logits (B, K), with ``classes`` and
        ``preprocess``; see `sakd.deployment.Model`.

    Raises:
        UserError: There is no such model, it is not finished, or its files are damaged.
    """
    # Named as text and imported when it is called: `import sakd` does not wait for torch.
    loaded: Model = import_module(f"{__name__}.deployment").load(model, network=network)
    return loaded
