"""Writing CVAT XML: one file a task, which a server imports into a task with the same frames."""

from __future__ import annotations

from dataclasses import replace
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from burnish.data.dataset import extra_fields
from burnish.data.findings import finding, findings_table, join_findings
from burnish.data.tidying import hidden_after_gaps
from burnish.engine.collector import collector_paused
from burnish.engine.files import write_bytes
from burnish.errors import DataError
from burnish.formats.carrying import not_carried
from burnish.formats.cvat.labels import FORM, Label, dataset_labels
from burnish.formats.cvat.shapes import Size
from burnish.formats.cvat.tasks import subset_of, with_tasks
from burnish.formats.cvat.xml.flavours import Flavour, Place, image_nodes, track_nodes
from burnish.formats.cvat.xml.labels import label_nodes
from burnish.formats.cvat.xml.layout import ANNOTATIONS, PICTURES
from burnish.formats.cvat.xml.markup import Node, document, holdable
from burnish.formats.cvat.xml.meta import (
    DEFAULT_SUBSET,
    Server,
    TaskMeta,
    meta_node,
    project_nodes,
    project_offsets,
    server_of,
    source_nodes,
    task_nodes,
)
from burnish.formats.placing import HowPlaced, distinct_paths, place_files

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from burnish.data.dataset import Dataset
    from burnish.formats.cvat.content import Content

NAME: Final = "cvat_xml"

CARRIES: Final = frozenset(
    {"tag", "box", "polygon", "polyline", "points", "ellipse", "mask", "skeleton", "cuboid"}
    | {"rotation", "parts", "visibility", "source", "occluded", "z_order", "group", "parent"}
    | {"attributes", "colour", "skeleton", "subset", "split", "task", "tasks", "jobs"}
)
"""What XML for images carries; that for video has tracks besides, and no tags."""

_VIDEO: Final = frozenset({"track", "keyframe", "outside"})
_KEPT_BY_FAMILY: Final = ("annotations", "classes", "tracks")


def annotations_xml(
    dataset: Dataset,
    task: int | None,
    flavour: Flavour | None = None,
    decimals: int | None = None,
    server: Server | Mapping[int | None, Server] | None = None,
) -> bytes:
    """The annotations.xml of a task, or of all tasks as a server exports a project.

    Args:
        dataset: With tasks.
        task: Its id; None takes all.
        flavour: images or video; by the task's media where None.
        decimals: Digits behind the point; CVAT writes 2. None tells all that a number has.
        server: What only a server knows: of the task, or by task id (the project under None). What was read from XML tells it where not
            given.

    Returns:
        UTF-8 text; with `decimals=2` the same bytes as CVAT's.

    Raises:
        DataError: There is no such task.
    """
    return _file(dataset, task, flavour, decimals, server)[0]


def write(
    dataset: Dataset, folder: Path, *, media: HowPlaced = "copy", flavour: Flavour | None = None, decimals: int | None = None
) -> pl.DataFrame:
    """Write annotations.xml and the pictures or the video beside it; several tasks get a folder each.

    Args:
        dataset: What to write. Tracks hold key frames; for images they are dissolved into a shape on each picture.
        folder: The folder to fill.
        media: Whether pictures and videos are copied, linked or left out.
        flavour: images or video; where not given, video for tasks whose frames come from a video.
        decimals: Digits behind the point; all that a number has where not given.

    Returns:
        Findings on what the flavour cannot carry.
    """
    given = hidden_after_gaps(with_tasks(dataset), which="views")[0]
    found: list[pl.DataFrame] = []
    with collector_paused():
        for place, task in enumerate(given.tasks["id"].to_list()):
            home = folder if given.tasks.height == 1 else folder / f"task_{place}"
            one = task_part(given, task)
            chosen = flavour or _usual_flavour(one)
            raw, contents = _file(given, task, chosen, decimals, None)
            write_bytes(home / ANNOTATIONS, raw)
            found += [findings_table(row for content in contents for row in content.findings), _losses(one, chosen)]
            found.append(place_files(dataset.root, home, _targets(one), media))
    everywhere = given.with_tables(images=given.images.clear(), annotations=given.annotations.clear(), attributes=given.attributes.clear())
    return join_findings(*found, not_carried(_without_own_extras(everywhere), NAME, CARRIES), _unholdable(given))


