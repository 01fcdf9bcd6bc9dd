"""A stage of a traced network as a module."""

from __future__ import annotations

from torch import Tensor, nn

from sakd.networks.staging.segments import Segment


class StagePart(nn.Module):
    """One stage of a model; shares the weights that it uses, under the model's names."""

    def __init__(self, model: nn.Module, evaluation: Segment, training: Segment) -> None:
        """Take the modules, weights and buffers of ``model`` that the stage uses in either mode."""
        super().__init__()
        for path in sorted(evaluation.uses | training.uses):
            _adopt(self, model, path)
        self._functions = {False: evaluation.function, True: training.function}

    def forward(self, x: Tensor) -> Tensor:
        """Apply the stage to ``x``, images (B, C, H, W) or a feature, in the current mode."""
        return self._functions[self.training](self, x)


def _adopt(part: nn.Module, model: nn.Module, path: str) -> None:
    """Give ``part`` the attribute that ``model`` has at ``path``."""
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
