"""Panoptic COCO: a PNG of segment numbers for each picture, and what each number is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from burnish.data.findings import finding
from burnish.formats.coco.top import plain
from burnish.geometry import rle
from burnish.media.images import UnreadableImage, read_image

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray


class Panoptic(NamedTuple):
    """One panoptic file as ordinary annotations with masks, and what was wrong with its PNG files."""

    rows: list[dict[str, Any]]
    findings: list[dict[str, Any]]


def is_panoptic(annotations: Any) -> bool:
    """Whether a file's annotations hold segments; only the first is looked at."""
    if isinstance(annotations, list):
        return bool(annotations) and isinstance(annotations[0], dict) and "segments_info" in annotations[0]
    return annotations is not None and b'"segments_info"' in bytes(memoryview(annotations)[:4096])


def panoptic_rows(annotations: Any, path: Path, shown: str) -> Panoptic:
    """Turn each segment into an annotation with a run-length mask.

    The number of a pixel is red + 256 green + 65536 blue (the panoptic task of COCO); 0 is unlabelled. The PNG files lie in the folder
    named as the JSON file, or beside it. Segment numbers repeat from picture to picture and are kept as the field "segment_id".

    Args:
        annotations: The file's list.
        path: The JSON file.
        shown: Its path for findings.
    """
    made: list[dict[str, Any]] = []
    findings: list[dict[str, Any]] = []
    for entry in plain(annotations):
        numbers = _numbers(path, str(entry.get("file_name", "")))
        if isinstance(numbers, str):
            findings.append(finding("unreadable_picture", numbers, path=shown, position=f"picture {entry.get('image_id')}"))
            numbers = np.zeros((0, 0), dtype=np.int64)
        segments = entry.get("segments_info") or []
        made += [_segment(segment, entry["image_id"], numbers) for segment in segments]
        findings += _differences(segments, numbers, shown, entry)
    return Panoptic(made, findings)


def _numbers(path: Path, name: str) -> NDArray[np.int64] | str:
    file = next((p for p in (path.with_suffix("") / name, path.parent / name) if name and p.is_file()), None)
    if file is None:
        return f"There is no file '{name}' in {path.stem}/ or beside the JSON file: its masks are lost, boxes are kept."
    try:
        pixels = read_image(file, mode="unchanged").astype(np.int64)
    except UnreadableImage as error:
        return f"'{name}' cannot be read: {error.reason}."
    return pixels if pixels.ndim == 2 else pixels[..., 0] + 256 * pixels[..., 1] + 65536 * pixels[..., 2]  # noqa: PLR2004


def _segment(segment: dict[str, Any], image: Any, numbers: NDArray[np.int64]) -> dict[str, Any]:
    row = {key: value for key, value in segment.items() if key != "id"}
    mask = numbers == segment.get("id")
    if mask.any():
        row["segmentation"] = {"size": list(mask.shape), "counts": rle.compress(rle.encode(mask)).decode()}
    return {**row, "id": None, "image_id": image, "segment_id": segment.get("id")}


def _differences(segments: list[dict[str, Any]], numbers: NDArray[np.int64], shown: str, entry: dict[str, Any]) -> list[dict[str, Any]]:
    listed = {segment.get("id") for segment in segments}
    there, counts = np.unique(numbers, return_counts=True)
    found = dict(zip(there.tolist(), counts.tolist(), strict=True))
    where: dict[str, Any] = {"path": shown, "position": f"picture {entry.get('image_id')}"}
    unlisted = {number: count for number, count in found.items() if number and number not in listed}
    missing = [number for number in listed if number not in found] if len(numbers) else []
    rows: list[dict[str, Any]] = []
    if unlisted:
        rows.append(finding("unlisted_segment", f"Pixels of segments that are not listed, by number: {unlisted}.", **where))
    if missing:
        rows.append(finding("missing_segment", f"Listed segments without a pixel: {missing}; their boxes are kept.", **where))
    return rows
