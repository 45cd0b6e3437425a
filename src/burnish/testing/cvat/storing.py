"""Annotations of jobs and tasks in memory: replaced, added, changed, deleted, read. All or nothing, as in a database."""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, Final

from burnish.testing.cvat.answers import RefusalError, bad_request
from burnish.testing.cvat.merging import merge
from burnish.testing.cvat.records import Annotations
from burnish.testing.cvat.slicing import slice_annotations
from burnish.testing.cvat.state import jobs_of, with_sublabels

if TYPE_CHECKING:
    from collections.abc import Callable

    from burnish.testing.cvat.calls import Json
    from burnish.testing.cvat.records import Attribute, Job, Label, Task
    from burnish.testing.cvat.state import State

ACTIONS: Final = ("create", "update", "delete")
_TABLES: Final = {"tag": "labeledimage", "shape": "labeledshape", "track": "labeledtrack", "key": "trackedshape"}


def put_job(state: State, job: Job, found: Annotations) -> Annotations:
    """Replace what a job holds; gives back what was stored, with ids."""
    job.annotations = Annotations()
    return _create(state, job, found)


def patch_job(state: State, job: Job, found: Annotations, action: str) -> Annotations:
    """Create, update or delete some objects of a job."""
    if action in {"update", "delete"}:
        _remove(job, found)
    return found if action == "delete" else _create(state, job, found)


def put_task(state: State, task: Task, found: Annotations) -> Annotations:
    """Replace what all jobs of a task hold."""
    return _over_jobs(state, task, found, lambda job, part: put_job(state, job, part))


def patch_task(state: State, task: Task, found: Annotations, action: str) -> Annotations:
    """Create, update or delete some objects of a task, each in the jobs on whose frames it lies."""
    return _over_jobs(state, task, found, lambda job, part: patch_job(state, job, part, action))


def read_job(job: Job) -> Annotations:
    """What a job holds, in the order of frames, with every attribute that its labels have."""
    labels = _labels(job.task)
    stored = deepcopy(job.annotations)
    tags = [_with_defaults(tag, labels[tag["label_id"]].attributes) for tag in sorted(stored.tags, key=_frame)]
    shapes = [_read_shape(shape, labels) for shape in sorted(stored.shapes, key=_frame)]
    return Annotations(tags, shapes, [_read_track(track, labels) for track in sorted(stored.tracks, key=lambda track: track["id"])])


def read_task(state: State, task: Task) -> Annotations:
    """What the jobs of a task hold together; ground truth is left out."""
    whole = Annotations()
    for job in jobs_of(state, task, ground_truth=False):
        merge(whole, read_job(job), job.start_frame, task.overlap or 0)
    return whole


def as_json(found: Annotations) -> Json:
    """Annotations as the API answers them."""
    return {"version": 0, "tags": found.tags, "shapes": found.shapes, "tracks": found.tracks, "intervals": []}


def _over_jobs(state: State, task: Task, found: Annotations, store: Callable[[Job, Annotations], Annotations]) -> Annotations:
    jobs = jobs_of(state, task, ground_truth=False)
    before = [deepcopy(job.annotations) for job in jobs]
    whole = Annotations()
    parts = [slice_annotations(found, job.start_frame, job.stop_frame) for job in jobs]
    try:
        for job, part in zip(jobs, parts, strict=True):
            stored = deepcopy(store(job, part))
            merge(whole, stored, job.start_frame, task.overlap or 0)
    except RefusalError:
        for job, annotations in zip(jobs, before, strict=True):
            job.annotations = annotations
        raise
    return whole


def _create(state: State, job: Job, found: Annotations) -> Annotations:
    before = job.annotations
    job.annotations = Annotations(list(before.tags), list(before.shapes), list(before.tracks))
    try:
        _add(state, job, found)
    except RefusalError:
        job.annotations = before
        raise
    if not found.is_empty():
        job.updated = job.task.updated = state.now()
    return found


def _add(state: State, job: Job, found: Annotations) -> None:
    labels = _labels(job.task)
    for tag in found.tags:
        _check_attributes(tag, labels, lambda _: True)
    _number(state, "tag", found.tags)
    _number_shapes(state, job, found.shapes, labels)
    found.tracks = _number_tracks(state, job, found.tracks, labels, None)
    job.annotations.tags += deepcopy(found.tags)
    job.annotations.shapes += deepcopy(found.shapes)
    job.annotations.tracks += deepcopy(found.tracks)


def _number_shapes(state: State, job: Job, shapes: list[Json], labels: dict[int, Label]) -> None:
    for shape in shapes:
        _check_attributes(shape, labels, lambda _: True)
    _number(state, "shape", shapes)
    for shape in shapes:
        _number_shapes(state, job, shape.get("elements", []), labels)


