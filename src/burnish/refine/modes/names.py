"""The merging modes by name. Strings only: listing and describing load nothing."""

from __future__ import annotations

from typing import Final

from burnish.descriptions import Alias, Entry, Kind


def _entry(name: str, config: str, summary: str) -> Entry:
    return Entry(f"burnish.refine.modes.settings:{config}", f"burnish.refine.modes.{name}:{name}", summary)


_ENTRIES: Final = {
    "hybrid": _entry("hybrid", "HybridConfig", "0.3 of the weak mask plus 0.7 of the thresholded prediction inside of it."),
    "soft": _entry("soft", "SoftConfig", "The probabilities themselves, inside the boxes."),
    "per_box": _entry("per_box", "PerBoxConfig", "The prediction inside each box, or the whole box where it covers too little of it."),
    "tight": _entry("tight", "TightConfig", "The prediction along the picture's edges, grown until it reaches all four sides of its box."),
    "best": _entry("best", "BestConfig", "Whichever of the others makes the best masks of the pictures that are drawn by hand."),
    "edges": _entry("edges", "EdgesConfig", "The prediction moved to the edges of the picture, by GrabCut or a guided filter."),
    "agreement": _entry("agreement", "AgreementConfig", "What two models agree on inside each box."),
    "prompted": _entry("prompted", "PromptedConfig", "What a model such as SAM draws when it is shown each box."),
}

MODES: Final = Kind("merging mode", _ENTRIES, {"gated": Alias("hybrid"), "grabcut": Alias("edges"), "sam": Alias("prompted")})
"""Every merging mode by name."""
