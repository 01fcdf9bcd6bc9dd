"""The README.md of an exported folder: a model card, with metadata for the Hugging Face Hub."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from sakd.data import DataCard
from sakd.deployment.export_options import Export
from sakd.foundation.markdown import literal
from sakd.foundation.names import listed
from sakd.foundation.text import printable
from sakd.foundation.vocabulary import NONE

SHOWN = 100
"""Classes that the card lists."""

TAGS = ("image-classification", "knowledge-distillation")


@dataclass(frozen=True)
class ModelCard:
    """The content of the card.

    Attributes:
        id: The name of the model.
        described: The card of its weights: network, facts, metrics, provenance.
        data: The card of its data.
        measures: Its measures on the test images, see `sakd.deployment.measured`.
        sizes: ``parameters`` and ``macs``.
        how: How it is exported.
        checks: Sentences on what was compared.
        int8: The accuracy on validation of the program in ONNX and of that with 8 bits, if any.
    """

    id: str
    described: Mapping[str, Any]
    data: DataCard
    measures: Mapping[str, float]
    sizes: Mapping[str, float]
    how: Export
    checks: tuple[str, ...]
    int8: Mapping[str, float]

    @property
    def accuracy(self) -> float | None:
        """The share of test images that are classified rightly."""
        return self.measures.get("test_top1")

    @property
    def tags(self) -> tuple[str, ...]:
        """The tags of the metadata."""
        chooses = self._fact("policy") not in (None, NONE, "always")
        own = ("spot-adaptive",) if chooses else ()
        return (*TAGS, *own, *(name for name in self.how.formats if name == "onnx"), "safetensors")

    @property
    def classes(self) -> str:
        """The classes in words."""
        return listed(self.data.classes, most=SHOWN)

    @property
    def what(self) -> str:
        """Say in a sentence what the model is."""
        kind = f"An image classifier: the network {code(self.described['network'])}"
        if (origin := self.described.get("imported_from")) is not None:
            return f"{kind}, with the finished weights of {code(origin)}."
        if self.teacher is None and self._fact("distiller") in (None, NONE):
            return f"{kind}, trained on labels alone."
        if self.teacher is None:
            return f"{kind}, trained by {code(self._fact('distiller'))}, without a teacher."
        return f"{kind}, a student of the teacher {code(self.teacher)}."

    @property
    def teacher(self) -> str | None:
        """The name of the network that taught it, if any did."""
        system = self._fact("settings") is not None
        untaught = system and self._fact("teacher_weights") is None
        alone = untaught or self._fact("distiller") in (None, NONE)
        return None if alone else str(self._fact("teacher"))

    @property
    def facts(self) -> dict[str, object]:
        """The networks, sizes and origins, by name."""
        origin = self.described.get("provenance", {})
        versions = [f"{name} {origin[name]}" for name in ("sakd", "torch") if name in origin]
        names = ("distiller", "policy", "objective") if self.teacher else ()
        return {
            **({"teacher": self.teacher} if self.teacher else {}),
            **{name: self._fact(name) for name in names},
            "network": self.described["network"],
            "parameters": f"{self.sizes['parameters']:,.0f}",
            "MACs per image": f"{self.sizes['macs']:,.0f}",
            "epoch of the weights": self.described.get("epoch", "unknown"),
            "seed": self.described.get("seed", "unknown"),
            "data": f"{self.data.name}, {self.data.sha256[:12]}",
            "licence": self.how.license,
            "revision": origin.get("git_revision", "unknown"),
            "trained with": ", ".join(versions) or "unknown",
        }

    @property
    def results(self) -> list[tuple[str, str, str]]:
        """Each measure with its value and the number of images."""
        counts = {split: f"{sum(each):,}" for split, each in self.data.counts.items()}
        named = {
            "accuracy on test": self.accuracy,
            "balanced accuracy on test": self.measures.get("test_balanced"),
            "expected calibration error on test": self.measures.get("test_ece"),
            "accuracy on test under corruptions": self.measures.get("test_corrupted"),
            "accuracy on validation": self.described.get("metrics", {}).get("val_top1"),
            **{f"accuracy on validation, {name}": value for name, value in self.int8.items()},
        }
        return [
            (name, f"{100 * value:.2f} %", counts[_split(name)])
            for name, value in named.items()
            if value is not None
        ]

    @property
    def feed(self) -> str:
        """Say what the programs take."""
        channels, height, width = self.data.image_shape
        if self.how.inside:
            return f"pixels (B, {height}, {width}, {channels}) uint8, which they normalise"
        return f"normalised images (B, {channels}, {height}, {width}) float32"

    def _fact(self, name: str) -> object:
        return self.described.get("facts", {}).get(name)


def _split(name: str) -> str:
    return "val" if "validation" in name else "test"


def rendered(template: str, **content: object) -> str:
    """Fill a template of this package."""
    environment = Environment(  # noqa: S701 - Markdown and Python
        loader=PackageLoader("sakd.deployment"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {"literal": literal, "part": part}
    return environment.get_template(f"{template}.j2").render(**content)


def code(name: object) -> str:
    """Write a name as code in Markdown."""
    plain = printable(name).replace("`", "'")
    return f"`{plain}`"


def part(value: object) -> object:
    """Write a part of a step as `literal`, if it is text."""
    return literal(value) if isinstance(value, str) else value
