"""Measures of how much a student answers like its teacher."""

from __future__ import annotations

from torch.nn.functional import kl_div

from sakd.measures.predictions import Predictions


def fidelity(student: Predictions, teacher: Predictions) -> dict[str, float]:
    """Compare the answers of ``student`` and ``teacher`` for the same images.

    Returns:
        ``agreement``, the share of images for which both name the same class, be it right or wrong;
        and ``kl``, the mean Kullback-Leibler divergence of the student's probabilities from the
        teacher's, KL(teacher || student), at temperature 1 and in nats.
    """
    same = (student.predicted == teacher.predicted).double().mean()
    own, given = (answers.logits.double().log_softmax(dim=1) for answers in (student, teacher))
    kl = kl_div(own, given, reduction="batchmean", log_target=True)
    return {"agreement": float(same), "kl": float(kl)}
