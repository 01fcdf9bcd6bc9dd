"""The fixed sentences of a report."""

from __future__ import annotations

from collections.abc import Iterable

from sakd.reporting.tables.classes import FEW
from sakd.reporting.tables.columns import TITLE
from sakd.reporting.tables.kinds import stands_alone

REPORT = "Distillation report"

POOLED_NOTE = (
    "Each seed is one unit, with the mean of its distillers: they share the teacher, the student's "
    "initial weights and the images, so they are no replications of each other."
)

RESULTS = (
    f"Accuracies are {TITLE} on the test images, from the last epoch: mean ± standard deviation "
    "over seeds, with the number of seeds n. Differences are percentage points between "
    "cells of the same seed."
)

SWEEPS = (
    "Every method whose settings were varied was trained with each of them. The one with the best "
    "mean accuracy on val, after the last epoch and over all seeds, is chosen, and all other parts "
    "of this report show its cells alone. Accuracies on test take no part in the choice, and those "
    "of the others are shown for the record: the best of them would be optimistic. Accuracies on "
    "val of what was chosen are. Methods with more settings to choose from have had more tries, "
    "and intervals and readings do not count them."
)

METHODS = (
    "Each method without routing against one other, in the same seed and on the same test images. "
    "reading: adjusted (Holm) for the methods of the table."
)

BEST = (
    "best is the highest test accuracy among the epochs whose weights were kept: chosen on the "
    "test images, therefore optimistic, and here only to compare with papers that report it."
)

GAIN = (
    "Gain over plain distillation. Large points: mean paired difference with its 95 % interval; "
    "small points: single seeds; diamond: distillers pooled; hollow: the policy stopped choosing; "
    "shaded: differences that do not matter. No interval with one seed."
)

PARETO = (
    "Accuracy on test against what a network costs, all pairs together; lines: standard deviation "
    "of the seeds. Colour and marker: distiller; hollow: another policy than plain distillation. "
    "The front, ringed and joined, is chosen on val, so on test it may fall below its neighbours."
)

FRONT = (
    "The methods for which no other is at least as good on val and costs no more. Costs are those "
    "of one network, measured on the device of this report. The command sakd best chooses under a "
    "budget."
)

COMPRESSION = (
    "Equal cost: how much larger, in multiplications, a student without a teacher would have to be "
    "to be as accurate, read from the students alone of its family: 1x for a method that does "
    "nothing; > or <: their curve does not reach so far; -: fewer than two of them, or the larger "
    "are no better. Recovered: the part of the gap to the teacher that is closed. NetScore (in "
    "millions) and the distillation metric (lower is better) are for comparison with others: for "
    "one student they say no more than its accuracy."
)

OVER_STUDENTS = (
    "Cost at equal accuracy: the mean difference in multiplications to the students alone, where "
    "both reach the same accuracies; negative: cheaper. It is computed for each seed, n of them. "
    "Hypervolume: the area under the accuracies above chance against the logarithm of the "
    "compression; alone: that of the same students without a teacher."
)

LEARNING_CURVES = (
    "Validation accuracy per epoch: mean over the finished seeds, and a band of their standard "
    "deviation. The later half of the training is in sight; a double click shows all."
)

GATE_RATES = (
    "Gate rate: the fraction of training samples that distil at a spot, in the cells whose policy "
    "decides by what it sees; mean over the finished seeds. Of a policy that weighs samples it is "
    "the effective share, (sum w)^2 / (B sum w^2), which is 1 for equal weights. A line that stays "
    "at 1 or 0 is a policy that does not choose. A distiller that learns where to transfer has a "
    "line for each pair of stages, student's first: the mean strength, as a part of the largest. "
    "Bands: standard deviation between cells."
)

ROUTING = (
    "Policies that tell images apart: which training images they distil. The rate of an image at a "
    "spot is the share of all decisions on it, over all epochs, by which it distilled (of weights "
    "their mean); where a policy decides once for all spots, they are one. Means over the finished "
    "cells of a method."
)

ROUTING_TABLE = (
    "Entropy: -r log2 r - (1 - r) log2 (1 - r) of the rate r in the last epoch, 0 for all or none, "
    "1 for half. Selectivity: the deviation of the rates of images over that which coins of the "
    "rates of every epoch would give, 1 for chance. Then Spearman's correlation of the rates of "
    "images with their losses after the last epoch, without augmentation, and with KL(teacher || "
    "student): above 0 where harder images distil more; - where all rates are equal. Images: all, "
    "and those asked for their losses. Of weights the last epoch has the effective share, and "
    "there is no entropy."
)

ROUTED_CLASSES = "The mean rate of the training images of a class."

BY_DIFFICULTY = (
    "Rate by difficulty. The training images in ten parts of one size, the easiest first; the mean "
    "over the finished seeds. A flat line: difficulty says nothing about who distils."
)

SHEET = (
    "Training images that distil most and least at each spot: {}. Of equal rates the first images "
    "are shown."
)

UNRECORDED = (
    "Not recorded: {} of such policies, trained by a version that did not count decisions on "
    "images. They are complete otherwise; to have them counted, delete their folders and run again."
)

KEYS = (
    "The settings of every cell of this report. The content key of a cell, in the column key of "
    "results.csv, hashes them with its data, teacher and code; it names the folder of the cell's "
    "weights, where record.json has all of it."
)

CELLS = (
    "The cells behind the numbers: each record has all that determined the result, the weights are "
    "those after the last epoch. results.csv has their paths too, relative to the project."
)

MADE = "The run that made this report; its cells may come from others, see the study above."

MEASURES = (
    "Test images after the last epoch, means over the finished cells of a method. Every measure of "
    "every cell is in results.csv; docs/protocol.md defines them."
)

QUALITY = (
    "NLL: mean negative log-likelihood of the labels, nats. ECE: expected calibration error, 15 "
    "bins; scaled: with logits divided by the temperature that fits val best. Agreement: images "
    "for which student and teacher name the same class; KL: divergence of the student's "
    "probabilities from the teacher's, nats. Cells that are trained side by side share the time."
)

ROBUSTNESS = (
    "Six corruptions of one fixed strength, which no network has seen: noise, blur, less contrast, "
    "more brightness, half the pixels, a turn by 15 degrees."
)

COST = (
    "MACs: multiplications with an addition for one image. Memory: weights, images and maps of a "
    "batch of 64 at one time. Latency of a forward pass on this device: median (p50) and 95th "
    "percentile (p95) of at most 50; it depends on what else the machine does."
)

CLASSES = (
    f"Means over seeds. Few: fewer than {FEW} test images, of which one is worth over "
    f"{100 / FEW:.0f} points."
)

HURT = (
    "A class is named if the 95 % interval of its loss against the student alone of the same seed, "
    "over images and seeds, is below zero; with one seed there is no interval. Take care with few "
    "images or seeds."
)

EMPTY = {
    "Top-5 is empty for five classes or fewer.": ("top-5 %",),
    "A teacher has no agreement and no KL with itself, and its training is no cell.": (
        *("agreement %", "KL", "training s"),
    ),
    "A method without a finished cell has no measures.": ("top-1 %",),
}
"""Reasons for empty values, with the headings under which they are."""


def pooled_note(distillers: Iterable[str]) -> str:
    """Explain the pooled line of these distillers, and which of them it leaves out."""
    alone = [name for name in dict.fromkeys(distillers) if stands_alone(name)]
    if not alone:
        return POOLED_NOTE
    left_out = (
        f"{', '.join(alone)} left out: neither KD nor, often, any other loss trains the student"
    )
    return f"{POOLED_NOTE} {left_out} on a sample that the policy leaves alone."
