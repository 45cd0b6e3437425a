"""Labels of projects and tasks: made, changed, listed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from burnish.testing.cvat.answers import Answer, bad_request, not_found
from burnish.testing.cvat.calls import json_body
from burnish.testing.cvat.colours import label_colour
from burnish.testing.cvat.fields import REQUIRED
from burnish.testing.cvat.paging import Listing, page
from burnish.testing.cvat.permissions import find_job, find_project, find_task
from burnish.testing.cvat.records import Annotations, Attribute, Label, Project, Task
from burnish.testing.cvat.routing import Route
from burnish.testing.cvat.state import with_sublabels

if TYPE_CHECKING:
    from collections.abc import Iterable

    from burnish.testing.cvat.calls import Call, Json
    from burnish.testing.cvat.state import State

TYPES: Final = ("any", "cuboid", "ellipse", "mask", "points", "polygon", "polyline", "rectangle", "skeleton", "tag", "interval")
_INPUTS: Final = ("checkbox", "radio", "number", "text", "select")


def check_labels(found: list[Json]) -> None:
    """Refuse labels that CVAT refuses: of unknown type, without a name, or two of one name."""
    complaints = [_complaints(label) for label in found]
    if any(complaints):
        raise bad_request({"labels": complaints})
    names = [label["name"] for label in found if "name" in label and not label.get("deleted")]
    if len(set(names)) < len(names):
        raise bad_request(["All label names must be unique"])


def make_labels(state: State, found: Iterable[Json]) -> list[Label]:
    """New labels, with new numbers; those without a colour get one."""
    made: list[Label] = []
    for each in found:
        made.append(_make_label(state, each, [label.color for label in made]))
    return made


def change_labels(state: State, owner: Project | Task, found: list[Json]) -> None:
    """Apply a PATCH: labels with a number are changed or deleted, those without are added, the others stay."""
    labels = owner.labels if isinstance(owner, Project) else owner.own_labels
    for each in found:
        if "id" not in each:
            labels.append(_make_label(state, each, [label.color for label in labels]))
            continue
        label = next((label for label in labels if label.id == each["id"]), None)
        if label is None:
            raise not_found("Label")
        if each.get("deleted"):
            labels.remove(label)
            _forget(state, label)
        else:
            _change_label(state, label, each, labels)
    names = [label.name for label in labels]
    if len(set(names)) < len(names):
        raise bad_request(["All label names must be unique"])


def show_label(owner: Project | Task, label: Label) -> Json:
    """A label as the API shows it."""
    whose = {"project_id": owner.id} if isinstance(owner, Project) else {"task_id": owner.id}
    shown = {**_show(label), "sublabels": [{**_show(each), "has_parent": True} for each in label.sublabels]}
    return {**shown, **whose, "parent_id": None, "has_parent": False, **({"svg": label.svg} if label.svg is not None else {})}


def _show(label: Label) -> Json:
    attributes = [
        {
            "id": each.id,
            "name": each.name,
            "mutable": each.mutable,
            "input_type": each.input_type,
            "default_value": each.default_value,
            "values": each.values,
        }
        for each in label.attributes
    ]
    return {"id": label.id, "name": label.name, "color": label.color, "attributes": attributes, "type": label.type}


def _complaints(label: Json) -> Json:
    found: Json = {}
    if "name" not in label and "id" not in label:
        found["name"] = [REQUIRED]
    if label.get("type", "any") not in TYPES:
        found["type"] = [f'"{label["type"]}" is not a valid choice.']
    wrong = [each for each in label.get("attributes", []) if each.get("input_type") not in _INPUTS]
    if wrong:
        found["attributes"] = [{"input_type": [f'"{each.get("input_type")}" is not a valid choice.']} for each in wrong]
    return found


def _make_label(state: State, found: Json, used: list[str]) -> Label:
    label = Label(
        id=state.new_id("label"),
        name=found["name"],
        color=found.get("color") or label_colour(found["name"], used),
        type=found.get("type", "any"),
        attributes=[_make_attribute(state, each) for each in found.get("attributes", [])],
    )
    for each in found.get("sublabels", []):
        part = _make_label(state, {"type": "points", **each}, [*used, *(other.color for other in label.sublabels)])
        part.parent = label
        label.sublabels.append(part)
    if label.type == "skeleton":
        label.svg = _with_ids(found.get("svg", ""), label.sublabels)
    return label


def _with_ids(svg: str, parts: list[Label]) -> str:
    """A skeleton's drawing names its points when it is sent and numbers them when it is read."""
    numbers = {part.name: part.id for part in parts}
    return re.sub(r'data-label-name="([^"]*)"', lambda found: f'data-label-id="{numbers.get(found[1], 0)}"', svg)


