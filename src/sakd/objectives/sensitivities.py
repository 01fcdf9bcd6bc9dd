"""The gradients within networks that distillers compare."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from sakd.data import Batch
from sakd.distillers import Distiller, Sensitivity, Side
from sakd.foundation.errors import UserError
from sakd.networks import StagedNetwork
from sakd.networks.staged import Features, in_mode
from sakd.objectives.outputs import Outputs, full_precision
from sakd.tasks import Task


class Sensing:
    """Runs networks for their outputs along with the gradients that distillers compare."""

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
        self,
        network: StagedNetwork,
        batch: Batch,
        side: Side,
        *,
        unrectified: bool = False,
        learns: bool = True,
    ) -> Outputs:
        """Run ``network`` on the images of ``batch``, for outputs and gradients.

        Neither compiled stages nor fused attention can be differentiated twice: the stages run as
        they are written, and attention as matrix products.

        Args:
            network: The network.
            batch: The images and their labels.
            side: The side that ``network`` is on.
            unrectified: Whether the outputs before rectifiers are wanted too.
            learns: Whether the gradients shall be differentiable in the weights.
        """
        images = batch.images.detach().requires_grad_()
        sense = partial(self._sensed, images, batch, learns)
        with network.uncompiled(), sdpa_kernel(SDPBackend.MATH):
            return Outputs.of(network, images, side, unrectified=unrectified, sense=sense)

    def check(
        self, student: StagedNetwork, teacher: StagedNetwork, image_shape: tuple[int, ...]
    ) -> None:
        """Try the gradients of both networks on a black image (C, H, W), and to learn from them.

        Raises:
            UserError: A network does not have them, or the student cannot learn from its own.
        """
        for role, network, side in (
            ("student", student, Side.STUDENT),
            ("teacher", teacher, Side.TEACHER),
        ):
            try:
                self._try(network, side, image_shape)
            except RuntimeError as error:
                names = ", ".join(kind.value for kind in self.kinds)
                reason = str(error).partition("\n")[0]
                raise UserError(
                    f"the method compares gradients by the {names}, which the {role} does not "
                    f"have: {reason}; take another network, or a distiller that compares features"
                ) from error

    def _try(self, network: StagedNetwork, side: Side, image_shape: tuple[int, ...]) -> None:
        """Take the gradients of ``network`` on a black image, and the student's gradients of them.

        Raises:
            RuntimeError: There are none.
        """
        image = next(network.parameters()).new_zeros((1, *image_shape))
        first = torch.zeros(1, dtype=torch.int64, device=image.device)
        learns = side is Side.STUDENT
        with in_mode(network, training=False):
            felt = self.outputs(network, Batch(image, first, first, 0), side, learns=learns)
        if learns:
            # By `backward`, since `grad` passes over operations that can be differentiated once.
            squares = [gradient.square().sum() for gradient in felt.sensitivities.values()]
            torch.autograd.backward(squares)
            network.zero_grad()

    def _sensed(
        self, images: Tensor, batch: Batch, learns: bool, features: Features
    ) -> dict[Sensitivity, Tensor]:
        with torch.autocast(images.device.type, enabled=False):
            (logits,) = full_precision([features.logits])
            sources = {
                Sensitivity.IMAGES: (logits.gather(1, batch.leading_labels[:, None]), images),
                Sensitivity.EMBEDDING: (self.task.losses(logits, batch), features.features[-1]),
            }
            return {kind: _gradient(*sources[kind], learns=learns) for kind in self.kinds}


def _gradient(values: Tensor, by: Tensor, *, learns: bool) -> Tensor:
    """Take the gradient (B, ...) of the sum of ``values`` (B, ...), in full precision."""
    (found,) = torch.autograd.grad(values.sum(), by, retain_graph=True, create_graph=learns)
    return full_precision([found])[0]
