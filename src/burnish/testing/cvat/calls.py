"""One request as a handler sees it, and reading its body."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from burnish.testing.cvat.answers import Answer, RefusalError, bad_request

if TYPE_CHECKING:
    from collections.abc import Mapping

    from burnish.testing.cvat.records import AccessToken, Organization, User
    from burnish.testing.cvat.state import State

Json = dict[str, Any]


class UploadedFile(NamedTuple):
    """A file of a multipart body."""

    field: str
    filename: str
    content: bytes


class Form(NamedTuple):
    """A multipart body: plain fields and files, both in the order sent."""

    fields: dict[str, list[str]]
    files: list[UploadedFile]


@dataclass(slots=True)
class Call:
    """A request with everything that its answer depends on."""

    state: State
    method: str
    path: str
    base: str
    """Where this server is reached, for instance http://127.0.0.1:8080."""
    query: list[tuple[str, str]]
    headers: Mapping[str, str]
    cookies: Mapping[str, str]
    client: str
    content: bytes = b""
    form: Form | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    """What the path's placeholders stand for."""
    known_user: User | None = None
    token: AccessToken | None = None
    """The personal access token that was used, where one was."""
    organization: Organization | None = None
    is_personal: bool = False
    """Whether objects without an organization were asked for explicitly."""

    @property
    def user(self) -> User:
        """Who asks; routes that are open to everybody must not ask for it."""
        assert self.known_user is not None, "this route needs no login, so there is no user"
        return self.known_user

    @property
    def id(self) -> int:
        """The number in the path."""
        return int(self.parameters["id"])

    def one(self, name: str, default: str = "") -> str:
        """A query parameter; the last one where it was sent several times."""
        found = [value for key, value in self.query if key == name]
        return found[-1] if found else default

    def has(self, name: str) -> bool:
        """Whether a query parameter was sent."""
        return any(key == name for key, _ in self.query)

    def url(self, path: str) -> str:
        """A path of the API as a whole address."""
        return f"{self.base}/api/{path}"


def json_body(call: Call) -> Json:
    """The body as a JSON object.

    Raises:
        RefusalError: 415 for another type of body, 400 for JSON that cannot be read.
    """
    kind = call.headers.get("content-type", "").partition(";")[0].strip()
    if call.form is not None:
        return {name: values[-1] for name, values in call.form.fields.items()}
    if not call.content:
        return {}
    if kind not in {"application/json", "application/vnd.cvat+json"}:
        raise RefusalError(Answer(415, {"detail": f'Unsupported media type "{kind}" in request.'}))
    try:
        body = json.loads(call.content)
    except json.JSONDecodeError as error:
        raise bad_request({"detail": f"JSON parse error - {error}"}) from error
    if not isinstance(body, dict):
        raise bad_request({"non_field_errors": [f"Invalid data. Expected a dictionary, but got {type(body).__name__}."]})
    return body  # pyright: ignore[reportUnknownVariableType]
