"""The names that folders and files of the splits may have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from sakd.foundation.errors import require

SplitNames = Mapping[str, tuple[str, ...]]
"""Names of folders and files, in small letters, by split."""

SPLIT_NAMES: SplitNames = {
    "train": ("train", "training"),
    "val": ("val", "valid", "validation", "dev"),
    "test": ("test", "testing"),
}
AMBIGUOUS = ("eval", "evaluation")  # to some the validation images, to others those for test


def split_of(name: str, known: SplitNames = SPLIT_NAMES) -> str | None:
    """Find the split that ``name`` means, in small or capital letters; None for another name."""
    lower = name.lower()
    return next((split for split, names in known.items() if lower in names), None)


def is_ambiguous(name: str) -> bool:
    """Tell whether ``name`` may mean one split or another."""
    return name.lower() in AMBIGUOUS


def choose_splits(
    names: Iterable[str], place: object, known: SplitNames = SPLIT_NAMES
) -> dict[str, str]:
    """Find the splits that ``names`` mean, in the order train, val, test.

    Args:
        names: Of folders, or of groups of files.
        place: Where they are, for messages.
        known: The names that splits may have.

    Returns:
        The name of each split that is there.

    Raises:
        UserError: A name means no split or may mean several, or several mean the same.
    """
    meant: dict[str, list[str]] = {split: [] for split in known}
    strange: list[str] = []
    for name in names:
        require(
            not is_ambiguous(name),
            f"{place} has {name}, which may mean validation or test images; call it val or test",
        )
        split = split_of(name, known)
        (strange if split is None else meant[split]).append(name)
    allowed = ", ".join(name for each in known.values() for name in each)
    found = f"{place} has {', '.join(strange)} next to the splits"
    require(not strange, f"{found}; allowed: {allowed}; rename or remove the others")
    for several in meant.values():
        require(len(several) <= 1, f"{place} has {' and '.join(several)}; keep one of them")
    return {split: each[0] for split, each in meant.items() if each}
