"""Export a model as one folder that other programs can use."""

from __future__ import annotations

from pathlib import Path

import torch

from sakd.deployment.card import ModelCard
from sakd.deployment.contents import FILES, write_description, write_programs
from sakd.deployment.export_options import Export
from sakd.deployment.finding import Found
from sakd.deployment.measured import measured
from sakd.deployment.model import Model
from sakd.foundation.errors import UserError, require
from sakd.foundation.files import folder_at_once
from sakd.measures import cost


def export(found: Found, model: Model, to: Path, how: Export) -> tuple[str, ...]:
    """Write ``model`` to the folder ``to``, whole or not at all.

    An earlier export there is replaced.

    Args:
        found: Where the model was found.
        model: The model, on the CPU.
        to: The folder.
        how: The programs that are written, and the licence.

    Returns:
        Lines that say how far the programs are from the network.

    Raises:
        UserError: The folder is something else, or the model cannot be exported so.
    """
    _check_replaceable(to)
    with folder_at_once(to) as folder:
        checked = write_programs(model, found.path, folder, how)
        card = ModelCard(
            id=found.record.id if found.record else str(model.weights.card.get("id", to.name)),
            described={**model.weights.card, "network": model.name},
            data=model.data,
            measures=measured(found, model),
            sizes=cost(model.network, model.data.image_shape, torch.device("cpu")),
            how=how,
            checks=checked.lines,
            int8=checked.int8,
        )
        write_description(model, card, folder, how)
    return checked.lines


def default_folder(found: Found) -> Path:
    """Give the folder to which a training is exported if none is named.

    Raises:
        UserError: The model was not found in a store.
    """
    if found.record is None or found.cells is None:
        raise UserError(f"{found.path} is not in a store of cells: name a folder by --to")
    return found.cells.root.parent / "exported" / found.record.id


def _check_replaceable(to: Path) -> None:
    """Check that a folder holds nothing but an earlier export, if it is there.

    Raises:
        UserError: It holds other things, or is named by its place alone.
    """
    require(to.name not in ("", ".."), f"{to} cannot be replaced: name another folder by --to")
    known = {*FILES, "__pycache__"}  # which the examples leave
    fine = not to.exists() or (to.is_dir() and all(each.name in known for each in to.iterdir()))
    require(fine, f"{to} holds other things than an exported model: name another folder by --to")
