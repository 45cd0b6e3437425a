"""Mend tracks, groups and overlaps that models or annotators left."""

from __future__ import annotations

from typing import TYPE_CHECKING

from burnish.data.association import track_by_overlap
from burnish.data.fusing import fuse_groups
from burnish.data.scenes import split_scenes
from burnish.data.segments import fit_segments
from burnish.data.shown import shown
from burnish.data.tidying import hidden_after_gaps, with_one_label
from burnish.formats.derived import Derived
from burnish.inspect.settings import TidyConfig

if TYPE_CHECKING:
    from burnish.data.dataset import Dataset


def tidy(dataset: Dataset, config: TidyConfig | None = None) -> Derived:
    """Mend a dataset, in the order of the settings; saving the result makes a new version.

    Shapes are joined into tracks by overlap, tracks get the label that most of their views have, objects are hidden after they were last
    seen, groups are fused, overlapping segments divided, and frames outside of marked scenes left out.

    Raises:
        DataError: Scenes are marked wrongly.
    """
    chosen = config or TidyConfig()
    made, told = _tracked(dataset, chosen)
    if chosen.one_label:
        made, changed = with_one_label(made)
        told.append(f"{changed:,} labels follow the majority of their track")
    if chosen.hide_after:
        made, added = hidden_after_gaps(made, most_gap=chosen.hide_after, which=chosen.which)
        told.append(f"{added:,} times an object is hidden after it was last seen")
    if chosen.fuse_groups:
        fused = fuse_groups(made)
        told.append(f"{made.annotations.height - fused.annotations.height:,} shapes became a part of another of their group")
        made = fused
    if chosen.fit_segments:
        fitted = fit_segments(made)
        told.append(
            f"{_masks(fitted) - _masks(made):,} polygons became masks, {made.annotations.height - fitted.annotations.height:,} vanished"
        )
        made = fitted
    if chosen.scenes:
        kept = split_scenes(shown(made))
        told.append(f"{made.images.height - kept.images.height:,} frames lie outside of scenes")
        made = kept
    text = "; ".join(told) or "nothing was asked for"
    return Derived(made, verb="tidy", config=chosen.model_dump(mode="json"), text=text, to=chosen.to, media=chosen.media)


def _tracked(dataset: Dataset, config: TidyConfig) -> tuple[Dataset, list[str]]:
    if config.track_overlap is None:
        return dataset, []
    made = track_by_overlap(
        dataset,
        min_overlap=config.track_overlap,
        memory=config.memory,
        key_frame=config.key_frame,
        shortest=config.shortest,
        rest=config.untracked,
    )
    fresh = made.annotations["track"].drop_nulls().n_unique() - dataset.annotations["track"].drop_nulls().n_unique()
    return made, [f"{fresh:,} tracks made of untracked shapes"]


def _masks(dataset: Dataset) -> int:
    return int((dataset.annotations["kind"] == "mask").sum())
