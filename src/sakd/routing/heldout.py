"""The spot-adaptive policy, trained on images that neither network learns from."""

from __future__ import annotations

from sakd.routing.adaptive import Adaptive


class HeldOut(Adaptive):
    """The policy of `Adaptive`, trained on images set aside from student and teacher.

    Proposed here. A teacher that has learnt the training images is right on nearly all of them, so
    that the router finds it the better one wherever it looks; on other images it errs, too. The
    routing loss of each step is that of as many images set aside, which the networks see in
    evaluation mode; which training images distil is decided as by `Adaptive`.
    It collapses as `Adaptive` does, where the teacher is the better one on those images, too; and
    the half-batch penalty pulls at the gate of the logits as it does there.
    """

    learns_aside = True
    among = False