def task_part(dataset: Dataset, task: int) -> Dataset:
    """One task of a dataset: its pictures and what lies on them.

    Raises:
        DataError: There is no such task.
    """
    if task not in dataset.tasks["id"]:
        raise DataError(f"There is no task {task}; the dataset has {dataset.tasks['id'].to_list()}.", table="tasks")
    images = dataset.images.filter(pl.col("task") == task)
    annotations = dataset.annotations.filter(pl.col("image").is_in(images["id"].implode()))
    attributes = dataset.attributes.filter(pl.col("annotation").is_in(annotations["id"].implode()))
    return dataset.with_tables(
        tasks=dataset.tasks.filter(pl.col("id") == task),
        jobs=dataset.jobs.filter(pl.col("task") == task),
        images=images,
        annotations=annotations,
        attributes=attributes,
    )


def _file(
    dataset: Dataset,
    task: int | None,
    flavour: Flavour | None,
    decimals: int | None,
    server: Server | Mapping[int | None, Server] | None,
) -> tuple[bytes, list[Content]]:
    servers = _servers(dataset) | ({task: server} if isinstance(server, Server) else dict(server or {}))
    labels = dataset_labels(dataset)
    numbers = dataset.tasks["id"].to_list() if task is None else [task]
    parts = [(task_part(dataset, number), servers.get(number, Server())) for number in numbers]
    metas = [_meta(part, told) for part, told in parts]
    contents: list[Content] = []
    objects: list[Node] = []
    tracks, offsets = 0, project_offsets(metas if task is None else [])
    for (part, told), meta, offset in zip(parts, metas, offsets or [0], strict=True):
        attributes = [("subset", meta.subset or DEFAULT_SUBSET), ("task_id", told.id)] if task is None else []
        chosen = flavour or _usual_flavour(part)
        place = replace(_place(part, meta, offset if chosen == "images" else 0), attributes=attributes, decimals=decimals)
        shown = _labels_of_task(dataset, labels, part.tasks["id"][0])
        if chosen == "images":
            nodes, content = image_nodes(part, shown, place)
        else:
            nodes, content = track_nodes(part, shown, place, tracks)
            tracks += len(nodes)
        objects += nodes
        contents.append(content)
    if task is None:
        whole = servers.get(None, Server("project"))
        name = dataset.tasks["project"].drop_nulls().first() or dataset.root.resolve().name
        meta = meta_node("project", project_nodes(whole, str(name), metas, label_nodes(labels)), whole.dumped)
    else:
        told = metas[0].server
        behind = source_nodes(metas[0]) if told.scope == "job" else []
        meta = meta_node(told.scope, task_nodes(metas[0], label_nodes(_labels_of_task(dataset, labels, task))), told.dumped, behind)
    return document(Node("annotations", [Node("version", "1.1"), meta, *objects])), contents


def _servers(dataset: Dataset) -> dict[int | None, Server]:
    """What XML told of the server, by task; the project under None."""
    tasks = {row: server_of(told["server"]) for row, told in extra_fields(dataset, NAME, "tasks").items() if "server" in told}
    projects = [server_of(told) for told in extra_fields(dataset, NAME, "projects").values()]
    return {**tasks, **({None: projects[0]} if projects else {})}


def _labels_of_task(dataset: Dataset, labels: Sequence[Label], task: int) -> tuple[Label, ...]:
    """The labels that a backup told of the task; all where it told none."""
    told = extra_fields(dataset, FORM, "tasks").get(task, {}).get("labels")
    if not told or not all(isinstance(name, str) for name in told):
        return tuple(labels)
    by_name = {label.own_name: label for label in labels}
    return tuple(by_name[name] for name in told if name in by_name)


