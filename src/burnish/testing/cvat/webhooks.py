"""Webhooks: kept and shown; this server calls nobody."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from burnish.testing.cvat.answers import Answer, bad_request, forbidden, not_found
from burnish.testing.cvat.calls import json_body
from burnish.testing.cvat.paging import Listing, page
from burnish.testing.cvat.permissions import find_project
from burnish.testing.cvat.records import Webhook
from burnish.testing.cvat.routing import Route
from burnish.testing.cvat.state import stamp
from burnish.testing.cvat.users import brief

if TYPE_CHECKING:
    from burnish.testing.cvat.calls import Call, Json

_CHANGES: Final = ("create", "update", "delete")
_NOUNS: Final = ("Task", "Job", "Issue", "Comment")
_COMPLETED: Final = {
    "export:annotations": "Dataset export",
    "export:dataset": "Dataset export",
    "export:backup": "Backup export",
    "create:task": "Task data creation",
    "merge:task": "Consensus merge",
    "merge:job": "Consensus merge",
    "calculate:quality": "Quality report creation",
}
_OF_ORGANIZATION: Final = (
    ("create", "Project"),
    ("update", "Project"),
    ("delete", "Project"),
    ("update", "Organization"),
    ("create", "Membership"),
)
_FIELDS: Final = ("target_url", "description", "type", "content_type", "is_active", "enable_ssl")


def _events(kind: str) -> list[tuple[str, str]]:
    """The events that a webhook of this kind may hear about, each with the name of its group."""
    common = [(f"{change}:{noun.lower()}", noun) for noun in _NOUNS for change in _CHANGES]
    done = [(f"completed:request[{work}]", group) for work, group in _COMPLETED.items()]
    own = (("update", "Project"), ("delete", "Project")) if kind == "project" else _OF_ORGANIZATION
    return [*common, *done, *((f"{change}:{noun.lower()}", noun) for change, noun in own)]


def _show(call: Call, webhook: Webhook) -> Json:
    return {
        "id": webhook.id,
        "url": call.url(f"webhooks/{webhook.id}"),
        **{name: webhook.fields.get(name) for name in _FIELDS},
        "created_date": stamp(webhook.created),
        "updated_date": stamp(webhook.updated),
        "owner": brief(call, webhook.owner),
        "project_id": webhook.fields.get("project_id"),
        "organization": webhook.fields.get("organization"),
        "events": sorted(webhook.fields.get("events", [])),
    }


_WEBHOOKS = Listing(
    _show,
    {"id": lambda each: each.id, "type": lambda each: each.fields.get("type"), "project_id": lambda each: each.fields.get("project_id")},
    plain=frozenset({"type", "project_id"}),
)


def _find(call: Call) -> Webhook:
    webhook = call.state.webhooks.get(call.id)
    if webhook is None:
        raise not_found("Webhook")
    if not (call.user.is_superuser or webhook.owner is call.user):
        raise forbidden()
    return webhook


def _checked(call: Call, fields: Json) -> Json:
    known = {name for name, _ in _events(fields.get("type", ""))}
    if unknown := [event for event in fields.get("events", []) if event not in known]:
        raise bad_request({"events": [f'"{unknown[0]}" is not a valid choice.']})
    if fields.get("type") == "project":
        find_project(call, int(fields.get("project_id") or 0), change=True)
    return fields


def _list(call: Call) -> Answer:
    return page(call, [each for each in call.state.webhooks.values() if call.user.is_superuser or each.owner is call.user], _WEBHOOKS)


def _create(call: Call) -> Answer:
    defaults = {"description": "", "content_type": "application/json", "is_active": True, "enable_ssl": True}
    fields, now = _checked(call, {**defaults, **json_body(call)}), call.state.now()
    fields["organization"] = call.organization.id if call.organization else None
    webhook = Webhook(id=call.state.new_id("webhook"), owner=call.user, fields=fields, created=now, updated=now)
    call.state.webhooks[webhook.id] = webhook
    return Answer(201, _show(call, webhook), headers={"Location": call.url(f"webhooks/{webhook.id}")})


def _get(call: Call) -> Answer:
    return Answer(json=_show(call, _find(call)))


def _patch(call: Call) -> Answer:
    webhook = _find(call)
    webhook.fields = _checked(call, {**webhook.fields, **json_body(call)})
    webhook.updated = call.state.now()
    return Answer(json=_show(call, webhook))


def _delete(call: Call) -> Answer:
    del call.state.webhooks[_find(call).id]
    return Answer(204)


def _list_events(call: Call) -> Answer:
    kind = call.one("type")
    events = [{"key": key, "group": {"display_name": group}} for key, group in _events(kind)]
    return Answer(json={"webhook_type": kind, "events": events})


ROUTES = (
    Route("webhooks", {"GET": _list, "POST": _create}),
    Route("webhooks/events", {"GET": _list_events}),
    Route("webhooks/{id}", {"GET": _get, "PATCH": _patch, "DELETE": _delete}),
)
