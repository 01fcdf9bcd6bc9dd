"""The gradients within networks that distillers compare."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import torch
from torch import Tensor

from sakd.data import Batch
from sakd.distillers import Distiller, Sensitivity, Side
from sakd.foundation.arithmetic import without_casts
from sakd.foundation.errors import UserError
from sakd.networks import StagedNetwork
from sakd.networks.staged import Features, in_mode, twice_differentiable
from sakd.objectives.outputs import Outputs, full_precision
from sakd.tasks import Task


class Sensing:
    """Takes the gradients that distillers compare, where networks are `twice_differentiable`."""

    def __init__(self, distillers: Iterable[Distiller], task: Task) -> None:
        """Take the gradients that ``distillers`` ask for, of the label loss of ``task``."""
        asked = {distiller.sensitivity for distiller in distillers}
        self.kinds = tuple(kind for kind in Sensitivity if kind in asked)
        self.task = task

    def __bool__(self) -> bool:
        """Tell whether a distiller asks for any."""
        return bool(self.kinds)

    @torch.enable_grad()
    def outputs(
        self, network: StagedNetwork, batch: Batch, side: Side, *, unrectified: bool = False
    ) -> Outputs:
        """Run a ``network`` that learns, for outputs and gradients that are differentiable in it.

        Args:
            network: The network.
            batch: The images and their labels.
            side: The side that ``network`` is on.
            unrectified: Whether the outputs before rectifiers are wanted too.
        """
        images = batch.images.detach().requires_grad_(Sensitivity.IMAGES in self.kinds)
        sense = partial(self._sensed, images, batch)
        with twice_differentiable(network):
            return Outputs.of(network, images, side, unrectified=unrectified, sense=sense)

    def _sensed(self, images: Tensor, batch: Batch, found: Features) -> dict[Sensitivity, Tensor]:
        sources = {Sensitivity.IMAGES: images, Sensitivity.EMBEDDING: found.features[-1]}
        return {
            kind: self._gradient(kind, found.logits, sources[kind], batch, learns=True)
            for kind in self.kinds
        }

    @torch.enable_grad()
    def of_frozen(
        self, network: StagedNetwork, batch: Batch, seen: Outputs
    ) -> dict[Sensitivity, Tensor]:
        """Take the gradients of a ``network`` that does not learn.

        It runs once more from where a gradient ends: so what others have ``seen`` of it is the same
        with and without gradients.

        Args:
            network: The network, in evaluation mode.
            batch: The images and their labels.
            seen: The outputs for these images, computed without gradient.
        """
        found = {}
        for kind in self.kinds:
            whole = kind is Sensitivity.IMAGES
            source, start = (batch.images, 0) if whole else (seen.features[-1], network.depth)
            leaf = source.detach().requires_grad_()
            with twice_differentiable(network):
                logits = network.run(leaf, start)
            found[kind] = self._gradient(kind, logits, leaf, batch, learns=False)
        return found

    def _gradient(
        self, kind: Sensitivity, logits: Tensor, by: Tensor, batch: Batch, *, learns: bool
    ) -> Tensor:
        """Take the gradient of one kind, (B, ...) as ``by``, in full precision."""
        with without_casts(by.device):
            (precise,) = full_precision([logits])
            if kind is Sensitivity.IMAGES:
                value = precise.gather(1, batch.leading_labels[:, None])
            else:
                value = self.task.losses(precise, batch)
            (found,) = torch.autograd.grad(
                value.sum(), by, create_graph=learns, retain_graph=learns
            )
            return full_precision([found])[0]

    def check(
        self, student: StagedNetwork, teacher: StagedNetwork, image_shape: tuple[int, ...]
    ) -> None:
        """Try the gradients of both networks on a black image (C, H, W), and to learn from them.

        Raises:
            UserError: A network does not have them, or the student cannot learn from its own.
        """
        for role, network, attempt in (
            ("student", student, self._try_student),
            ("teacher", teacher, self._try_teacher),
        ):
            image = next(network.parameters()).new_zeros((1, *image_shape))
            first = torch.zeros(1, dtype=torch.int64, device=image.device)
            try:
                with in_mode(network, training=False):
                    attempt(network, Batch(image, first, first, 0))
            except RuntimeError as error:
                names = ", ".join(kind.value for kind in self.kinds)
                reason = str(error).partition("\n")[0]
                raise UserError(
                    f"the method compares gradients by the {names}, which the {role} does not "
                    f"have: {reason}; take another network, or a distiller that compares features"
                ) from error

    def _try_student(self, student: StagedNetwork, batch: Batch) -> None:
        felt = self.outputs(student, batch, Side.STUDENT).sensitivities
        # By `backward`, since `grad` passes over operations that can be differentiated once.
        torch.autograd.backward([gradient.square().sum() for gradient in felt.values()])
        student.zero_grad()

    def _try_teacher(self, teacher: StagedNetwork, batch: Batch) -> None:
        with torch.no_grad():
            seen = Outputs.of(teacher, batch.images, Side.TEACHER, unrectified=False)
        self.of_frozen(teacher, batch, seen)