def _meta(part: Dataset, server: Server) -> TaskMeta:
    row = part.tasks.row(0, named=True)
    frames = part.images["frame"]
    start, step = row["start_frame"], row["step"]
    stop = row["stop_frame"] if row["stop_frame"] is not None else start + step * int(frames.max() or 0)  # pyright: ignore[reportArgumentType]
    video = part.media.filter((pl.col("kind") == "video") & pl.col("id").is_in(part.images["media"].implode()))
    told = extra_fields(part, NAME, "tasks").get(row["id"], {})
    source, size = _video(part, video, told)
    jobs = [(job["start_frame"], job["stop_frame"]) for job in part.jobs.filter(pl.col("kind") == "annotation").to_dicts()]
    # A job's own file counts its frames from 0 for us, and by the task for the server.
    shift = told.get("first_frame", 0)
    last = (stop - start) // step
    return TaskMeta(
        name=row["name"],
        subset=subset_of(row["subset"], part.images["split"].to_list())[0],
        start=start,
        stop=stop,
        step=step,
        mode=server.mode or ("interpolation" if video.height else "annotation"),
        jobs=tuple((first + shift, final + shift) for first, final in jobs or [(0, last)]),
        size=size,
        source=source,
        server=server,
    )


def _video(part: Dataset, video: pl.DataFrame, told: Mapping[str, Any]) -> tuple[str, Size | None]:
    """Name and size of the task's video, also where its frames lie there as pictures."""
    if not video.height:
        return told.get("source", ""), Size(*told["size"]) if "size" in told else None
    sizes = part.images.select("width", "height").drop_nulls()
    shown = sizes.row(0) if sizes.height else (None, None)
    width, height = video["width"][0] or shown[0], video["height"][0] or shown[1]
    return PurePosixPath(video["path"][0]).name, Size(width, height) if width and height else None


def _place(part: Dataset, meta: TaskMeta, offset: int) -> Place:
    numbers = {frame: meta.start + meta.step * frame + offset for frame in part.images["frame"].to_list()}
    return Place(numbers, _names(part, numbers), meta.stop or 0, meta.step)


def _names(part: Dataset, numbers: Mapping[int, int]) -> dict[int, str]:
    """Name of each frame's picture; frames of a video are named by their numbers."""
    media = {row: (kind, path) for row, kind, path in part.media.select("id", pl.col("kind").cast(pl.String), "path").iter_rows()}
    names = _picture_names(part)
    return {
        frame: names[m] if media[m][0] == "image" else f"frame_{numbers[frame]:06d}"
        for frame, m in part.images.select("frame", "media").iter_rows()
    }


def _picture_names(part: Dataset) -> dict[int, str]:
    """Name below images/ of each picture, by media row; of what a backup held, its name below data/."""
    folder = next((told.get("folder", "") for told in [extra_fields(part, FORM, "tasks").get(part.tasks["id"][0])] if told), None)
    prefixes = [f"{PICTURES}/"] if folder is None else ["data/" if folder in {"", "."} else f"{folder}/data/"]
    used = part.media.filter(pl.col("id").is_in(part.images["media"].implode()))
    return distinct_paths({row: _inner(path, prefixes) for row, path in used.select("id", "path").iter_rows()})


def _inner(path: str, prefixes: Sequence[str]) -> str:
    for prefix in prefixes:
        head, found, tail = path.rpartition(prefix)
        if found and (not head or head.endswith("/")):
            return tail
    return "/".join(part for part in PurePosixPath(path).parts if part not in {"..", "/"})


def _targets(part: Dataset) -> dict[str, str]:
    """Where pictures and videos go, by their path."""
    used = part.media.filter(pl.col("id").is_in(part.images["media"].implode()))
    names = _picture_names(part)
    kinds = used.select("id", pl.col("kind").cast(pl.String), "path").iter_rows()
    return {
        path: PurePosixPath(path).name if kind == "video" else f"{PICTURES}/{names[row]}" for row, kind, path in kinds if kind != "sequence"
    }


