"""Organizations, who belongs to them, and invitations."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from burnish.testing.cvat.answers import Answer, bad_request, forbidden, not_found
from burnish.testing.cvat.calls import json_body
from burnish.testing.cvat.fields import REQUIRED, Complaints, check_choice, check_text
from burnish.testing.cvat.paging import Listing, page
from burnish.testing.cvat.records import Membership, Organization
from burnish.testing.cvat.routing import Route
from burnish.testing.cvat.state import stamp
from burnish.testing.cvat.users import brief

if TYPE_CHECKING:
    from burnish.testing.cvat.calls import Call, Json

_ROLES = ("worker", "supervisor", "maintainer", "owner")


def _show(call: Call, organization: Organization) -> Json:
    return {
        "id": organization.id,
        "slug": organization.slug,
        "name": organization.name,
        "description": organization.description,
        "created_date": stamp(organization.created),
        "updated_date": stamp(organization.updated),
        "contact": organization.contact,
        "owner": brief(call, organization.owner),
    }


def _show_member(call: Call, member: Membership) -> Json:
    return {
        "id": member.id,
        "user": brief(call, member.user),
        "organization": member.organization.id,
        "is_active": True,
        "joined_date": stamp(member.joined),
        "role": member.role,
        "invitation": member.invitation,
    }


def _show_invitation(call: Call, member: Membership) -> Json:
    organization = member.organization
    return {
        "key": member.invitation,
        "created_date": stamp(member.joined),
        "owner": brief(call, member.inviter),
        "role": member.role,
        "user": brief(call, member.user),
        "organization": organization.id,
        "expired": None,
        "accepted": True,
        "organization_info": {"id": organization.id, "slug": organization.slug},
    }


_ORGANIZATIONS = Listing(
    _show,
    {"id": lambda each: each.id, "slug": lambda each: each.slug, "name": lambda each: each.name, "owner": lambda each: each.owner.username},
    plain=frozenset({"slug", "name", "owner"}),
    search=("name", "owner", "slug"),
)
_MEMBER_TERMS = {"id": lambda each: each.id, "role": lambda each: each.role, "user": lambda each: each.user.username}  # pyright: ignore[reportUnknownLambdaType]
_MEMBERS: Listing[Membership] = Listing(_show_member, _MEMBER_TERMS, plain=frozenset({"role", "user"}), search=("user", "role"))
_INVITATIONS: Listing[Membership] = Listing(_show_invitation, _MEMBER_TERMS, search=("user",))


def _belongs(call: Call, organization: Organization) -> bool:
    members = call.state.memberships.values()
    return call.user.is_superuser or any(each.user is call.user and each.organization is organization for each in members)


def _find(call: Call, *, manage: bool = False) -> Organization:
    organization = call.state.organizations.get(call.id)
    if organization is None or not _belongs(call, organization):
        raise not_found("Organization")
    if manage and not (call.user.is_superuser or organization.owner is call.user):
        raise forbidden()
    return organization


def _list(call: Call) -> Answer:
    return page(call, [each for each in call.state.organizations.values() if _belongs(call, each)], _ORGANIZATIONS)


def _create(call: Call) -> Answer:
    body, complaints = json_body(call), Complaints()
    check_text(body, "slug", complaints, longest=16)
    if any(each.slug == body.get("slug") for each in call.state.organizations.values()):
        complaints.add("slug", "organization with this slug already exists.")
    complaints.raise_any()
    now = call.state.now()
    organization = Organization(
        id=call.state.new_id("organization"),
        slug=body["slug"],
        name=body.get("name") or body["slug"],
        description=body.get("description", ""),
        contact=body.get("contact", {}),
        owner=call.user,
        created=now,
        updated=now,
    )
    call.state.organizations[organization.id] = organization
    _join(call, organization, body={"role": "owner"})
    return Answer(201, _show(call, organization))


def _join(call: Call, organization: Organization, body: Json) -> Membership:
    """Add a member: the one whom an invitation names, or the caller."""
    user = next((each for each in call.state.users.values() if each.email == body.get("email")), None if "email" in body else call.user)
    if user is None:
        raise bad_request({"email": ["This server sends no e-mails; invite somebody who has an account on it."]})
    invited = "email" in body
    member = Membership(
        id=call.state.new_id("membership"),
        user=user,
        organization=organization,
        role=body["role"],
        joined=call.state.now(),
        invitation=secrets.token_hex(20) if invited else None,
        inviter=call.user if invited else None,
    )
    call.state.memberships[member.id] = member
    return member


def _get(call: Call) -> Answer:
    return Answer(json=_show(call, _find(call)))


def _patch(call: Call) -> Answer:
    organization, body = _find(call, manage=True), json_body(call)
    for name in ("name", "description", "contact"):
        setattr(organization, name, body.get(name, getattr(organization, name)))
    organization.updated = call.state.now()
    return Answer(json=_show(call, organization))


def _delete(call: Call) -> Answer:
    organization, state = _find(call, manage=True), call.state
    # What belonged to it stays with its owners.
    for thing in (*state.projects.values(), *state.tasks.values()):
        thing.organization = None if thing.organization is organization else thing.organization
    state.memberships = {number: each for number, each in state.memberships.items() if each.organization is not organization}
    del state.organizations[organization.id]
    return Answer(204)


def _members(call: Call) -> list[Membership]:
    seen = [each for each in call.state.memberships.values() if _belongs(call, each.organization)]
    return [each for each in seen if call.organization is None or each.organization is call.organization]


def _list_members(call: Call) -> Answer:
    return page(call, _members(call), _MEMBERS)


def _list_invitations(call: Call) -> Answer:
    return page(call, [each for each in _members(call) if each.invitation], _INVITATIONS)


def _invite(call: Call) -> Answer:
    body, complaints = json_body(call), Complaints()
    for name in ("email", "role"):
        if name not in body:
            complaints.add(name, REQUIRED)
    check_choice(body, "role", _ROLES, complaints)
    complaints.raise_any()
    if call.organization is None:
        raise bad_request(["An invitation is for an organization: name it with org= or X-Organization"])
    return Answer(201, _show_invitation(call, _join(call, call.organization, body)))


def _remove_member(call: Call) -> Answer:
    member = next((each for each in _members(call) if each.id == call.id), None)
    if member is None:
        raise not_found("Membership")
    del call.state.memberships[member.id]
    return Answer(204)


ROUTES = (
    Route("organizations", {"GET": _list, "POST": _create}),
    Route("organizations/{id}", {"GET": _get, "PATCH": _patch, "DELETE": _delete}),
    Route("memberships", {"GET": _list_members}),
    Route("memberships/{id}", {"DELETE": _remove_member}),
    Route("invitations", {"GET": _list_invitations, "POST": _invite}),
)