def _make_attribute(state: State, found: Json) -> Attribute:
    # Values are stored as lines of one text, so that no value at all is one empty value.
    values = "\n".join(str(value) for value in found.get("values", [])).split("\n")
    return Attribute(
        id=state.new_id("attribute"),
        name=found["name"],
        mutable=bool(found.get("mutable")),
        input_type=found["input_type"],
        default_value=str(found.get("default_value", values[0])),
        values=values,
    )


def _change_label(state: State, label: Label, found: Json, labels: list[Label]) -> None:
    for each in found.get("attributes", []):
        _change_attribute(state, label, each)
    label.name = found.get("name", label.name)
    label.type = found.get("type", label.type)
    # A colour that is not sent is chosen anew, even if the label had one.
    label.color = found.get("color") or label_colour(label.name, [other.color for other in labels if other is not label])


def _change_attribute(state: State, label: Label, found: Json) -> None:
    attribute = next((each for each in label.attributes if each.id == found.get("id")), None)
    if attribute is None:
        label.attributes.append(_make_attribute(state, found))
        return
    for name in ("mutable", "input_type"):
        if name in found and found[name] != getattr(attribute, name):
            raise bad_request([f'Attribute field "{name}" cannot be changed'])
    attribute.name = found.get("name", attribute.name)
    attribute.default_value = str(found.get("default_value", attribute.default_value))
    if "values" in found:
        attribute.values = "\n".join(str(value) for value in found["values"]).split("\n")


def _forget(state: State, label: Label) -> None:
    """A deleted label takes its annotations along."""
    gone = {each.id for each in with_sublabels([label])}
    for job in state.jobs.values():
        job.annotations = Annotations(
            *(
                [each for each in objects if each["label_id"] not in gone]
                for objects in (job.annotations.tags, job.annotations.shapes, job.annotations.tracks)
            )
        )


def _owners(call: Call) -> list[Project | Task]:
    state = call.state
    return [*state.projects.values(), *(task for task in state.tasks.values() if task.project is None)]


def _find(call: Call) -> tuple[Project | Task, Label]:
    for owner in _owners(call):
        for label in owner.labels:
            if label.id == call.id:
                find_project(call, owner.id, change=True) if isinstance(owner, Project) else find_task(call, owner.id)
                return owner, label
    raise not_found("Label")


def _list(call: Call) -> Answer:
    owner: Project | Task | None = None
    if call.one("project_id"):
        owner = find_project(call, int(call.one("project_id")))
    elif call.one("task_id") or call.one("job_id"):
        task = find_task(call, int(call.one("task_id"))) if call.one("task_id") else find_job(call, int(call.one("job_id"))).task
        owner = task.project or task
    owners = [owner] if owner else _owners(call)
    pairs = [(each, label) for each in owners for label in each.labels]
    return page(call, pairs, _LABELS)


def _show_pair(_: Call, pair: tuple[Project | Task, Label]) -> Json:
    return show_label(*pair)


def _term(name: str) -> Any:
    return lambda pair: getattr(pair[1], name)


_LABELS: Listing[tuple[Project | Task, Label]] = Listing(
    _show_pair,
    {name: _term(name) for name in ("id", "name", "type", "color")},
    plain=frozenset({"name", "type", "color"}),
    search=("name",),
    order="id",
)


def _get(call: Call) -> Answer:
    return Answer(json=show_label(*_find(call)))


def _patch(call: Call) -> Answer:
    owner, label = _find(call)
    body = json_body(call)
    check_labels([{"name": label.name, **body}])
    _change_label(call.state, label, body, owner.labels)
    return Answer(json=show_label(owner, label))


def _delete(call: Call) -> Answer:
    owner, label = _find(call)
    owner.labels.remove(label)
    _forget(call.state, label)
    return Answer(204)


ROUTES = (Route("labels", {"GET": _list}), Route("labels/{id}", {"GET": _get, "PATCH": _patch, "DELETE": _delete}))