def _usual_flavour(part: Dataset) -> Flavour:
    """As CVAT's users choose: video for tasks of videos."""
    kinds = part.media.filter(pl.col("id").is_in(part.images["media"].implode()))["kind"].cast(pl.String)
    told = [server.mode for server in _servers(part).values()]
    return "video" if (kinds == "video").any() or "interpolation" in told else "images"


def _losses(part: Dataset, flavour: Flavour) -> pl.DataFrame:
    """What a flavour has no place for, of one task."""
    carries = CARRIES if flavour == "images" else (CARRIES | _VIDEO) - {"tag"}
    rows = part.annotations.with_columns(outside=pl.col("outside") & pl.col("parent").is_null())
    if flavour == "images":
        rows = rows.filter(pl.col("track").is_null())
    images = part.images.with_columns(scene=pl.lit(None, dtype=pl.String))
    bare = part.with_tables(images=images, annotations=rows, classes=part.classes.clear(), extras=part.extras.clear())
    told = [not_carried(bare, f"{NAME} for {flavour}", carries), _dissolved(part) if flavour == "images" else findings_table([])]
    return join_findings(*told, _turned(part), _parted(part), _shared_scenes(part))


def _dissolved(part: Dataset) -> pl.DataFrame:
    tracks = part.annotations.filter(pl.col("track").is_not_null() & pl.col("parent").is_null()).unique(
        "track", keep="first", maintain_order=True
    )
    all_told = f"({tracks.height} tracks in all). Use flavour='video'."
    reason = f"XML for images has no tracks; this one is written as a shape on each picture {all_told}"
    return findings_table(finding("not_carried", reason, image=i, annotation=a) for i, a in tracks.select("image", "id").iter_rows())


def _turned(part: Dataset) -> pl.DataFrame:
    kind = pl.col("kind").cast(pl.String)
    rows = part.annotations.filter((pl.col("rotation") != 0) & ~kind.is_in(["box", "ellipse"]))
    reason = "CVAT turns boxes and ellipses only; the rotation of this shape is not written."
    return findings_table(finding("not_carried", reason, image=i, annotation=a) for i, a in rows.select("image", "id").iter_rows())


def _parted(part: Dataset) -> pl.DataFrame:
    row = part.tasks.row(0, named=True)
    told, said = subset_of(row["subset"], part.images["split"].to_list())
    reason = f"Pictures of the task '{row['name']}' lie in several splits, and CVAT has one subset for each task; it stays '{told}'."
    return findings_table([] if said else [finding("not_carried", reason)])


def _shared_scenes(part: Dataset) -> pl.DataFrame:
    """Scenes are the tasks again when they are read."""
    scenes = part.images.select("id", "scene").filter(pl.col("scene").is_not_null())
    if scenes["scene"].n_unique() <= 1:
        return findings_table([])
    reason = "XML has no place for the scene of a picture; a task is one scene when it is read again."
    return findings_table(finding("not_carried", reason, is_issue=False, image=i, given=scene) for i, scene in scenes.iter_rows())


def _without_own_extras(dataset: Dataset) -> Dataset:
    """What the family keeps beside annotations and classes is written; the rest of a backup is not."""
    kept = (pl.col("format") == FORM) & pl.col("table").is_in(_KEPT_BY_FAMILY)
    return dataset.with_tables(extras=dataset.extras.filter(~kept))


def _unholdable(dataset: Dataset) -> pl.DataFrame:
    """Characters that XML 1.0 has no way to write."""
    texts: list[tuple[str, dict[str, Any]]] = [(name, {}) for name in dataset.class_names().values()]
    texts += [(value, {"annotation": row}) for row, value in dataset.attributes.select("annotation", "value").iter_rows()]
    texts += [(name, {}) for name in [*dataset.attributes["name"].unique(), *dataset.tasks["name"], *dataset.media["path"]]]
    reason = "XML cannot hold a control character of this text; it is written as U+FFFD."
    return findings_table(finding("not_carried", reason, given=text, **where) for text, where in texts if not holdable(text))
