"""Quality settings of tasks. Reports are not made by this server: asking for one gives a background request that fails and says so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from burnish.testing.cvat.answers import Answer, not_found
from burnish.testing.cvat.background import Product, Work, WorkError, places, submit
from burnish.testing.cvat.calls import json_body
from burnish.testing.cvat.fields import check_known
from burnish.testing.cvat.paging import Listing, page
from burnish.testing.cvat.permissions import find_task, sees_task
from burnish.testing.cvat.routing import Route
from burnish.testing.cvat.state import stamp

if TYPE_CHECKING:
    from burnish.testing.cvat.calls import Call, Json
    from burnish.testing.cvat.records import Task

_DEFAULTS: Final = {
    "job_filter": "",
    "inherit": True,
    "target_metric": "accuracy",
    "target_metric_threshold": 0.7,
    "max_validations_per_job": 0,
    "iou_threshold": 0.4,
    "oks_sigma": 0.09,
    "point_size_base": "group_bbox_size",
    "line_thickness": 0.01,
    "low_overlap_threshold": 0.8,
    "compare_line_orientation": True,
    "line_orientation_threshold": 0.1,
    "compare_groups": True,
    "group_match_threshold": 0.5,
    "check_covered_annotations": True,
    "object_visibility_threshold": 0.05,
    "panoptic_comparison": True,
    "compare_attributes": True,
    "empty_is_annotated": False,
}


def _settings(call: Call, task: Task) -> Json:
    """The settings of a task, which are there as soon as somebody asks."""
    found = next((each for each in call.state.quality.values() if each["task_id"] == task.id), None)
    if found is None:
        now = stamp(call.state.now())
        number = call.state.new_id("quality settings")
        found = {"id": number, "task_id": task.id, "project_id": None, **_DEFAULTS, "created_date": now, "updated_date": now}
        call.state.quality[number] = found
    return found


_LISTING: Listing[Json] = Listing(
    lambda _, each: each,
    {"id": lambda each: each["id"], "task_id": lambda each: each["task_id"]},
    plain=frozenset({"task_id"}),
)


def _list(call: Call) -> Answer:
    seen = [task for task in call.state.tasks.values() if sees_task(call, task)]
    wanted = call.one("task_id")
    return page(call, [_settings(call, task) for task in seen if wanted in {"", str(task.id)}], _LISTING)


def _find(call: Call) -> Json:
    settings = call.state.quality.get(call.id)
    if settings is None or settings["task_id"] not in call.state.tasks:
        raise not_found("QualitySettings")
    find_task(call, settings["task_id"])
    return settings


def _get(call: Call) -> Answer:
    return Answer(json=_find(call))


def _patch(call: Call) -> Answer:
    settings, body = _find(call), json_body(call)
    check_known(body, _DEFAULTS)
    settings.update(body, updated_date=stamp(call.state.now()))
    return Answer(json=settings)


def _report(call: Call) -> Answer:
    task = find_task(call, int(json_body(call).get("task_id") or 0))

    def do() -> Product:
        message = "NotImplementedError: the test server makes no quality reports"
        raise WorkError(message)

    work = Work(
        id=f"action=calculate&target=task&target_id={task.id}&subresource=quality",
        type="calculate:quality",
        target="task",
        owner=call.user,
        do=do,
        created=call.state.now(),
        **places(task),
    )
    return submit(call, work)


def _no_reports(call: Call) -> Answer:
    return page(call, [], _LISTING)


ROUTES = (
    Route("quality/settings", {"GET": _list}),
    Route("quality/settings/{id}", {"GET": _get, "PATCH": _patch}),
    Route("quality/reports", {"GET": _no_reports, "POST": _report}),
    Route("quality/conflicts", {"GET": _no_reports}),
)
