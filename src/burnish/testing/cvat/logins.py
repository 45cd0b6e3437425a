"""Logging in and out, signing up, and personal access tokens."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from burnish.testing.cvat.answers import Answer, bad_request, forbidden, not_found
from burnish.testing.cvat.authentication import user_with_password
from burnish.testing.cvat.calls import json_body
from burnish.testing.cvat.fields import Complaints, as_bool, check_text
from burnish.testing.cvat.paging import Listing, page
from burnish.testing.cvat.records import AccessToken, Session, User
from burnish.testing.cvat.routing import Route
from burnish.testing.cvat.state import stamp
from burnish.testing.cvat.users import brief

if TYPE_CHECKING:
    from burnish.testing.cvat.calls import Call, Json
    from burnish.testing.cvat.state import State

_SHORTEST_NAME = 5
_SHORTEST_PASSWORD = 8


def new_user(
    state: State, username: str, password: str, *, email: str = "", first_name: str = "", last_name: str = "", is_superuser: bool = False
) -> User:
    """Add somebody who may log in."""
    user = User(
        id=state.new_id("user"),
        username=username,
        email=email or f"{username}@cvat.local",
        password=password,
        first_name=first_name,
        last_name=last_name,
        is_superuser=is_superuser,
        joined=state.now(),
    )
    state.users[user.id] = user
    return user


def give_key(state: State, user: User) -> str:
    """The user's login key; it stays the same until a logout."""
    user.last_login = state.now()
    user.key = user.key or secrets.token_hex(20)
    return user.key


def _login(call: Call) -> Answer:
    body = json_body(call)
    name = str(body.get("username") or body.get("email") or "")
    user = user_with_password(call.state, name, str(body.get("password", "")))
    if user is None:
        raise bad_request({"non_field_errors": ["Unable to log in with provided credentials."]})
    return Answer(json={"key": give_key(call.state, user)}, cookies=_session(call.state, user))


def _session(state: State, user: User) -> dict[str, str]:
    name, csrf = secrets.token_hex(16), secrets.token_hex(16)
    state.sessions[name] = Session(user=user, csrf=csrf)
    return {"csrftoken": csrf, "sessionfresh": "1", "sessionid": name}


def _logout(call: Call) -> Answer:
    call.user.key = None
    for name in [name for name, session in call.state.sessions.items() if session.user is call.user]:
        del call.state.sessions[name]
    return Answer(json={"detail": "Successfully logged out."})


def _register(call: Call) -> Answer:
    body, complaints = json_body(call), Complaints()
    check_text(body, "username", complaints, shortest=_SHORTEST_NAME)
    check_text(body, "email", complaints)
    check_text(body, "password1", complaints, shortest=_SHORTEST_PASSWORD)
    check_text(body, "password2", complaints, shortest=_SHORTEST_PASSWORD)
    if any(user.username == body.get("username") for user in call.state.users.values()):
        complaints.add("username", "A user with that username already exists.")
    complaints.raise_any()
    if body["password1"] != body["password2"]:
        raise bad_request({"non_field_errors": ["The two password fields didn't match."]})
    first, last = (str(body.get(name, "")) for name in ("first_name", "last_name"))
    user = new_user(call.state, body["username"], body["password1"], email=body["email"], first_name=first, last_name=last)
    shown = {"username": user.username, "email": user.email, "first_name": first, "last_name": last, "email_verification_required": False}
    return Answer(201, {**shown, "key": give_key(call.state, user)}, cookies=_session(call.state, user))


def _show_token(_: Call, token: AccessToken) -> Json:
    return {
        "id": token.id,
        "name": token.name,
        "created_date": stamp(token.created),
        "updated_date": stamp(token.updated),
        "expiry_date": token.expiry_date,
        "last_used_date": stamp(token.last_used),
        "read_only": token.read_only,
        "owner": brief(_, token.owner),
    }


_TOKENS = Listing(_show_token, {"id": lambda token: token.id, "name": lambda token: token.name}, search=("name",))


def _mine(call: Call) -> dict[int, AccessToken]:
    return {number: token for number, token in call.state.tokens.items() if token.owner is call.user}


def _my_token(call: Call) -> AccessToken:
    if (token := _mine(call).get(call.id)) is None:
        raise not_found("AccessToken")
    return token


def _list_tokens(call: Call) -> Answer:
    return page(call, list(_mine(call).values()), _TOKENS)


def _create_token(call: Call) -> Answer:
    if call.token is not None:
        raise forbidden()
    body, complaints = json_body(call), Complaints()
    check_text(body, "name", complaints)
    complaints.raise_any()
    now = call.state.now()
    token = AccessToken(
        id=call.state.new_id("token"),
        name=body["name"],
        value=secrets.token_urlsafe(32),
        read_only=as_bool(body.get("read_only")),
        owner=call.user,
        created=now,
        updated=now,
        expiry_date=body.get("expiry_date"),
    )
    call.state.tokens[token.id] = token
    return Answer(201, {**_show_token(call, token), "value": token.value})


def _get_token(call: Call) -> Answer:
    return Answer(json=_show_token(call, _my_token(call)))


def _used_token(call: Call) -> Answer:
    if call.token is None:
        raise not_found("AccessToken")
    return Answer(json=_show_token(call, call.token))


def _change_token(call: Call) -> Answer:
    token, body = _my_token(call), json_body(call)
    token.name = body.get("name", token.name)
    token.read_only = as_bool(body.get("read_only"), default=token.read_only)
    token.expiry_date = body.get("expiry_date", token.expiry_date)
    token.updated = call.state.now()
    return Answer(json=_show_token(call, token))


def _revoke_token(call: Call) -> Answer:
    del call.state.tokens[_my_token(call).id]
    return Answer(204)


ROUTES = (
    Route("auth/login", {"POST": _login}, is_open=True),
    Route("auth/register", {"POST": _register}, is_open=True),
    Route("auth/logout", {"POST": _logout}),
    Route("auth/access_tokens", {"GET": _list_tokens, "POST": _create_token}),
    Route("auth/access_tokens/self", {"GET": _used_token}),
    Route("auth/access_tokens/{id}", {"GET": _get_token, "PATCH": _change_token, "DELETE": _revoke_token}),
)
