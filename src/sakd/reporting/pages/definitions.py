"""The terms of a report, explained."""

from __future__ import annotations

from sakd.data import DataCard
from sakd.reporting.pages.wording import POOLED_NOTE
from sakd.reporting.tables.columns import TITLE
from sakd.reporting.tables.display import MAJORITY, NEEDED, ROUTER, SEEDS_ALONE
from sakd.reporting.tables.formats import NOTHING
from sakd.reporting.tables.kinds import PLAIN_KD, REFERENCE
from sakd.reporting.tables.paired import CHOOSING, POOLED

_DEFINITIONS = {
    f"test {TITLE} (last epoch)": (
        "Accuracy of the network after its last epoch on the test images, which are read only "
        "after training. Every mean and difference of this report uses it."
    ),
    "val-selected": (
        "Test accuracy at the epoch with the best validation accuracy: also an honest number, "
        "since the test images have no say in the choice."
    ),
    "best (optimistic)": (
        "The highest test accuracy among the epochs whose weights were kept. Choosing on the test "
        "images flatters a number; use it only to compare with published figures chosen this way."
    ),
    "teacher, student alone, KD": (
        "The teacher; the student trained on the labels only; the student distilled with the "
        "plain logit loss. Where all seeds report one teacher accuracy, it is one teacher, n = 1; "
        "intervals then speak of students of that teacher."
    ),
    "distillers and policies": (
        f"A distiller says what is compared: a method that leaves the logits alone is combined "
        f"with {PLAIN_KD}, as in the papers. A policy says for which samples and where; "
        f"{REFERENCE} is plain distillation."
    ),
    "difference (paired)": (
        "The difference between two policies in the same seed and on the same test images, "
        "averaged over the seeds that both finished."
    ),
    "95 % interval": (
        "Of the difference for new seeds and new images of the same kind: from the variance "
        "between seeds and that between images. In verdicts, three pairs or more are a sample of "
        "pairs. When it includes zero, the sign of the difference is not settled. An interval "
        f"{SEEDS_ALONE} is Student's t of seed means, where results per image are missing."
    ),
    "reading": (
        "higher or lower: the interval excludes zero, also after Holm's correction for the "
        "distillers of the table; open (Holm): before it alone. within d: no difference larger "
        "than d points, the parameter report.margin, by two one-sided tests at 5 %. open: neither."
    ),
    NEEDED: (
        "The number at which the question would be settled with 80 % power, by an interval without "
        "zero or within the margin, if mean and variances are as found. Rough where seeds are few. "
        f"{NOTHING}: these test images cannot settle it."
    ),
    ROUTER: (
        f"= {REFERENCE} but for n epochs: the policy stopped choosing, so its students had plain "
        "distillation in all but n epochs, and their difference says nothing of a choice. The line "
        f"{CHOOSING} leaves such distillers out."
    ),
    POOLED: POOLED_NOTE,
    "failed": (
        "Cells without a result. They are left out of means and differences and counted here."
    ),
}

_UNEVEN = {
    "balanced": (
        "The fraction of each class's test images that are classified rightly, averaged over the "
        "classes: a network that knows only the largest class gets no credit for its size."
    ),
    MAJORITY: (
        "A model that gives every test image to the largest class of the test images. An accuracy "
        "says something only as far as it is above this one."
    ),
}


def definitions(data: DataCard | None) -> tuple[tuple[str, str], ...]:
    """Explain the terms of a report; those of uneven classes only where classes are uneven."""
    uneven = _UNEVEN if data and data.uneven else {}
    return tuple((_DEFINITIONS | uneven).items())
