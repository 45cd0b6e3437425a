"""A bad line between client and server: a proxy on loopback that loses requests, answers or connections when it is told to."""

import threading
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit


@dataclass
class Line:
    """A line to a server; `fault` says of each request what happens to it.

    A fault is None (nothing), "lost" (the request never arrives), "unanswered" (it arrives, and its answer is lost), "half" (half of the
    answer comes) or an answer: status, headers and body.
    """

    target: str
    url: str = ""
    fault: Callable[[str, str], object] = lambda _method, _path: None
    seen: list[tuple[str, str]] = field(default_factory=list)


@contextmanager
def line_to(target: str):
    """A line to a server, for as long as the block lasts."""
    line = Line(target)
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(line))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    line.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield line
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def times(number: int, fault: object, *, method: str = "", path: str = "") -> Callable[[str, str], object]:
    """A fault that befalls the first requests of a method whose path holds something."""
    left = [number]

    def decide(asked: str, where: str) -> object:
        if left[0] and asked.startswith(method) and path in where:
            left[0] -= 1
            return fault
        return None

    return decide


_DROPPED = {"transfer-encoding", "connection", "content-length", "date", "server", "host"}


def _handler(line: Line) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True  # each body would wait for the acknowledgement of its headers

        def log_message(self, format, *args):  # noqa: A002 - its name in the library
            """Say nothing."""

        def _pass_on(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            line.seen.append((self.command, self.path))
            fault = line.fault(self.command, self.path)
            answer = fault if isinstance(fault, tuple) else None if fault == "lost" else _ask(line, self, body)
            if answer is None or fault == "unanswered":
                _hang_up(self)
                return
            _answer(self, *answer, cut=fault == "half")

    for method in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"):
        setattr(Handler, f"do_{method}", Handler._pass_on)
    return Handler


def _ask(line: Line, asked: BaseHTTPRequestHandler, body: bytes):
    connection = HTTPConnection(urlsplit(line.target).netloc, timeout=20)
    headers = {name: value for name, value in asked.headers.items() if name.lower() not in _DROPPED}
    try:
        connection.request(asked.command, asked.path, body, headers)
        answer = connection.getresponse()
        return answer.status, dict(answer.headers.items()), answer.read()
    finally:
        connection.close()


def _answer(asked: BaseHTTPRequestHandler, status: int, headers: dict[str, str], content: bytes, *, cut: bool) -> None:
    asked.send_response(status)
    for name, value in headers.items():
        if name.lower() not in _DROPPED:
            asked.send_header(name, value)
    asked.send_header("Content-Length", str(len(content)))
    asked.end_headers()
    asked.wfile.write(content[: len(content) // 2] if cut else content)
    if cut:
        _hang_up(asked)


def _hang_up(asked: BaseHTTPRequestHandler) -> None:
    asked.close_connection = True
    asked.wfile.flush()
    asked.connection.shutdown(2)
