"""A trained classifier, with all that is needed to ask it about pictures."""

from __future__ import annotations

import os
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor, nn

from sakd.data import DataCard
from sakd.data.batches.normalise import Normalise
from sakd.data.pictures.conversion import as_tensor, convert
from sakd.data.pictures.decoding import decode
from sakd.data.pictures.every import reason
from sakd.data.pictures.form import read_header
from sakd.data.pictures.preprocessing import form_of
from sakd.data.pictures.stored import Files
from sakd.foundation.errors import UserError
from sakd.weights.saved import Weights


class Model(nn.Module):
    """A classifier in evaluation mode, with its classes and the preprocessing of its images.

    ``model(model.preprocess("cat.png")[None]).softmax(dim=1)`` are the chances of the classes.

    Attributes:
        network: Maps normalised images (B, C, H, W) to logits (B, K).
        name: The name of the network.
        weights: Its weights, with the card that describes them.
        data: The card of the data that it was trained on.
        form: The form that pictures are given.
    """

    def __init__(self, network: nn.Module, name: str, weights: Weights, data: DataCard) -> None:
        """Use a trained ``network``.

        Raises:
            KeyError: The preprocessing of the ``data`` lacks a step.
        """
        super().__init__()
        self.network, self.name, self.weights, self.data = network, name, weights, data
        self.form = form_of(data.preprocessing)
        self.eval()

    @property
    def classes(self) -> tuple[str, ...]:
        """The K names of the classes, in the order of the logits."""
        return self.data.classes

    @property
    def device(self) -> torch.device:
        """The device of the network."""
        return next(self.network.parameters()).device

    def forward(self, images: Tensor) -> Tensor:
        """Map normalised images (B, C, H, W) to logits (B, K)."""
        logits: Tensor = self.network(images)
        return logits

    def preprocess(self, picture: str | os.PathLike[str] | Image.Image) -> Tensor:
        """Prepare a picture as those were that the network is measured on.

        Args:
            picture: A file, or an opened picture, of any size and kind.

        Returns:
            (C, H, W) float32, normalised, on the device of the network.

        Raises:
            UserError: The picture cannot be read or converted.
        """
        if isinstance(picture, Image.Image):
            return self.normalise(self._converted(picture)[None])[0]
        pixels, faults = decode(Files([Path(picture)]), self.form, "to classify")
        if faults:
            raise UserError(f"{faults[0]}: replace it, or leave it out")
        return self.normalise(pixels)[0]

    def normalise(self, pixels: Tensor) -> Tensor:
        """Normalise pixels (B, C, H, W) uint8 to float32, on the device of the network."""
        return Normalise(self.data.mean, self.data.std, self.device)(pixels.to(self.device))

    def _converted(self, picture: Image.Image) -> Tensor:
        """Convert a copy of an opened picture to pixels (C, H, W) uint8."""
        try:
            read_header(picture)
            picture.draft(None, (2 * self.form.width, 2 * self.form.height))
            return as_tensor(convert(picture.copy(), self.form))
        except (OSError, ValueError) as error:
            raise UserError(f"the picture cannot be used ({reason(error)}): replace it") from error
