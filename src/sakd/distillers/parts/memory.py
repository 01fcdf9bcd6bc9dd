"""A memory of every training image's embedding."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn.functional import normalize


def at_once(loss: Callable[[Tensor], Tensor], embedding: Tensor) -> Tensor:
    """Take the gradient along with the loss, which then needs nothing of what it was made from.

    Otherwise a memory would have to be copied in every step, as it changes before the gradient is
    taken.

    Args:
        loss: Maps embeddings to a loss per sample (B,), which depends on no other sample.
        embedding: (B, D).

    Returns:
        The loss (B,), differentiable once in ``embedding``.
    """
    with torch.enable_grad():
        leaf = embedding.detach().requires_grad_()
        value = loss(leaf)
        (gradient,) = torch.autograd.grad(value.sum(), leaf)
    return value.detach() + ((embedding - leaf.detach()) * gradient).sum(dim=1)


class MemoryBank(nn.Module):
    """Embeddings (N, D) of all training images, each as it was when last seen.

    Wu et al., CVPR 2018, arXiv:1805.01978. No gradient passes through a bank. Its tensors are
    changed in place, so that they keep their addresses; take what needs a gradient `at_once`.

    Attributes:
        rows: (N, D), part of every checkpoint.
        scale: Z, a scalar, part of every checkpoint; 0 until it is known.
    """

    rows: Tensor
    scale: Tensor

    def __init__(self, size: int, width: int, *, temperature: float, momentum: float) -> None:
        """Start with random rows of about unit length, and no scale.

        Args:
            size: N, the number of training images.
            width: D.
            temperature: T of the scores.
            momentum: Share of the old row in the new one.
        """
        super().__init__()
        self.temperature = temperature
        self.momentum = momentum
        bound = (3 / width) ** 0.5
        self.register_buffer("rows", torch.empty(size, width).uniform_(-bound, bound))
        self.register_buffer("scale", torch.zeros(()))

    def forward(self, embedding: Tensor, contrast: Tensor, chosen: Tensor) -> Tensor:
        """Score embeddings against rows.

        Args:
            embedding: (B, D), v.
            contrast: (B, K) positions of the rows u.
            chosen: (B,) bool.

        Returns:
            exp(<v, u> / T) / Z (B, K), see `scaled`.
        """
        return self.scaled(self.products(embedding, contrast), chosen)

    def scaled(self, products: Tensor, chosen: Tensor) -> Tensor:
        """Compute exp(``products`` / T) / Z (..., K); those where ``chosen`` (...) is True count.

        The first batch in which one counts sets Z, to N times the mean score.
        """
        scores = (products / self.temperature).exp()
        with torch.no_grad():
            mask = chosen.to(scores.dtype)
            mean = (scores.mean(dim=-1) * mask).sum() / mask.sum().clamp(min=1)
            self.scale.copy_(torch.where(self.scale > 0, self.scale, mean * len(self.rows)))
        return scores / torch.where(self.scale > 0, self.scale, 1.0)

    def products(self, embedding: Tensor, contrast: Tensor) -> Tensor:
        """Inner products (B, K) of embeddings (B, D) with the rows at ``contrast`` (B, K).

        Either those with all rows are taken, or the rows at ``contrast`` copied, whichever takes
        less memory.
        """
        if len(self.rows) <= contrast.shape[1] * self.rows.shape[1]:
            return (embedding @ self.rows.T).gather(1, contrast)
        return (self.rows[contrast] @ embedding[:, :, None]).squeeze(2)

    @torch.no_grad()
    def follow(self, embedding: Tensor, index: Tensor, chosen: Tensor) -> None:
        """Move rows towards the embeddings of the chosen samples.

        Args:
            embedding: (B, D).
            index: (B,) positions of the samples' rows.
            chosen: (B,) bool.
        """
        old = self.rows[index]
        new = normalize(self.momentum * old + (1 - self.momentum) * embedding)
        self.rows.index_copy_(0, index, torch.where(chosen[:, None], new, old))
