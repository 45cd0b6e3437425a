"""`python -m burnish.testing.cvat`: run the test server until Ctrl-C."""

from __future__ import annotations

import argparse
import secrets
import sys
import threading

from burnish.errors import BurnishError
from burnish.testing.cvat.server import cvat_server


def main() -> int:
    """Start the server, say where it is and who may log in, and wait."""
    parser = argparse.ArgumentParser(
        prog="python -m burnish.testing.cvat", description="A CVAT server for tests, on this machine only, in memory."
    )
    parser.add_argument("--port", type=int, default=8080, help="where it listens on 127.0.0.1; 0 takes a free port (default: 8080)")
    parser.add_argument("--user", default="admin", help="the administrator's name (default: admin)")
    parser.add_argument("--password", help="the administrator's password; by default a random one, which is printed")
    parser.add_argument(
        "--polls", type=int, default=1, help="how often background work says that it has started before it is done (default: 1)"
    )
    choices = parser.parse_args()
    password = choices.password or secrets.token_urlsafe(12)
    try:
        with cvat_server(port=choices.port, users={choices.user: password}, polls=choices.polls) as server:
            for account in server.users.values():
                shown = "as given" if choices.password else account.password
                sys.stdout.write(
                    f"CVAT for tests at {server.url}, user {account.name}, password {shown}. Ctrl-C ends it; nothing is kept.\n"
                )
            sys.stdout.flush()
            threading.Event().wait()
    except KeyboardInterrupt:
        return 0
    except BurnishError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
