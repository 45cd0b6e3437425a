"""Tasks on a CVAT test server, made by plain requests, and the folders that tests compare."""

import json
from io import BytesIO

import av
import numpy as np
from PIL import Image

from burnish.cvat.background import wait_for
from burnish.cvat.tree import Node
from burnish.formats.cvat.api import label_ids, with_names
from burnish.testing.cvat.state import State

SIZE = (64, 48)
NAMES = ("tag", "shape", "track")

SKELETON = {
    "name": "face",
    "type": "skeleton",
    "sublabels": [{"name": "left", "type": "points", "attributes": []}, {"name": "right", "type": "points", "attributes": []}],
    "svg": "".join(
        f'<circle r="1" cx="{x}" cy="{x}" data-type="element node" data-element-id="{n}" data-node-id="{n}" data-label-name="{name}" />'
        for n, x, name in ((1, 10, "left"), (2, 50, "right"))
    ),
}
LABELS = (
    {
        "name": "car",
        "attributes": [
            {"name": "make", "input_type": "text", "mutable": False, "default_value": "none", "values": [""]},
            {"name": "turn", "input_type": "select", "mutable": True, "default_value": "no", "values": ["no", "left", "right"]},
        ],
    },
    {"name": "person"},
    SKELETON,
)


def picture(number: int) -> bytes:
    """A small picture, its own for each number."""
    buffer = BytesIO()
    pixels = np.random.default_rng(number).integers(0, 255, (SIZE[1] // 8, SIZE[0] // 8, 3), dtype=np.uint8)
    Image.fromarray(pixels).resize(SIZE).save(buffer, "PNG")
    return buffer.getvalue()


def film(path, frames: int):
    """A small video."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        for number in range(frames):
            pixels = np.full((SIZE[1], SIZE[0], 3), 20 * number % 255, dtype=np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path


def make_task(connection, files=4, *, name="street", labels=LABELS, **about) -> Node:
    """A task with pictures (or with the files that are given as name and bytes)."""
    owner = {} if "project_id" in about else {"labels": list(labels)}
    made = connection.post("tasks", {"name": name, **owner, **about})
    told = [(f"{number}.png", picture(number)) for number in range(files)] if isinstance(files, int) else files
    fields = [("image_quality", "70"), *((f"client_files[{place}]", file) for place, file in enumerate(told))]
    asked = connection.request("POST", f"tasks/{made['id']}/data", fields=fields).json()
    wait_for(connection, asked["rq_id"], label="media")
    return Node(connection, "task", connection.get(f"tasks/{made['id']}"))


def label_number(connection, task, name: str, part: str | None = None) -> int:
    """The number of a label, or of a point of a skeleton."""
    labels = {label["name"]: label for label in connection.pages("labels", task_id=task.id)}
    found = labels[name]
    return found["id"] if part is None else next(each["id"] for each in found["sublabels"] if each["name"] == part)


def box(label: int, frame: int, corners=(4.5, 5.0, 20.25, 30.0), **more):
    """A rectangle as the server takes it."""
    return {"type": "rectangle", "frame": frame, "label_id": label, "points": list(corners), **more}


def track(label: int, *keys, **more):
    """A track of rectangles; each key frame is (frame, left edge, outside)."""
    shapes = [
        {"type": "rectangle", "frame": frame, "points": [left, 5.0, left + 10, 20.0], "outside": outside, "occluded": False}
        for frame, left, outside in keys
    ]
    return {"label_id": label, "frame": shapes[0]["frame"], "shapes": shapes, **more}


def annotate(job: Node, *, shapes=(), tracks=(), tags=()) -> None:
    """Make objects in a job."""
    job.connection.patch(f"{job.path}/annotations", {"shapes": list(shapes), "tracks": list(tracks), "tags": list(tags)}, action="create")


def every_kind(connection, task) -> None:
    """One object of every kind in a task of at least four frames and one job."""
    car, person, face = (label_number(connection, task, name) for name in ("car", "person", "face"))
    left, right = (label_number(connection, task, "face", part) for part in ("left", "right"))
    specs = {spec["name"]: spec["id"] for label in connection.pages("labels", task_id=task.id) for spec in label["attributes"]}
    make, turn = ([{"spec_id": specs[name], "value": value}] for name, value in (("make", "lada"), ("turn", "left")))
    flat = [10.0, 10.5, 30.0, 12.0, 25.0, 33.0]
    shapes = [
        box(car, 0, attributes=[*make, *turn], source="auto", score=0.25),
        box(car, 1, rotation=30.0, z_order=3, group=2, occluded=True),
        {"type": "polygon", "frame": 1, "label_id": person, "points": flat},
        {"type": "polyline", "frame": 2, "label_id": person, "points": flat, "source": "semi-auto"},
        {"type": "points", "frame": 2, "label_id": person, "points": [3.0, 4.0]},
        {"type": "ellipse", "frame": 2, "label_id": person, "points": [20.0, 20.0, 30.0, 12.0]},
        {"type": "mask", "frame": 3, "label_id": car, "points": [3, 2, 5, 10, 10, 13, 14]},
        {"type": "cuboid", "frame": 3, "label_id": car, "points": [float(value) for value in range(16)]},
        {
            "type": "skeleton",
            "frame": 3,
            "label_id": face,
            "points": [],
            "elements": [
                {"type": "points", "frame": 3, "label_id": left, "points": [5.0, 6.0]},
                {"type": "points", "frame": 3, "label_id": right, "points": [15.0, 6.5], "occluded": True},
            ],
        },
    ]
    tags = [{"frame": 0, "label_id": person}, {"frame": 3, "label_id": car, "attributes": make}]
    tracks = [track(car, (0, 3.0, False), (2, 9.0, False), (3, 9.0, True), attributes=make), track(person, (1, 30.0, False))]
    annotate(task.below[0], shapes=shapes, tags=tags, tracks=tracks)


def contents(connection) -> str:
    """Everything that people see in the tasks, without numbers and times: what two servers are compared by."""
    found = []
    for task in connection.pages("tasks"):
        node = Node(connection, "task", task)
        meta = connection.get(f"{node.path}/data/meta")
        ids = label_ids(connection.pages("labels", task_id=node.id))
        held = [_objects(with_names(connection.get(f"{job.path}/annotations"), ids)) for job in node.below]
        jobs = [[job.about["start_frame"], job.about["stop_frame"], *lists] for job, lists in zip(node.below, held, strict=True)]
        found.append([task["name"], [frame["name"] for frame in meta["frames"]], meta["deleted_frames"], jobs])
    return json.dumps(sorted(found, key=str), sort_keys=True)


def numbered(connection, task) -> str:
    """Every object of a task with its number, job by job."""
    return json.dumps([connection.get(f"{job.path}/annotations") for job in task.below], sort_keys=True)


def changes(state: State) -> int:
    """How often anything was made on a server: numbers are never given twice."""
    return sum(state.counters.values())


def _objects(found):
    return [sorted(json.dumps(_plain(item), sort_keys=True) for item in found[name]) for name in ("tags", "shapes", "tracks")]


def _plain(item):
    if isinstance(item, dict):
        return {key: _plain(value) for key, value in item.items() if key != "id"}
    return [_plain(each) for each in item] if isinstance(item, list) else item
