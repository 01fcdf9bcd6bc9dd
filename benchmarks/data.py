"""Measure training images per second, as a ratio to torchvision's usual way, in one run.

The usual way: images of 32 x 32 as arrays, turned into PIL images, cropped, flipped and normalised
one by one in a DataLoader, with 0 and with 2 workers. Ours: `sakd.data.BatchStream`. All give
shuffled batches of the same augmentation. Rounds are interleaved, so a drift of the machine's speed
hits all lines alike; the ratio is that of the medians, to the faster of the usual ways.

Then the same of images in files: JPEGs of 400 x 300, random resized crops of 224, flips, from
torchvision's ImageFolder and streamed, with the same number of workers; bound by decoding.

    python benchmarks/data.py --images 50000 --files 500 --rounds 3
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset
from torchvision import transforms
from torchvision.datasets import ImageFolder

from sakd.data import Augment, BatchStream, ImageSet
from sakd.data.sources.folder import Folder
from sakd.foundation.machine import resolve_device

CLASSES, SHAPE, PADDING = 100, (3, 32, 32), 4
MEAN, STD = (0.5071, 0.4867, 0.4408), (0.2675, 0.2565, 0.2761)
LARGE, SIDE = (400, 300), 224
Epoch = Callable[[], Iterable[object]]


class OneByOne(Dataset[tuple[Tensor, int]]):
    """Images as torchvision's CIFAR100 gives them: an array, a PIL image, transforms."""

    def __init__(self, images: ImageSet) -> None:
        """Hold ``images`` as (N, H, W, C) arrays."""
        self.arrays = images.images.permute(0, 2, 3, 1).contiguous().numpy()
        self.labels = images.labels.tolist()
        self.transform = transforms.Compose(
            [
                transforms.RandomCrop(SHAPE[1], padding=PADDING),
                transforms.RandomHorizontalFlip(),
                transforms.ToTensor(),
                transforms.Normalize(MEAN, STD),
            ]
        )

    def __len__(self) -> int:
        """Count the images."""
        return len(self.labels)

    def __getitem__(self, row: int) -> tuple[Tensor, int]:
        """Give one image, augmented, with its label."""
        return self.transform(Image.fromarray(self.arrays[row])), self.labels[row]


def main() -> None:
    """Time every line and print the ratios."""
    options = parse()
    torch.manual_seed(0)
    if options.threads:
        torch.set_num_threads(options.threads)
    images = ImageSet(
        torch.randint(256, (options.images, *SHAPE), dtype=torch.uint8),
        torch.randint(CLASSES, (options.images,)),
    )
    usual = OneByOne(images)
    lines: dict[str, Epoch] = {
        f"torchvision, {workers} workers": lambda workers=workers: DataLoader(
            usual, options.batch, shuffle=True, num_workers=workers
        )
        for workers in (0, 2)
    }
    augment = Augment(crop_padding=PADDING, flip=True)
    device = resolve_device(options.device)
    stream = BatchStream(
        images, MEAN, STD, batch_size=options.batch, seed=0, augment=augment, device=device
    )
    lines["sakd, in memory"] = lambda: stream.epoch(0)
    report(measure(lines, options.images, options.rounds, device))
    if options.files:
        with TemporaryDirectory() as folder:
            write_files(Path(folder), options.files)
            for workers in (0, 2):
                lines = from_files(Path(folder), workers, options.batch, device)
                report(measure(lines, options.files, options.rounds, device))


def write_files(folder: Path, count: int) -> None:
    """Write ``count`` JPEGs of smooth noise, of two classes."""
    dice = np.random.default_rng(0)
    for number in range(count):
        coarse = Image.fromarray(dice.integers(0, 256, (30, 40, 3), dtype=np.uint8))
        path = folder / "train" / "ab"[number % 2] / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse.resize(LARGE, Image.Resampling.BICUBIC).save(path)


def from_files(folder: Path, workers: int, batch: int, device: torch.device) -> dict[str, Epoch]:
    """Make the loaders of torchvision's way and of ours, over the same files."""
    steps = [
        transforms.RandomResizedCrop(SIDE),
        transforms.RandomHorizontalFlip(),
        transforms.ToTensor(),
        transforms.Normalize(MEAN, STD),
    ]
    usual = ImageFolder(str(folder / "train"), transforms.Compose(steps))
    files = Folder(folder, "files", size=SIDE, streamed=True, workers=workers).load().train
    augment = Augment(flip=True)
    stream = BatchStream(files, MEAN, STD, batch_size=batch, seed=0, augment=augment, device=device)
    return {
        f"torchvision, files, {workers} workers": lambda: DataLoader(
            usual, batch, shuffle=True, num_workers=workers
        ),
        f"sakd, streamed, {workers} workers": lambda: stream.epoch(0),
    }


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--images", type=int, default=50_000)
    parser.add_argument("--files", type=int, default=500, help="JPEGs to stream; 0 leaves it out")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=0, help="of torch; 0 leaves them")
    parser.add_argument("--device", default="auto")
    return parser.parse_args()


def measure(
    lines: dict[str, Epoch], images: int, rounds: int, device: torch.device
) -> dict[str, list[float]]:
    """Measure images per second of whole epochs, round by round."""
    speeds: dict[str, list[float]] = {name: [] for name in lines}
    for _ in range(rounds):
        for name, epoch in lines.items():
            started = time.perf_counter()
            for _batch in epoch():
                pass
            if device.type == "cuda":
                torch.cuda.synchronize()
            speeds[name].append(images / (time.perf_counter() - started))
    return speeds


def report(speeds: dict[str, list[float]]) -> None:
    """Print medians, ranges and ratios."""
    floor = max(median(found) for name, found in speeds.items() if name.startswith("torchvision"))
    print(f"{'':30}{'images/s':>10}{'min':>10}{'max':>10}{'ratio':>8}")
    for name, found in speeds.items():
        middle = median(found)
        line = f"{name:30}{middle:>10,.0f}{min(found):>10,.0f}{max(found):>10,.0f}"
        print(f"{line}{middle / floor:>7.1f}x")


if __name__ == "__main__":
    main()
