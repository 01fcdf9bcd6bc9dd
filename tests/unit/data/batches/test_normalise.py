"""Statistics and normalising, compared with floats and with torchvision."""

from __future__ import annotations

import pytest
import torch
from torchvision.transforms.v2 import functional as tv

from sakd.data.batches.normalise import Normalise, channel_statistics
from sakd.foundation.errors import UserError


def test_statistics_equal_those_of_the_pixels_as_floats(make_images) -> None:
    images = make_images().images
    mean, std = channel_statistics(images)
    pixels = images.double().div(255).transpose(0, 1).flatten(1)
    assert mean == pytest.approx(pixels.mean(1).tolist(), abs=1e-12)
    assert std == pytest.approx(pixels.std(1, correction=0).tolist(), abs=1e-12)


def test_a_constant_channel_is_refused(make_images) -> None:
    images = make_images().images
    images[:, 1] = 9
    with pytest.raises(UserError, match=r"channel 1 .* 9 everywhere.*; put"):
        channel_statistics(images)


def test_normalising_equals_to_tensor_and_normalise_of_torchvision(make_images) -> None:
    images = make_images().images
    mean, std = [0.5071, 0.4867, 0.4408], [0.2675, 0.2565, 0.2761]
    expected = tv.normalize(tv.to_dtype(images, torch.float32, scale=True), mean, std)
    torch.testing.assert_close(Normalise(mean, std, "cpu")(images), expected, rtol=0, atol=1e-5)
