"""Users as the API shows them: in full, and in brief as owners and assignees."""

from __future__ import annotations

from typing import TYPE_CHECKING

from burnish.testing.cvat.answers import Answer, not_found, server_error
from burnish.testing.cvat.paging import Listing, page
from burnish.testing.cvat.routing import Route
from burnish.testing.cvat.state import stamp

if TYPE_CHECKING:
    from burnish.testing.cvat.calls import Call, Json
    from burnish.testing.cvat.records import User


def brief(call: Call, user: User | None) -> Json | None:
    """A user as an owner or an assignee."""
    if user is None:
        return None
    names = {"username": user.username, "first_name": user.first_name, "last_name": user.last_name}
    return {"url": call.url(f"users/{user.id}"), "id": user.id, **names}


def show(call: Call, user: User) -> Json:
    """A user in full, for themselves and for administrators."""
    return {
        **(brief(call, user) or {}),
        "email": user.email,
        "groups": ["admin" if user.is_superuser else "user"],
        "is_staff": user.is_superuser,
        "is_superuser": user.is_superuser,
        "is_active": True,
        "last_login": stamp(user.last_login),
        "date_joined": stamp(user.joined),
        "has_analytics_access": user.is_superuser,
    }


def may_see(call: Call, user: User) -> bool:
    """Ordinary users see themselves and those with whom they share an organization."""
    if call.user.is_superuser or user is call.user:
        return True
    groups = [{each.organization.id for each in call.state.memberships.values() if each.user is who} for who in (user, call.user)]
    return bool(groups[0] & groups[1])


def find_user(call: Call, number: int | None) -> User | None:
    """The user of this number; None for no number.

    Raises:
        RefusalError: 500, as CVAT answers, if there is no such user.
    """
    if number is not None and number not in call.state.users:
        raise server_error()
    return None if number is None else call.state.users[number]


def _show_as_allowed(call: Call, user: User) -> Json:
    return show(call, user) if call.user.is_superuser or user is call.user else brief(call, user) or {}


_USERS = Listing(
    _show_as_allowed,
    {
        "id": lambda user: user.id,
        "username": lambda user: user.username,
        "first_name": lambda user: user.first_name,
        "last_name": lambda user: user.last_name,
        "is_active": lambda _: True,
    },
    plain=frozenset({"first_name", "last_name", "is_active", "username"}),
    search=("username", "first_name", "last_name"),
)


def _list(call: Call) -> Answer:
    return page(call, [user for user in call.state.users.values() if may_see(call, user)], _USERS)


def _myself(call: Call) -> Answer:
    return Answer(json=show(call, call.user))


def _get(call: Call) -> Answer:
    user = call.state.users.get(call.id)
    if user is None or not may_see(call, user):
        raise not_found("User")
    return Answer(json=_show_as_allowed(call, user))


ROUTES = (Route("users", {"GET": _list}), Route("users/self", {"GET": _myself}), Route("users/{id}", {"GET": _get}))
