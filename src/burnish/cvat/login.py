"""Who asks: a token, or a user with a password; from the caller, the environment or a prompt, and never shown."""

from __future__ import annotations

import getpass
import os
import re
import sys
from dataclasses import dataclass, field
from typing import Final

from burnish.errors import ConfigError

_SESSION_KEY: Final = re.compile(r"[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class Login:
    """A token, or a user and password; neither is part of its text.

    Attributes:
        token: A personal access token, or the key that an earlier login gave.
        user: Name to log in with, where there is no token.
        password: Likewise.
    """

    token: str = field(default="", repr=False)
    user: str = ""
    password: str = field(default="", repr=False)

    def header(self) -> str:
        """The value of the header Authorization that a token becomes; keys of a login are 40 hexadecimal digits."""
        return f"{'Token' if _SESSION_KEY.fullmatch(self.token) else 'Bearer'} {self.token}"


def find_login() -> Login:
    """The login of the environment: CVAT_TOKEN, or CVAT_USERNAME and CVAT_PASSWORD; what is missing is asked for at a terminal.

    Raises:
        ConfigError: There is none, and nobody to ask.
    """
    token = os.environ.get("CVAT_TOKEN") or os.environ.get("CVAT_ACCESS_TOKEN") or ""
    if token:
        return Login(token=token.strip())
    user, password = os.environ.get("CVAT_USERNAME", ""), os.environ.get("CVAT_PASSWORD", "")
    if user and password:
        return Login(user=user, password=password)
    if not (sys.stdin and sys.stdin.isatty()):
        raise ConfigError(
            "Nobody is logged in. Set CVAT_TOKEN (made in CVAT under Profile, Security), or CVAT_USERNAME and CVAT_PASSWORD, and run again."
        )
    sys.stderr.write("User of the CVAT server: " if not user else "")
    sys.stderr.flush()
    user = user or sys.stdin.readline().strip()
    return Login(user=user, password=password or getpass.getpass(f"Password of {user}: ", stream=sys.stderr))
