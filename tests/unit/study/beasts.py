"""A study with two teachers that know some of five classes each, and none in common."""

from __future__ import annotations

from typing import Any

CLASSES = ("ant", "bee", "cat", "dog", "eel")
PAIR = "resnet8@one&resnet8@other/resnet8"
VARIANTS = {"one": {"classes": ["ant", "cat", "eel"]}, "other": {"classes": ["dog", "bee"]}}
STUDY: dict[str, Any] = {
    "grid": {"pairs": PAIR, "distillers": [], "systems": "joined_kd+layerwise_ka+cfl"},
    "teacher": {"epochs": 1, "batch_size": 8, "keep_epochs": 0},
    "teacher_variants": VARIANTS,
}
