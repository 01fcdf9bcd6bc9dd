"""A stage of a traced network as a module."""

from __future__ import annotations

from torch import Tensor, nn

from sakd.networks.staging.segments import Segment


class StagePart(nn.Module):
    """One stage of a model with only the weights that it uses, shared, by the model's names."""

    def __init__(self, model: nn.Module, evaluation: Segment, training: Segment) -> None:
        """Take from ``model`` what the stage uses in either mode."""
        super().__init__()
        for path in sorted(evaluation.uses | training.uses):
            _adopt(self, model, path)
        self._functions = {False: evaluation.function, True: training.function}

    def forward(self, x: Tensor) -> Tensor:
        """What the stage does in the present mode."""
        return self._functions[self.training](self, x)


def _adopt(part: nn.Module, model: nn.Module, path: str) -> None:
    """Have what ``model`` has at ``path`` there in ``part`` too."""
    *parents, name = path.split(".")
    for parent in parents:
        if parent not in dict(part.named_children()):
            part.add_module(parent, nn.Module())
        part, model = part.get_submodule(parent), model.get_submodule(parent)
    value = getattr(model, name)
    if name in dict(model.named_buffers(recurse=False)):
        persistent = name in model.state_dict(keep_vars=True)
        part.register_buffer(name, value, persistent=persistent)
    else:
        setattr(part, name, value)
