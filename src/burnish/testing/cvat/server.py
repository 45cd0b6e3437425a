"""The server itself: started on loopback in a thread, for as long as a `with` block lasts."""

from __future__ import annotations

import secrets
import socket
import tempfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

from burnish.errors import ServiceError, extra
from burnish.testing.cvat.logins import give_key, new_user
from burnish.testing.cvat.state import State

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    import uvicorn

_PATIENCE: Final = 10.0
"""Seconds until a server that has not started is given up."""
_STEP: Final = 0.005


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may log in.

    Attributes:
        id: The user's number.
        name: For logging in.
        password: Likewise.
        token: What a login gives, for `Authorization: Token ...`.
    """

    id: int
    name: str
    password: str = field(repr=False)
    token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Server:
    """A running server.

    Attributes:
        url: Where it is reached, for instance http://127.0.0.1:43127.
        users: The accounts that it was started with, by name.
        state: Everything that it knows; read it in tests, and change it under `state.lock`.
    """

    url: str
    users: Mapping[str, Account]
    state: State = field(repr=False)

    def advance(self, seconds: float) -> None:
        """Set the server's clock forward, past a throttle or an expiry."""
        self.state.ahead += timedelta(seconds=seconds)


@contextmanager
def cvat_server(
    *,
    port: int = 0,
    users: Mapping[str, str] | None = None,
    folder: Path | str | None = None,
    polls: int = 1,
    first_id: int = 1,
    version: str = "2.73.0",
) -> Generator[Server]:
    """Run a CVAT server for tests on 127.0.0.1.

    Args:
        port: 0 takes a free one.
        users: Passwords by name; the first is an administrator. By default `admin` with a random password.
        folder: Where uploaded and exported files lie; by default a temporary folder that is removed at the end.
        polls: How often a background request says that it has started before it is done.
        first_id: The number of the first object of each kind.
        version: What the server says that it is.

    Yields:
        Its address, its accounts and its state.

    Raises:
        MissingExtra: starlette or uvicorn are not installed.
        ServiceError: The port is taken, or the server did not start.
    """
    with tempfile.TemporaryDirectory(prefix="burnish-cvat-", ignore_cleanup_errors=True) as temporary:
        state = State(folder=Path(folder or temporary), version=version, first_id=first_id, polls=polls)
        accounts = _accounts(state, users or {"admin": secrets.token_urlsafe(12)})
        with _serving(state, port) as url:
            yield Server(url, accounts, state)


def _accounts(state: State, users: Mapping[str, str]) -> dict[str, Account]:
    accounts: dict[str, Account] = {}
    for place, (name, password) in enumerate(users.items()):
        user = new_user(state, name, password, is_superuser=place == 0)
        accounts[name] = Account(user.id, name, password, give_key(state, user))
    return accounts


@contextmanager
def _serving(state: State, port: int) -> Generator[str]:
    with extra("cvat"):
        import uvicorn  # noqa: PLC0415 - only who starts a server needs it

        from burnish.testing.cvat.app import application  # noqa: PLC0415 - likewise, it needs starlette
    listener = _listening(port)
    config = uvicorn.Config(application(state), log_level="error", lifespan="off", access_log=False, timeout_graceful_shutdown=2)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="burnish-cvat", daemon=True)
    thread.start()
    try:
        _wait(server, thread)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(_PATIENCE)
        listener.close()


def _listening(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
    except OSError as error:
        listener.close()
        raise ServiceError(
            f"Port {port} on 127.0.0.1 cannot be used ({error.strerror}); choose another one, or 0 for any free one."
        ) from error
    return listener


def _wait(server: uvicorn.Server, thread: threading.Thread) -> None:
    waited = threading.Event()
    for _ in range(int(_PATIENCE / _STEP)):
        if server.started:
            return
        if not thread.is_alive():
            break
        waited.wait(_STEP)
    raise ServiceError("The CVAT test server did not start; start it with `python -m burnish.testing.cvat` to see why.")
