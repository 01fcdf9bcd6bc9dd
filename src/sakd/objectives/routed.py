"""Objectives with a router, and the loss that trains it."""

from __future__ import annotations

from abc import abstractmethod
from typing import NamedTuple

import torch
from torch import Tensor

from sakd.data import Batch
from sakd.distillers import Side
from sakd.foundation.errors import UserError
from sakd.networks import StagedNetwork
from sakd.networks.spots import Spot
from sakd.networks.staged import in_mode
from sakd.objectives.base import Objective
from sakd.objectives.graft import Graft
from sakd.objectives.outputs import Outputs, full_precision
from sakd.objectives.problem import Buildable
from sakd.objectives.router import Router
from sakd.objectives.scenes import scene_of
from sakd.objectives.teaching import Teaching
from sakd.routing import Route
from sakd.tasks import Task


class Lesson(NamedTuple):
    """The images from which a router learns.

    Attributes:
        batch: The images and their labels.
        student: The student's outputs for them.
        teacher: The teacher's.
        route: The decisions for them.
        loss: The student's label loss, a scalar.
        begun: What `Graft.begin` gives for the images, where it has run.
    """

    batch: Batch
    student: Outputs
    teacher: Outputs
    route: Route
    loss: Tensor
    begun: Tensor | None = None


class Decisive(Objective):
    """An objective in which a policy decides which samples distil.

    Attributes:
        student: The network that is trained.
        router: The policy, and what trains it.
    """

    student: StagedNetwork
    router: Router

    @property
    def chooses(self) -> bool:
        """Tell whether the policy's rates follow from what it sees."""
        return not self.router.policy.settled

    @property
    @abstractmethod
    def spot_names(self) -> list[str]:
        """Name the columns of the policy's `Route`."""


class Routed(Decisive, Buildable):
    """A system whose router learns from the training images, or from those set aside.

    Attributes:
        teacher: The teacher of the student.
        spots: One per decision of the policy, in order of depth.
        task: The task that gives the label loss.
        teaching: The role of the teacher.
    """

    teacher: StagedNetwork
    spots: tuple[Spot, ...]
    task: Task
    teaching: Teaching

    def routing(self, lesson: Lesson, networks: torch.autocast) -> Tensor | None:
        """Compute the router's loss, a scalar; None if it has none.

        Args:
            lesson: The training images of the step, with those set aside if the policy needs any.
            networks: The arithmetic in which networks run.
        """
        graft = self.router.graft
        if self.router.policy.learns_aside:
            lesson = self._aside(lesson.batch, networks)
        gate, cost = lesson.route.gate, lesson.route.cost
        if graft is None or gate is None:
            return cost
        with networks:
            logits = self.grafted(graft, lesson, gate)
        grafted = self.task.loss(full_precision([logits])[0], lesson.batch)
        return self.teaching.routing_loss(
            self.router, grafted, lesson.loss.detach(), gate[:, -1], cost
        )

    def begin(self, batch: Batch, networks: torch.autocast) -> Tensor | None:
        """Run what `routing` needs of the student whatever the route is; None if that is nothing.

        Args:
            batch: The training images of the step.
            networks: The arithmetic in which networks run.
        """
        graft = self.router.graft
        if graft is None or self.router.policy.learns_aside:
            return None
        with networks, in_mode(self.student, training=False):
            return graft.begin(self.student, batch.images)

    def grafted(self, graft: Graft, lesson: Lesson, gate: Tensor) -> Tensor:
        """Run the ``graft`` on the images of ``lesson`` by ``gate`` (B, D); give logits (B, K)."""
        images = lesson.batch.images
        with in_mode(self.student, training=False), in_mode(self.teacher, training=False):
            depth = self.spots[0].teacher
            reached = self.teaching.reached(self.teacher, images, depth, lesson.teacher)
            networks = self.student, self.teacher
            logits: Tensor = graft(*networks, images, reached, gate, self.overlap, lesson.begun)
        return logits

    def _aside(self, batch: Batch, networks: torch.autocast) -> Lesson:
        """Show the images set aside to both networks, in evaluation mode; route them.

        Raises:
            UserError: The ``batch`` comes without such images.
        """
        if batch.aside is None:
            raise UserError(
                "the policy learns from images set aside, and the batch has none: give the stream "
                "some (aside=...), or set data.set_aside above 0"
            )
        # Draws are seeded by the step, so that a recorded one can repeat them.
        seen = batch.aside._replace(source=lambda purpose: batch.draws(f"{purpose} aside"))
        with networks:
            student = _unmoved(self.student, seen, Side.STUDENT)
            teacher = _unmoved(self.teacher, seen, Side.TEACHER)
        route = self.router.route(scene_of(self.task, student, teacher, seen))
        return Lesson(seen, student, teacher, route, self.task.loss(student.logits, seen))


@torch.no_grad()
def _unmoved(network: StagedNetwork, batch: Batch, side: Side) -> Outputs:
    """Run ``network`` on the images of ``batch`` in evaluation mode and without gradients."""
    with in_mode(network, training=False):
        return Outputs.of(network, batch.images, side, unrectified=False)
