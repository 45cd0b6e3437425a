"""Addresses of what lies on a CVAT server, as the browser shows them: read and written."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import parse_qs, quote, urlsplit

from burnish.errors import ConfigError

_SHAPE: Final = re.compile(
    r"(?:/(?:(?P<kind>projects|tasks|jobs)(?:/(?P<id>\d+)(?:/jobs/(?P<job>\d+))?)?)?)?/?(?:(?:api|auth/login|projects/create|tasks/create)/?)?"
)


@dataclass(frozen=True, slots=True)
class Address:
    """A place on a server: the server itself, a project, a task or a job.

    Attributes:
        host: For instance https://app.cvat.ai, without a closing slash.
        project: Number of the project, where one is named.
        task: Number of the task, where one is named.
        job: Number of the job, where one is named.
        organization: Short name of the organisation (`?org=`); None takes the user's own workspace and what is shared with them.
    """

    host: str
    project: int | None = None
    task: int | None = None
    job: int | None = None
    organization: str | None = None

    @property
    def server(self) -> Address:
        """The server that it lies on."""
        return Address(self.host, organization=self.organization)

    def __str__(self) -> str:
        place = "" if self.project is None else f"/projects/{self.project}"
        if self.task is not None:
            place = f"/tasks/{self.task}"
        if self.job is not None:
            place = f"/tasks/{self.task}/jobs/{self.job}" if self.task is not None else f"/jobs/{self.job}"
        return self.host + place + (f"?org={quote(self.organization)}" if self.organization else "")


def parse_address(text: str) -> Address:
    """Read an address such as `https://host/tasks/12/jobs/34?frame=5`.

    Without `https://` the server is reached over https, on this machine over http.

    Raises:
        ConfigError: It is none, or carries a user and password, which belong into the environment.
    """
    text = text.strip()
    parts = urlsplit(text if "://" in text else _with_scheme(text))
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ConfigError(f"'{text}' is no address of a CVAT server; expected for instance https://app.cvat.ai/tasks/12.")
    if parts.username or parts.password:
        raise ConfigError("The address holds a user or password; set CVAT_USERNAME and CVAT_PASSWORD, or CVAT_TOKEN, instead.")
    found = _SHAPE.fullmatch(parts.path)
    if found is None:
        raise ConfigError(
            f"'{parts.path}' is no place on a CVAT server; expected /projects/1, /tasks/12, /tasks/12/jobs/34 or nothing "
            f"after {parts.netloc}."
        )
    address = Address(f"{parts.scheme}://{parts.netloc}", organization=next(iter(parse_qs(parts.query).get("org", ())), None))
    number = int(found["id"]) if found["id"] else None
    if found["kind"] == "tasks":
        return replace(address, task=number, job=int(found["job"]) if found["job"] else None)
    return replace(address, project=number) if found["kind"] == "projects" else replace(address, job=number)


def _with_scheme(text: str) -> str:
    name = text.partition("/")[0].partition(":")[0]
    return ("http://" if name in {"localhost", "127.0.0.1"} else "https://") + text
