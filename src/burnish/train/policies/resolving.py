"""Settings without gaps: what the user left open is chosen by the task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from burnish.descriptions import describe
from burnish.errors import ConfigError
from burnish.metrics.names import METRICS
from burnish.models.networks.names import describe_network
from burnish.train.augs.settings import pair
from burnish.train.handlers.names import HANDLERS
from burnish.train.losses.names import LOSSES
from burnish.train.optim.schedules import CosineConfig
from burnish.train.policies.policy import policy_of

if TYPE_CHECKING:
    from burnish.config import Config
    from burnish.train.policies.examples import Examples
    from burnish.train.policies.policy import Policy
    from burnish.train.policies.settings import TrainConfig

_ALWAYS = ("skipping", "interrupts", "saving")


def decided(config: TrainConfig, examples: Examples) -> tuple[TrainConfig, Policy]:
    """The settings with every choice made, and the policy that fits their network.

    Raises:
        ConfigError: The network is for another task.
        DataError: There is nothing to learn.
    """
    plan = resolved(config, policy_of(examples, config.network))
    return plan, policy_of(examples, plan.network)


def resolved(config: TrainConfig, policy: Policy) -> TrainConfig:
    """The settings with every choice made.

    Raises:
        ConfigError: The network is for another task.
    """
    defaults, examples = policy.defaults, policy.examples
    network = describe_network(config.network or defaults.network, task=examples.task)[1]
    loss = config.loss or (None if defaults.loss is None else describe(LOSSES, defaults.loss))
    loss = policy.completed(loss)
    measured = config.evaluation.metrics or tuple(describe(METRICS, metric) for metric in defaults.metrics)
    target = config.evaluation.target or defaults.target
    if config.data.sampling == "balanced" and (examples.task != "classification" or examples.mode != "multiclass"):
        raise ConfigError("data.sampling: balanced is for pictures of one class each; give data.plan, a plan of burnish balance.")
    return config.model_copy(
        update={
            "task": examples.task,
            "network": network,
            "loss": loss,
            "size": pair(config.size) if config.size is not None else defaults.size,
            "schedule": config.schedule or CosineConfig(warmup=min(1.0, config.epochs / 10)),
            "evaluation": config.evaluation.model_copy(update={"metrics": measured, "target": target}),
            "data": config.data.model_copy(
                update={
                    "mode": examples.mode,
                    "classes": examples.classes,
                    "fit": config.data.fit or defaults.fit,
                    "crops": examples.crops,
                }
            ),
            "augs": config.augs.model_copy(
                update={
                    "preset": config.augs.preset or defaults.preset or examples.task,
                    "mirror_points": config.augs.mirror_points or defaults.mirror_points,
                }
            ),
            "handlers": _with_the_usual(config.handlers),
        }
    )


def _with_the_usual(handlers: tuple[Config, ...]) -> tuple[Config, ...]:
    named = {getattr(handler, "name", "") for handler in handlers}
    return (*handlers, *(describe(HANDLERS, name) for name in _ALWAYS if name not in named))