def _number_tracks(state: State, job: Job, tracks: list[Json], labels: dict[int, Label], parent: Json | None) -> list[Json]:
    """Number tracks and their key frames; those without key frames are dropped."""
    tracks = [track for track in tracks if track["shapes"]]
    for track in tracks:
        _begin_with_key_frame(track, parent)
        _check_attributes(track, labels, lambda attribute: not attribute.mutable)
        for shape in track["shapes"]:
            _check_attributes({**shape, "label_id": track["label_id"]}, labels, lambda attribute: attribute.mutable)
    _number(state, "track", tracks)
    _number(state, "key", [shape for track in tracks for shape in track["shapes"]])
    for track in tracks:
        if "elements" in track:
            track["elements"] = _number_tracks(state, job, track["elements"], labels, track)
    return tracks


def _begin_with_key_frame(track: Json, parent: Json | None) -> None:
    """A track begins at a key frame; a skeleton's part that comes later begins with the skeleton, outside."""
    track["frame"] = min(track["frame"], parent["frame"]) if parent else track["frame"]
    first = min(track["shapes"], key=_frame)
    if first["frame"] < track["frame"]:
        track["frame"] = first["frame"]
    elif track["frame"] < first["frame"] and first["type"] == "skeleton":
        first["frame"] = track["frame"]
    elif track["frame"] < first["frame"]:
        missing = {**deepcopy(first), "frame": track["frame"], "outside": True}
        missing.pop("id", None)
        track["shapes"].append(missing)


def _check_attributes(found: Json, labels: dict[int, Label], fits: Callable[[Attribute], bool]) -> None:
    if (label := labels.get(found["label_id"])) is None:
        raise bad_request([f"label_id `{found['label_id']}` is invalid"])
    known = {attribute.id for attribute in label.attributes if fits(attribute)}
    for each in found["attributes"]:
        if each["spec_id"] not in known:
            raise bad_request([f"spec_id `{each['spec_id']}` is invalid"])


def _number(state: State, kind: str, objects: list[Json]) -> None:
    """Give numbers to what has none; a number that was sent must be free."""
    sent = [each["id"] for each in objects if "id" in each]
    taken = _taken(state, kind) if sent else set()
    for number in sent:
        if number in taken:
            constraint = f'unique constraint "engine_{_TABLES[kind]}_pkey"'
            raise bad_request(f"duplicate key value violates {constraint}\nDETAIL:  Key (id)=({number}) already exists.\n")
        taken.add(number)
    for each in objects:
        if "id" not in each:
            each["id"] = state.new_id(kind)


def _taken(state: State, kind: str) -> set[int]:
    held = [job.annotations for job in state.jobs.values()]
    if kind == "tag":
        return {each["id"] for one in held for each in one.tags}
    if kind == "shape":
        return {each["id"] for one in held for shape in one.shapes for each in (shape, *shape["elements"])}
    tracks = [each for one in held for track in one.tracks for each in (track, *track["elements"])]
    return {track["id"] for track in tracks} if kind == "track" else {shape["id"] for track in tracks for shape in track["shapes"]}


def _remove(job: Job, found: Annotations) -> None:
    gone = [{each.get("id") for each in objects} for objects in (found.tags, found.shapes, found.tracks)]
    held = (job.annotations.tags, job.annotations.shapes, job.annotations.tracks)
    kept = ([each for each in objects if each["id"] not in numbers] for objects, numbers in zip(held, gone, strict=True))
    job.annotations = Annotations(*kept)


def _labels(task: Task) -> dict[int, Label]:
    return {label.id: label for label in with_sublabels(task.labels)}


def _frame(each: Json) -> Any:
    return each["frame"]


def _with_defaults(found: Json, attributes: list[Attribute], defaults: list[Json] | None = None) -> Json:
    """Add the attributes that are not told: as before, or as the label says."""
    told = {each["spec_id"] for each in found["attributes"]}
    rest = defaults if defaults is not None else [{"spec_id": each.id, "value": each.default_value} for each in attributes]
    found["attributes"] += [dict(each) for each in rest if each["spec_id"] not in told]
    return found


def _as_stored(shape: Json) -> Json:
    shape["points"] = [] if shape["type"] == "skeleton" else [float(value) for value in shape["points"]]
    for name in ("rotation", "score"):
        if name in shape:
            shape[name] = float(shape[name])
    return shape


def _read_shape(shape: Json, labels: dict[int, Label]) -> Json:
    for element in shape.get("elements", []):
        _read_shape(element, labels)
    return _as_stored(_with_defaults(shape, labels[shape["label_id"]].attributes))


def _read_track(track: Json, labels: dict[int, Label]) -> Json:
    attributes = labels[track["label_id"]].attributes
    _with_defaults(track, [each for each in attributes if not each.mutable])
    track["shapes"].sort(key=_frame)
    held: list[Json] = [{"spec_id": each.id, "value": each.default_value} for each in attributes if each.mutable]
    for shape in track["shapes"]:
        _as_stored(_with_defaults(shape, [], held))
        held = shape["attributes"]
    for element in track.get("elements", []):
        _read_track(element, labels)
    return track
