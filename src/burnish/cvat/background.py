"""Work that the server does in the background: asked for, waited for, and its failures told."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from burnish.cvat.connection import LostConnection
from burnish.engine.progress import Progress, silent
from burnish.errors import ServiceError

if TYPE_CHECKING:
    from burnish.cvat.connection import Connection

Json = dict[str, Any]

_FIRST_WAIT_S: Final = 0.05
_LONGEST_WAIT_S: Final = 5.0
_TRIES: Final = 3
_CONFLICT: Final = 409


def run_background(connection: Connection, path: str, *, label: str, progress: Progress = silent, **query: Any) -> Json:
    """Ask for background work and wait until it is done.

    Where the same work is running already (409), that is waited for, and then it is asked for anew: what ran before may not have seen
    the latest changes.

    Returns:
        The finished request, with `result_url` or `result_id`.

    Raises:
        ServiceError: The work failed; the server's reason is told.
    """
    for _ in range(_TRIES):
        try:
            asked = _ask(connection, path, query)
        except ServiceError as error:
            if error.status != _CONFLICT:
                raise
            _wait_for_other(connection, path, label)
            continue
        return wait_for(connection, asked["rq_id"], label=label, progress=progress)
    raise ServiceError(f"{label}: the server is doing the same for somebody else, again and again. Try later.", status=_CONFLICT)


def wait_for(connection: Connection, request: str, *, label: str, progress: Progress = silent) -> Json:
    """Wait until a background request is finished; an interruption cancels it.

    Raises:
        ServiceError: It failed or is gone.
    """
    wait, done = _FIRST_WAIT_S, 0
    with progress.task(label, 100) as advance:
        try:
            while True:
                found: Json = connection.get(_path(request))
                if found["status"] == "finished":
                    advance(100 - done)
                    return found
                if found["status"] == "failed":
                    raise ServiceError(f"{label}: the server began and then failed: {_reason(found)}.")
                now = int(100 * float(found.get("progress") or 0))
                advance(max(now - done, 0))
                done = max(now, done)
                connection.sleep(wait)
                wait = min(wait * 1.5, _LONGEST_WAIT_S)
        except KeyboardInterrupt:
            with suppress(ServiceError):
                connection.post(f"{_path(request)}/cancel")
            raise


def _ask(connection: Connection, path: str, query: Json) -> Json:
    """Exports may be asked for twice without harm, so a lost answer is asked for again."""
    try:
        return connection.post(path, **query)
    except LostConnection:
        return connection.post(path, **query)


def _wait_for_other(connection: Connection, path: str, label: str) -> None:
    noun, number, subresource, *_ = path.split("/")
    wanted = "backup" if subresource == "backup" else "annotations"
    open_ones = [found for found in connection.pages("requests", sort="-created_date") if found["status"] in {"queued", "started"}]
    for found in open_ones:
        operation = found["operation"]
        if operation.get(f"{noun.rstrip('s')}_id") == int(number) and (wanted in operation["type"] or "dataset" in operation["type"]):
            with suppress(ServiceError):
                wait_for(connection, found["id"], label=label)
            return
    connection.sleep(1.0)


def _path(request: str) -> str:
    return f"requests/{quote(request, safe='~')}"


def _reason(found: Json) -> str:
    lines = [line for line in str(found.get("message") or "").splitlines() if line.strip()]
    return lines[-1].strip().rstrip(".") if lines else "it gives no reason"
