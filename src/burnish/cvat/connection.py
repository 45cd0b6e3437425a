"""Requests to a CVAT server: logged in, tried again where that is safe, answers in our own words.

The low-level client of cvat-sdk carries the requests. Its models are not used: they refuse answers of other versions of the server, and
lose fields that they do not know.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Final

from burnish.cvat.addresses import Address, parse_address
from burnish.cvat.login import Login, find_login
from burnish.cvat.refusals import refusal
from burnish.engine.retry import retried
from burnish.errors import ServiceError, extra

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    import urllib3

Json = dict[str, Any]

_TIMEOUT_S: Final = (10.0, 120.0)
_SAFE: Final = ("GET", "HEAD")
_BUSY: Final = (429, 502, 503, 504)
_TRIES: Final = 5
_PAGE: Final = 500


class LostConnection(ServiceError):  # noqa: N818 - it names what happened
    """No answer came; whether the server did what it was asked is not known."""


class Busy(ServiceError):  # noqa: N818 - likewise
    """The server asks to come again later; it did nothing."""

    def __init__(self, message: str, *, status: int, wait_s: float | None) -> None:
        super().__init__(message, status=status)
        self.wait_s = wait_s


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    content: bytes

    def json(self) -> Any:
        """The body as JSON; nothing for an empty one."""
        return json.loads(self.content) if self.content else None


@dataclass(frozen=True, slots=True)
class Connection:
    """A server and who asks.

    Attributes:
        address: The server, with the organisation.
        headers: Sent with every request; they hold the secret, so they are not shown.
        version: What the server says that it is.
        client: The carrier.
        sleep: How to wait.
    """

    address: Address
    headers: Mapping[str, str] = field(repr=False)
    version: str
    client: Any = field(repr=False)
    sleep: Callable[[float], None] = field(default=time.sleep, repr=False)

    def get(self, path: str, **query: Any) -> Any:
        """A JSON answer; tried again when the connection is lost or the server is busy."""
        return self.request("GET", path, query=query).json()

    def post(self, path: str, body: Any = None, **query: Any) -> Any:
        """Create something; not tried again when the connection is lost, because it may have been created."""
        return self.request("POST", path, query=query, body=body).json()

    def patch(self, path: str, body: Any, **query: Any) -> Any:
        """Change something; not tried again when the connection is lost."""
        return self.request("PATCH", path, query=query, body=body).json()

    def delete(self, path: str) -> None:
        """Delete something."""
        self.request("DELETE", path)

    def pages(self, path: str, **query: Any) -> Iterator[Json]:
        """Everything of a list, page after page, oldest first."""
        number, seen = 1, 0
        while True:
            page = self.get(path, **{"sort": "id", "page_size": _PAGE, **query, "page": number})
            yield from page["results"]
            seen += len(page["results"])
            if not page.get("next") or not page["results"]:
                return
            number += 1

    def request(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        fields: Sequence[tuple[str, Any]] | None = None,
    ) -> Answer:
        """Send one request and read the whole answer.

        Args:
            method: Of HTTP.
            path: Below /api/, or a whole address that the server gave.
            query: Parameters; those that are None are left out.
            body: JSON, or bytes where `headers` tell their type.
            headers: Further headers.
            fields: Parts of a form, in place of a body.

        Raises:
            ServiceError: The server refused (`status`), or did not answer (`LostConnection`).
        """

        def once() -> Answer:
            found = self.open(method, path, query=query, body=body, headers=headers, fields=fields, preload=True)
            return Answer(found.status, found.headers, found.data or b"")

        again = (Busy, LostConnection) if method in _SAFE else (Busy,)
        return self._patiently(once, again)

    def open(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        fields: Sequence[tuple[str, Any]] | None = None,
        preload: bool = False,
    ) -> urllib3.BaseHTTPResponse:
        """Send one request once; the answer's body is not read yet unless `preload`.

        Raises:
            ServiceError: As `request`.
        """
        import urllib3  # noqa: PLC0415 - comes with the extra

        url = f"{self.address.host}/api/{_below_api(path)}"
        pairs = [(name, _text(value)) for name, value in (query or {}).items() if value is not None]
        sent = {**self.headers, **(headers or {})}
        if fields is not None:
            sent["Content-Type"] = "multipart/form-data"
        try:
            found: urllib3.BaseHTTPResponse = self.client.rest_client.request(
                method,
                url,
                query_params=pairs or None,
                headers=sent,
                body=body,
                post_params=fields,
                _parse_response=preload,
                _request_timeout=_TIMEOUT_S,
                _check_status=False,
            )
            return self._checked(found, method, path)
        except urllib3.exceptions.HTTPError as error:
            raise LostConnection(_lost_text(self.address.host, error)) from error

    def _checked(self, found: urllib3.BaseHTTPResponse, method: str, path: str) -> urllib3.BaseHTTPResponse:
        if found.status < 400:  # noqa: PLR2004 - where refusals begin
            return found
        message = refusal(found.status, found.data or b"", method=method, path=path, host=self.address.host)
        if found.status in _BUSY:
            wait = found.headers.get("Retry-After", "")
            raise Busy(message, status=found.status, wait_s=float(wait) if wait.isdigit() else _told_wait(found.data))
        raise ServiceError(message, status=found.status)

    def _patiently(self, once: Callable[[], Answer], again: tuple[type[ServiceError], ...]) -> Answer:
        """Try again, and wait at least as long as the server asked for."""
        asked: list[float] = []

        def attempt() -> Answer:
            asked.clear()
            try:
                return once()
            except Busy as error:
                asked.append(error.wait_s or 0.0)
                raise

        return retried(attempt, on=again, tries=_TRIES, sleep=lambda pause: self.sleep(max([pause, *asked])))


def connect(
    address: Address | str, *, login: Login | None = None, organization: str | None = None, sleep: Callable[[float], None] = time.sleep
) -> Connection:
    """Connect to a server and log in.

    Args:
        address: The server, or any place on it.
        login: Who asks; by default as `find_login` finds it.
        organization: Short name of an organisation; counts more than that of the address.
        sleep: How to wait between tries.

    Raises:
        MissingExtra: cvat-sdk is not installed.
        ServiceError: The server cannot be reached, is no CVAT or too old, or does not know the user.
    """
    with extra("cvat"):
        import urllib3  # noqa: PLC0415 - heavy, and only needed with a server
        from cvat_sdk.api_client import ApiClient, Configuration  # noqa: PLC0415 - likewise
    place = parse_address(address) if isinstance(address, str) else address
    place = replace(place.server, organization=organization or place.organization)
    configuration = Configuration(host=place.host)
    configuration.retries = urllib3.Retry(total=3, connect=0, read=0, other=0)  # pyright: ignore[reportAttributeAccessIssue]
    headers = {"User-Agent": "burnish"} | ({"X-Organization": place.organization} if place.organization else {})
    found = Connection(place, headers, "", ApiClient(configuration), sleep)
    found = replace(found, version=_checked_version(found))
    return _logged_in(found, login or find_login())


def _checked_version(connection: Connection) -> str:
    from burnish.cvat.versions import check_version  # noqa: PLC0415 - it asks the SDK what it is

    try:
        about = connection.get("server/about")
        version = str(about["version"])
    except (ValueError, TypeError, KeyError) as error:
        raise ServiceError(f"What answers at {connection.address.host} is no CVAT server; check the address in the browser.") from error
    check_version(version, connection.address.host)
    return version


def _logged_in(connection: Connection, login: Login) -> Connection:
    header = login.header()
    if not login.token:
        body = {"username": login.user, "password": login.password}
        try:
            header = f"Token {connection.post('auth/login', body)['key']}"
        except ServiceError as error:
            if error.status not in (400, 401, 403):
                raise
            raise ServiceError(
                f"{connection.address.host} does not know the user '{login.user}' with this password.", status=error.status
            ) from None
    known = replace(connection, headers={**connection.headers, "Authorization": header})
    known.get("users/self")
    return known


def _below_api(place: str) -> str:
    """The server's address as we reach it: behind a proxy it may know itself by another name, and other hosts never see the login."""
    return place.partition("/api/")[2] if "://" in place or place.startswith("/api/") else place


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _told_wait(content: bytes) -> float | None:
    """CVAT says in words how many seconds its throttle lasts."""
    words = content.decode(errors="replace").split()
    return next((float(word) for word, unit in pairwise(words) if word.isdigit() and unit.startswith("second")), None)


def _lost_text(host: str, error: Exception) -> str:
    return (
        f"{host} does not answer ({_innermost(error)}). Check the address and the network, then run the same command again; it continues."
    )


def _innermost(error: BaseException) -> str:
    """What the system said, without the wrappings of those that passed it on."""
    while (inner := getattr(error, "reason", None) or error.__cause__ or error.__context__) and isinstance(inner, BaseException):
        error = inner
    return (getattr(error, "strerror", None) or str(error) or type(error).__name__).rstrip(".")
