"""The tree of a server: server, projects, tasks, jobs; by place, by name, or by address."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Final, Literal

from burnish.config import nearest
from burnish.cvat.addresses import Address, parse_address
from burnish.cvat.connection import Connection, connect
from burnish.errors import ConfigError

if TYPE_CHECKING:
    from burnish.cvat.login import Login

Kind = Literal["server", "project", "task", "job"]
Json = dict[str, Any]

_BELOW: Final[dict[str, Kind]] = {"server": "project", "project": "task", "task": "job"}


@dataclass(frozen=True, eq=False)
class Node(Mapping[str, "Node"]):
    """A server, project, task or job; a mapping from the names of what lies below it.

    `node[0]` is the first one below, `node["name"]` the one of that name; jobs are named by their frames, for instance `0-99`.

    Attributes:
        connection: The server and who asks.
        kind: What it is.
        about: What the server says of it.
        parent: The node above.
    """

    connection: Connection
    kind: Kind
    about: Mapping[str, Any] = field(repr=False)
    parent: Node | None = field(default=None, repr=False)

    @property
    def id(self) -> int:
        """The server's number; 0 for the server itself."""
        return int(self.about.get("id", 0))

    @property
    def name(self) -> str:
        """The name; of a job its frames, of a server its address."""
        if self.kind == "job":
            return f"{self.about['start_frame']}-{self.about['stop_frame']}"
        return str(self.about.get("name") or self.connection.address.host)

    @property
    def path(self) -> str:
        """The path in the server's API, for instance tasks/12."""
        return f"{self.kind}s/{self.id}" if self.kind != "server" else ""

    @property
    def url(self) -> str:
        """The address in the browser."""
        return str(self.address)

    @property
    def address(self) -> Address:
        """The same in parts."""
        found = self.connection.address.server
        if self.kind == "job":
            return replace(found, task=int(self.about["task_id"]), job=self.id)
        return found if self.kind == "server" else replace(found, **{self.kind: self.id})  # pyright: ignore[reportArgumentType]

    @cached_property
    def below(self) -> tuple[Node, ...]:
        """Projects of the server, tasks of the project, or jobs of the task, oldest first; read once."""
        if self.kind == "job":
            return ()
        kind = _BELOW[self.kind]
        query = {} if self.kind == "server" else {f"{self.kind}_id": self.id}
        return tuple(Node(self.connection, kind, found, self) for found in self.connection.pages(f"{kind}s", **query))

    @cached_property
    def loose_tasks(self) -> tuple[Node, ...]:
        """Of a server: the tasks that are in no project."""
        found = self.connection.pages("tasks") if self.kind == "server" else ()
        return tuple(Node(self.connection, "task", task, self) for task in found if task["project_id"] is None)

    def __getitem__(self, key: str | int) -> Node:
        if isinstance(key, int):
            return self.below[key]
        found = [node for node in (*self.below, *self.loose_tasks) if node.name == key]
        if len(found) == 1:
            return found[0]
        if found:
            listed = ", ".join(f"{node.kind} {node.id}" for node in found)
            raise ConfigError(
                f"'{key}' is the name of {len(found)} things in {self}: {listed}. Name one by its address, for instance {found[0].url}"
            )
        raise ConfigError(f"There is no '{key}' in {self}. {nearest(key, {node.name for node in (*self.below, *self.loose_tasks)})}")

    def __iter__(self) -> Iterator[str]:
        return iter(node.name for node in self.below)

    def __len__(self) -> int:
        return len(self.below)

    def __bool__(self) -> bool:
        return True

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Node) and self.address == other.address

    def __hash__(self) -> int:
        return hash(self.address)

    def values(self) -> tuple[Node, ...]:  # pyright: ignore[reportIncompatibleMethodOverride] - two nodes of one name are both there
        """What lies below; two of one name are both there."""
        return self.below

    def items(self) -> tuple[tuple[str, Node], ...]:  # pyright: ignore[reportIncompatibleMethodOverride] - likewise
        """Names and nodes."""
        return tuple((node.name, node) for node in self.below)

    def __str__(self) -> str:
        return f"{self.kind} '{self.name}' ({self.url})" if self.kind != "server" else f"server {self.url}"

    __repr__ = __str__


def open_server(address: str, *, login: Login | None = None, organization: str | None = None) -> Node:
    """Connect, and find what an address names.

    Args:
        address: For instance https://app.cvat.ai/tasks/12.
        login: Who asks; by default from the environment.
        organization: Short name of an organisation.

    Raises:
        ConfigError: The address is none.
        ServiceError: The server cannot be reached or refuses.
    """
    place = parse_address(address)
    return node_at(connect(place, login=login, organization=organization), place)


def node_at(connection: Connection, place: Address) -> Node:
    """What an address names on a server that is connected to."""
    server = Node(connection, "server", {})
    if place.job is not None:
        job = connection.get(f"jobs/{place.job}")
        if place.task is not None and job["task_id"] != place.task:
            raise ConfigError(f"Job {place.job} belongs to task {job['task_id']}, not {place.task}; check the address.")
        return Node(connection, "job", job, server)
    if place.task is not None:
        return Node(connection, "task", connection.get(f"tasks/{place.task}"), server)
    if place.project is not None:
        return Node(connection, "project", connection.get(f"projects/{place.project}"), server)
    return server


def labels_at(node: Node) -> tuple[Json, ...]:
    """The labels of a project, task or job as the server lists them."""
    return tuple(node.connection.pages("labels", **{f"{node.kind}_id": node.id}))


def tasks_of(node: Node) -> tuple[Node, ...]:
    """The tasks of a server, project, task or job."""
    if node.kind == "server":
        found = node.connection.pages("tasks")
        return tuple(Node(node.connection, "task", task, node) for task in found)
    if node.kind == "project":
        return node.below
    if node.kind == "task":
        return (node,)
    return (Node(node.connection, "task", node.connection.get(f"tasks/{node.about['task_id']}"), None),)


def renamed(node: Node, name: str) -> Node:
    """The project or task under another name."""
    return replace(node, about=node.connection.patch(node.path, {"name": name}))


def assigned(node: Node, user: str | None) -> Node:
    """The project, task or job in the hands of a user (by name), or of nobody.

    Raises:
        ConfigError: There is no such user.
    """
    number = None if user is None else _user(node.connection, user)
    key = "assignee" if node.kind == "job" else "assignee_id"
    return replace(node, about=node.connection.patch(node.path, {key: number}))


def _user(connection: Connection, name: str) -> int:
    found = {each["username"]: each["id"] for each in connection.pages("users", search=name)}
    if name not in found:
        raise ConfigError(f"The server has no user '{name}'. {nearest(name, found) if found else 'No name is near.'}")
    return int(found[name])
