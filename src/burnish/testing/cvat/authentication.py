"""Who is asking: tokens, passwords and sessions, and which organization is meant."""

from __future__ import annotations

import base64
import binascii
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from burnish.testing.cvat.answers import Answer, RefusalError, bad_request, forbidden, unauthorised

if TYPE_CHECKING:
    from burnish.testing.cvat.calls import Call
    from burnish.testing.cvat.records import Organization, User
    from burnish.testing.cvat.state import State

SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_ANONYMOUS_A_MINUTE: Final = 100
_MINUTE: Final = timedelta(minutes=1)


def authenticate(call: Call) -> None:
    """Find out who asks, and note it in the call; nobody is an answer too.

    Raises:
        RefusalError: 401 for credentials that are wrong, 403 for a session without its token against forged requests, or for a
            read-only token that wants to write.
    """
    scheme, _, value = call.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "token":
        call.known_user = _by_key(call.state, value)
    elif scheme.lower() == "bearer":
        _by_access_token(call, value)
    elif scheme.lower() == "basic":
        call.known_user = _by_password(call.state, value)
    elif session := call.state.sessions.get(call.cookies.get("sessionid", "")):
        call.known_user = session.user
        _check_forgery(call, session.csrf)


def require_user(call: Call) -> None:
    """Refuse anonymous requests with 401."""
    if call.known_user is None:
        raise unauthorised("Authentication credentials were not provided.")


def throttle(call: Call) -> None:
    """Count the anonymous requests to what is open to all; refuse with 429 when there are too many in a minute."""
    if call.known_user is not None:
        return
    now = call.state.now()
    recent = [moment for moment in call.state.anonymous_calls if now - moment < _MINUTE]
    call.state.anonymous_calls = recent
    if len(recent) >= _ANONYMOUS_A_MINUTE:
        seconds = max(1, round((recent[0] + _MINUTE - now).total_seconds()))
        answer = Answer(
            429, {"detail": f"Request was throttled. Expected available in {seconds} seconds."}, headers={"Retry-After": str(seconds)}
        )
        raise RefusalError(answer)
    recent.append(now)


def find_organization(call: Call) -> None:
    """Note which organization is meant: by query or by header, by slug or by number; an empty one means personal objects only.

    Raises:
        RefusalError: 400 if it is named in two ways, 404 if there is none.
    """
    by_slug = call.has("org") or "x-organization" in call.headers
    if by_slug and call.has("org_id"):
        words = 'You cannot specify "org_id" query parameter with "org" query parameter or "X-Organization" HTTP header at the same time.'
        raise bad_request([words])
    if not by_slug and not call.has("org_id"):
        return
    wanted = call.one("org_id") or (call.one("org") if call.has("org") else call.headers.get("x-organization", ""))
    call.is_personal = not wanted
    call.organization = _organization(call, wanted) if wanted else None


def _organization(call: Call, wanted: str) -> Organization:
    for organization in call.state.organizations.values():
        if wanted == (str(organization.id) if call.has("org_id") else organization.slug):
            return organization
    raise RefusalError(Answer(404, {"detail": f"{wanted} organization does not exist."}))


def user_with_password(state: State, name: str, password: str) -> User | None:
    """The user of this name, or of this e-mail address, if the password is right."""
    for user in state.users.values():
        if name in {user.username, user.email} and user.password == password:
            return user
    return None


def _by_key(state: State, key: str) -> User:
    for user in state.users.values():
        if user.key is not None and user.key == key:
            return user
    raise unauthorised("Invalid token.")


def _by_access_token(call: Call, value: str) -> None:
    for token in call.state.tokens.values():
        if token.value == value:
            token.last_used = call.state.now()
            call.token, call.known_user = token, token.owner
            if token.read_only and call.method not in SAFE:
                raise forbidden()
            return
    raise unauthorised("Invalid token.")


def _by_password(state: State, encoded: str) -> User:
    try:
        name, _, password = base64.b64decode(encoded, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise unauthorised("Invalid basic header. Credentials not correctly base64 encoded.") from None
    if user := user_with_password(state, name, password):
        return user
    raise unauthorised("Invalid username/password.")


def _check_forgery(call: Call, csrf: str) -> None:
    if call.method in SAFE:
        return
    sent = call.headers.get("x-csrftoken")
    if sent is None:
        raise forbidden("CSRF Failed: CSRF token missing.")
    if sent != csrf:
        raise forbidden("CSRF Failed: CSRF token incorrect.")
