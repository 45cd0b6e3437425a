"""The optimisers by name. Strings only: listing and describing load no torch."""

from __future__ import annotations

from typing import Final

from burnish.descriptions import Alias, Entry, Kind

_AT: Final = "burnish.train.optim."


def _entry(config: str, make: str, summary: str) -> Entry:
    return Entry(f"{_AT}settings:{config}", f"{_AT}optimizers:{make}", summary)


OPTIMIZERS: Final = Kind(
    "optimiser",
    {
        "sgd": _entry("NesterovConfig", "of_torch", "Gradient descent with momentum."),
        "adam": _entry("AdamConfig", "of_torch", "Adam (Kingma and Ba, 2015)."),
        "adamw": _entry("AdamWConfig", "of_torch", "Adam with decoupled weight decay (Loshchilov and Hutter, 2019)."),
        "adamax": _entry("AdamConfig", "of_torch", "Adam with the largest gradient in place of the mean square."),
        "nadam": _entry("AdamConfig", "of_torch", "Adam with Nesterov momentum (Dozat, 2016)."),
        "radam": _entry("AdamConfig", "of_torch", "Adam without a need of warm-up (Liu et al., 2020)."),
        "rmsprop": _entry("RmspropConfig", "of_torch", "Gradients over the root of their running mean square."),
        "nadamw": _entry("AdamWConfig", "of_timm", "AdamW with Nesterov momentum."),
        "lamb": _entry("AdamWConfig", "of_timm", "Adam with a trust ratio a layer, for large batches (You et al., 2020)."),
        "adopt": _entry("AdamConfig", "of_timm", "Adam that converges with any beta2 (Taniguchi et al., 2024)."),
        "laprop": _entry("AdamConfig", "of_timm", "Momentum of normalised gradients (Ziyin et al., 2020)."),
        "mars": _entry("AdamConfig", "of_timm", "AdamW with less variance (Yuan et al., 2024)."),
        "adabelief": _entry("AdamConfig", "of_timm", "Adam by surprise (Zhuang et al., 2020)."),
        "adan": _entry("AdanConfig", "of_timm", "Nesterov momentum with three means (Xie et al., 2022)."),
        "lion": _entry("LionConfig", "of_timm", "The sign of the momentum (Chen et al., 2023)."),
        "lars": _entry("NesterovConfig", "of_timm", "SGD with a trust ratio a layer (You et al., 2017)."),
        "madgrad": _entry("SgdConfig", "of_timm", "Dual averaging with momentum (Defazio and Jelassi, 2022)."),
        "muon": _entry("NesterovConfig", "of_timm", "Orthogonal momentum for matrices, AdamW for the rest (Jordan et al., 2024)."),
        "schedule_free_sgd": _entry("FreeSgdConfig", "schedule_free", "SGD that needs no schedule (Defazio et al., 2024)."),
        "schedule_free_adamw": _entry("FreeAdamWConfig", "schedule_free", "AdamW that needs no schedule (Defazio et al., 2024)."),
        "schedule_free_radam": _entry("FreeAdamConfig", "schedule_free", "RAdam that needs no schedule and no warm-up."),
        "timm": _entry("TimmConfig", "of_timm", "Any optimiser of timm by its name there, in `optimizer`."),
    },
    {
        "nesterov": Alias("sgd", {"nesterov": True}),
        "momentum": Alias("sgd"),
    },
)
