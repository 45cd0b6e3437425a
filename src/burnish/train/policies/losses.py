"""Losses as a task needs them: what the user left open is filled in, and scores reach each as it wants them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from burnish.errors import ConfigError, extra
from burnish.train.losses.making import build
from burnish.train.losses.settings.box_supervised import BoxSupervisedConfig
from burnish.train.losses.settings.combined import CombinedConfig

with extra("train"):
    import torch

if TYPE_CHECKING:
    from torch import Tensor, nn

    from burnish.config import Config
    from burnish.train.losses.box_supervised import Boxed
    from burnish.train.losses.loss import Loss, Result
    from burnish.train.policies.settings import Mode


_MASKS = 3
"""Dimensions of targets from which they are masks."""


@dataclass(frozen=True, slots=True, eq=False)
class Batch:
    """What a network is shown at once, and what it should say.

    Attributes:
        pictures: (B, 3, H, W) uint8, RGB.
        targets: As the loss of the task takes them.
        boxed: The pictures with their boxes, where masks are learnt from these.
    """

    pictures: Tensor
    targets: Any
    boxed: Boxed | None = None

    def to(self, device: torch.device) -> Batch:
        """The same on a device."""
        targets = self.targets.to(device, non_blocking=True) if isinstance(self.targets, torch.Tensor) else self.targets
        pictures = self.pictures.to(device, non_blocking=True)
        return Batch(pictures, targets, None if self.boxed is None else replace(self.boxed, pictures=pictures))


@dataclass(frozen=True, slots=True, eq=False)
class ScoreLoss:
    """What a batch costs by a loss on scores.

    Attributes:
        loss: The loss; its meter is reset by whoever measures.
        mode: How scores become probabilities, where the loss wants these.
    """

    loss: Loss
    mode: Mode

    def __call__(self, model: nn.Module, batch: Batch, *, progress: float = 1.0) -> Result:
        """Measure a batch."""
        return self.of_scores(model(batch.pictures), batch.targets, progress=progress, boxed=batch.boxed)

    def of_scores(self, scores: Tensor, targets: Tensor, *, progress: float = 1.0, boxed: Boxed | None = None) -> Result:
        """Measure scores (B, K, ...), logits."""
        if not _takes_logits(self.loss.description):
            scores = probabilities(scores, self.mode)
        given: dict[str, Any] = {"progress": progress, "boxed": boxed} if self.has_parts else {}
        return self.loss(scores, targets, **given)

    @property
    def has_parts(self) -> bool:
        """Whether it has several parts, each divided by a count of its own."""
        return isinstance(self.loss.description, CombinedConfig | BoxSupervisedConfig)

    def counts(self, batch: Batch, outputs: int) -> dict[str, Tensor]:
        """What each part's mean of a batch is divided by, without the network: it depends on targets alone, never on what is said.

        Args:
            batch: Pictures and targets, on the device of the training.
            outputs: How many scores the network gives of each picture or pixel.
        """
        size = (len(batch.pictures), outputs, *(batch.pictures.shape[-2:] if batch.targets.ndim >= _MASKS else ()))
        with torch.no_grad():
            return self.of_scores(torch.zeros(size, device=batch.targets.device), batch.targets, boxed=batch.boxed).counts


def score_loss(description: Config, mode: Mode, *, ignore_index: int | None = None) -> ScoreLoss:
    """A loss on scores; mode and ignored label are those of the task where the description leaves them open.

    Raises:
        ConfigError: The loss is not one on scores of this mode, or its parts want logits and probabilities at once.
    """
    return ScoreLoss(build(completed(description, mode, ignore_index=ignore_index)), mode)


def probabilities(scores: Tensor, mode: Mode) -> Tensor:
    """Softmax over the classes of (B, K, ...), or the sigmoid of each score; in float32."""
    return scores.float().softmax(1) if mode == "multiclass" else scores.float().sigmoid()


def completed(description: Config, mode: Mode, *, ignore_index: int | None = None) -> Config:
    """A description of a loss on scores with the mode and the ignored label of a task, where it leaves them open.

    Raises:
        ConfigError: The loss is not one on scores.
    """
    if isinstance(description, CombinedConfig):
        parts = {
            name: member.model_copy(update={"loss": completed(member.loss, mode, ignore_index=ignore_index)})
            for name, member in description.parts.items()
        }
        return description.model_copy(update={"parts": parts})
    fields = type(description).model_fields
    if "mode" not in fields:
        name = getattr(description, "name", "")
        raise ConfigError(f"The loss '{name}' is not one on scores of classes; take for instance dice or focal.")
    open_ones = {"mode": mode, "ignore_index": ignore_index}
    filled = {key: value for key, value in open_ones.items() if key in fields and key not in description.model_fields_set}
    return type(description).make(**{**description.model_dump(), **filled})


def _takes_logits(description: Config) -> bool:
    if not isinstance(description, CombinedConfig):
        return bool(getattr(description, "from_logits", True))
    wanted = {name: _takes_logits(member.loss) for name, member in description.parts.items()}
    if len(set(wanted.values())) > 1:
        names = ", ".join(f"{name} {'logits' if logits else 'probabilities'}" for name, logits in wanted.items())
        raise ConfigError(f"The parts of the loss want different things: {names}. Set from_logits alike.")
    return all(wanted.values())
