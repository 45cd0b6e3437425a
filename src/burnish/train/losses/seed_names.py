"""Settings of losses as the tools that we take over from write them."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

from burnish.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Mapping


def tversky(values: Mapping[str, Any]) -> dict[str, Any]:
    """`alpha` and `beta` as the code that reads them computes: alpha weighs false positives, beta false negatives.

    Raises:
        ConfigError: One weight is given under two names, or a reduction that is not the mean.
    """
    settings = reduced(values)
    alpha, beta = settings.get("alpha", settings.get("fp_weight", 0.5)), settings.get("beta", settings.get("fn_weight", 0.5))
    if ("alpha" in settings or "beta" in settings) and alpha != beta:
        told = f"alpha {alpha} weighs false positives and beta {beta} false negatives, as the code of TverskyLoss has it"
        warnings.warn(
            f"{told}; comments beside such settings often say the reverse. Write fp_weight and fn_weight to be sure.", stacklevel=2
        )
    for old, new in (("alpha", "fp_weight"), ("beta", "fn_weight")):
        if old in settings:
            if new in settings:
                raise ConfigError(f"'{old}' and '{new}' are two names of one setting; give one of them.")
            settings[new] = settings.pop(old)
    return settings


def reduced(values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings without `reduction`: a loss gives its mean, its sum and its single values alike.

    Raises:
        ConfigError: The reduction is not the mean.
    """
    settings = dict(values)
    reduction = settings.pop("reduction", "mean")
    if reduction != "mean":
        hint = "The result of a loss has .mean, .sum and the .values of each part; 'mean' is what a training takes"
        raise ConfigError(f"'reduction' is {reduction!r}. {hint}: leave the key out.")
    return settings
