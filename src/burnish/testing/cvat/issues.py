"""Issues on frames of a job, and the comments under them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from burnish.testing.cvat.answers import Answer, forbidden, not_found
from burnish.testing.cvat.calls import json_body
from burnish.testing.cvat.fields import REQUIRED, Complaints, as_bool, check_text
from burnish.testing.cvat.paging import Listing, page
from burnish.testing.cvat.permissions import find_job, sees_job
from burnish.testing.cvat.records import Comment, Issue
from burnish.testing.cvat.routing import Route
from burnish.testing.cvat.state import stamp
from burnish.testing.cvat.users import brief, find_user, may_see

if TYPE_CHECKING:
    from burnish.testing.cvat.calls import Call, Json


def _show(call: Call, issue: Issue) -> Json:
    return {
        "id": issue.id,
        "frame": issue.frame,
        "position": issue.position,
        "job": issue.job.id,
        "owner": brief(call, issue.owner),
        "assignee": brief(call, issue.assignee),
        "created_date": stamp(issue.created),
        "updated_date": stamp(issue.updated),
        "resolved": issue.resolved,
        "comments": {"count": len(issue.comments), "url": call.url(f"comments?issue_id={issue.id}")},
    }


def _show_comment(call: Call, pair: tuple[Issue, Comment]) -> Json:
    issue, comment = pair
    times = {"created_date": stamp(comment.created), "updated_date": stamp(comment.updated)}
    return {"id": comment.id, "issue": issue.id, "owner": brief(call, comment.owner), "message": comment.message, **times}


_ISSUES = Listing(
    _show,
    {
        "id": lambda issue: issue.id,
        "job_id": lambda issue: issue.job.id,
        "task_id": lambda issue: issue.job.task.id,
        "frame_id": lambda issue: issue.frame,
        "resolved": lambda issue: issue.resolved,
        "owner": lambda issue: issue.owner.username,
        "assignee": lambda issue: issue.assignee.username if issue.assignee else None,
    },
    plain=frozenset({"job_id", "task_id", "frame_id", "resolved", "owner", "assignee"}),
    search=("owner", "assignee"),
)
_COMMENTS: Listing[tuple[Issue, Comment]] = Listing(
    _show_comment,
    {
        "id": lambda pair: pair[1].id,
        "issue_id": lambda pair: pair[0].id,
        "job_id": lambda pair: pair[0].job.id,
        "frame_id": lambda pair: pair[0].frame,
        "owner": lambda pair: pair[1].owner.username,
    },
    plain=frozenset({"issue_id", "job_id", "frame_id", "owner"}),
    search=("owner",),
)


def _find(call: Call, number: int) -> Issue:
    issue = call.state.issues.get(number)
    if issue is None:
        raise not_found("Issue")
    find_job(call, issue.job.id)
    return issue


def _comment(call: Call, issue: Issue, message: str) -> Comment:
    now = call.state.now()
    comment = Comment(id=call.state.new_id("comment"), owner=call.user, message=message, created=now, updated=now)
    issue.comments.append(comment)
    return comment


def _list(call: Call) -> Answer:
    return page(call, [issue for issue in call.state.issues.values() if sees_job(call, issue.job)], _ISSUES)


def _create(call: Call) -> Answer:
    body, complaints = json_body(call), Complaints()
    for name in ("frame", "position", "job"):
        if name not in body:
            complaints.add(name, REQUIRED)
    check_text(body, "message", complaints, longest=10_000)
    complaints.raise_any()
    job = find_job(call, int(body["job"]))
    assignee = find_user(call, body.get("assignee"))
    # Who may not see a user may not give them work.
    if assignee is not None and not may_see(call, assignee):
        raise forbidden()
    now = call.state.now()
    issue = Issue(
        id=call.state.new_id("issue"),
        job=job,
        frame=int(body["frame"]),
        position=[float(value) for value in body["position"]],
        owner=call.user,
        assignee=assignee,
        created=now,
        updated=now,
    )
    call.state.issues[issue.id] = issue
    _comment(call, issue, body["message"])
    return Answer(201, _show(call, issue))


def _get(call: Call) -> Answer:
    return Answer(json=_show(call, _find(call, call.id)))


def _patch(call: Call) -> Answer:
    issue, body = _find(call, call.id), json_body(call)
    issue.resolved = as_bool(body.get("resolved"), default=issue.resolved)
    issue.position = [float(value) for value in body.get("position", issue.position)]
    issue.frame = int(body.get("frame", issue.frame))
    if "assignee" in body:
        issue.assignee = find_user(call, body["assignee"])
    issue.updated = call.state.now()
    return Answer(json=_show(call, issue))


def _delete(call: Call) -> Answer:
    del call.state.issues[_find(call, call.id).id]
    return Answer(204)


def _pairs(call: Call) -> list[tuple[Issue, Comment]]:
    return [(issue, comment) for issue in call.state.issues.values() if sees_job(call, issue.job) for comment in issue.comments]


def _find_comment(call: Call) -> tuple[Issue, Comment]:
    found = next((pair for pair in _pairs(call) if pair[1].id == call.id), None)
    if found is None:
        raise not_found("Comment")
    return found


def _list_comments(call: Call) -> Answer:
    return page(call, _pairs(call), _COMMENTS)


def _create_comment(call: Call) -> Answer:
    body, complaints = json_body(call), Complaints()
    if "issue" not in body:
        complaints.add("issue", REQUIRED)
    check_text(body, "message", complaints, longest=10_000)
    complaints.raise_any()
    issue = _find(call, int(body["issue"]))
    return Answer(201, _show_comment(call, (issue, _comment(call, issue, body["message"]))))


def _get_comment(call: Call) -> Answer:
    return Answer(json=_show_comment(call, _find_comment(call)))


def _patch_comment(call: Call) -> Answer:
    issue, comment = _find_comment(call)
    comment.message = json_body(call).get("message", comment.message)
    comment.updated = call.state.now()
    return Answer(json=_show_comment(call, (issue, comment)))


def _delete_comment(call: Call) -> Answer:
    issue, comment = _find_comment(call)
    issue.comments.remove(comment)
    return Answer(204)


ROUTES = (
    Route("issues", {"GET": _list, "POST": _create}),
    Route("issues/{id}", {"GET": _get, "PATCH": _patch, "DELETE": _delete}),
    Route("comments", {"GET": _list_comments, "POST": _create_comment}),
    Route("comments/{id}", {"GET": _get_comment, "PATCH": _patch_comment, "DELETE": _delete_comment}),
)
