"""Sending a recorded request to this server, with its names, credentials and files."""

from __future__ import annotations

import base64
import http.client
import json
import uuid
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, unquote, urlencode, urlsplit

from burnish.testing.cvat.contract.actors import actor, bearer

if TYPE_CHECKING:
    from burnish.testing.cvat.contract.names import Names
    from burnish.testing.cvat.contract.recordings import Exchange, Recordings

_BOUNDARY: Final = "burnish-contract"
_AS_SENT: Final = (
    "X-Organization",
    "Upload-Start",
    "Upload-Multiple",
    "Upload-Finish",
    "Tus-Resumable",
    "Upload-Offset",
    "Upload-Metadata",
    "Content-Type",
)
_PATIENCE: Final = 60.0


@dataclass(frozen=True, slots=True)
class Received:
    """What this server answered."""

    status: int
    headers: dict[str, str]
    content: bytes


@dataclass(slots=True)
class Wallet:
    """Credentials as they were given out, by who they are for."""

    keys: dict[str, str] = field(default_factory=dict)
    access: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    logged_in: str = ""

    def keep(self, exchange: Exchange, received: Received) -> None:
        """Remember what a login, a sign-up or a new access token gave."""
        for name, morsel in SimpleCookie(received.headers.get("set-cookie", "")).items():
            self.cookies[name] = morsel.value
        if not received.content.startswith(b"{"):
            return
        found, sent = json.loads(received.content), exchange.request.get("json") or {}
        if isinstance(found.get("key"), str) and "/auth/" in exchange.path:
            self.keys[str(sent.get("username") or str(sent.get("email", "")).partition("@")[0])] = found["key"]
        if isinstance(found.get("value"), str) and exchange.path.endswith("access_tokens"):
            self.access[found["name"]] = found["value"]


class Sender:
    """A connection to the server under test."""

    def __init__(self, url: str, recordings: Recordings, names: Names) -> None:
        self._address = urlsplit(url).netloc
        self._recordings, self._names = recordings, names
        self.wallet = Wallet()
        self._pieces: dict[str, bytes] = {}
        """What is being uploaded in pieces, by address."""

    def send(self, exchange: Exchange) -> Received:
        """Send the request of an exchange."""
        headers = self._headers(exchange)
        content = self._content(exchange, headers)
        path = self._names.text(exchange.path)
        query = urlencode([(key, self._query_value(key, value)) for key, value in exchange.query])
        received = self.request(
            exchange.method, quote(path, safe="/" if "%" in exchange.path else "/=&~") + ("?" + query if query else ""), headers, content
        )
        self.wallet.keep(exchange, received)
        if "Upload-Length" in headers and "location" in received.headers:
            self._begin_pieces(exchange, received, content)
        return received

    def request(self, method: str, target: str, headers: dict[str, str], content: bytes = b"") -> Received:
        """One request over HTTP."""
        connection = http.client.HTTPConnection(self._address, timeout=_PATIENCE)
        try:
            connection.request(method, target, content, headers)
            answer = connection.getresponse()
            cookies = ", ".join(answer.headers.get_all("set-cookie") or [])
            told = {name.lower(): value for name, value in answer.headers.items()}
            return Received(answer.status, {**told, "set-cookie": cookies.replace(", ", "; ")}, answer.read())
        finally:
            connection.close()

    def _query_value(self, key: str, value: str) -> str:
        if key in {"rq_id", "filename", "filter"}:
            return self._names.text(value)
        kind = key.removesuffix("_id")
        return (
            str(self._names.ours("organization" if kind == "org" else kind, int(value)))
            if key.endswith("_id") and value.isdigit()
            else value
        )

    def _headers(self, exchange: Exchange) -> dict[str, str]:
        sent = exchange.request.get("headers", {})
        headers = {name: sent[name] for name in _AS_SENT if name in sent}
        headers["Accept"] = _accept(exchange)
        if "Authorization" in sent:
            headers["Authorization"] = self._authorization(exchange, sent["Authorization"].split()[0])
        if "Cookie" in sent:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.wallet.cookies.items())
        if "X-CSRFToken" in sent:
            headers["X-CSRFToken"] = self.wallet.cookies.get("csrftoken", "")
        return headers

    def _authorization(self, exchange: Exchange, scheme: str) -> str:
        if scheme == "Basic":
            password = "PASSWORD" if exchange.status < http.client.BAD_REQUEST else "wrong"
            return "Basic " + base64.b64encode(f"admin:{password}".encode()).decode()
        if "0000" in exchange.request["headers"]["Authorization"]:
            return exchange.request["headers"]["Authorization"]
        if name := bearer(exchange):
            return f"{scheme} {self.wallet.access.get(name, 'revoked')}"
        return f"{scheme} {self.wallet.keys.get(actor(exchange), 'none')}"

    def _content(self, exchange: Exchange, headers: dict[str, str]) -> bytes:
        request = exchange.request
        if "multipart" in request:
            headers["Content-Type"] = f"multipart/form-data; boundary={_BOUNDARY}"
            return self._multipart(request["multipart"])
        if "json" in request:
            headers.setdefault("Content-Type", "application/json")
            return json.dumps(self._names.body(request["json"], _kind(exchange))).encode()
        if "text" in request:
            headers.setdefault("Content-Type", "application/json")
            return str(request["text"]).encode()
        if "Upload-Length" in request.get("headers", {}):
            headers["Upload-Length"] = str(len(self._whole(exchange)))
        return self._piece(exchange, headers) if "omitted" in request else b""

    def _multipart(self, parts: list[dict[str, str]]) -> bytes:
        pieces: list[bytes] = []
        for part in parts:
            file = f'; filename="{part["filename"]}"' if "filename" in part else ""
            value = self._recordings.file(part["file"]) if "file" in part else self._part_value(part).encode()
            pieces.append(
                f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{part["name"]}"{file}\r\n\r\n'.encode() + value + b"\r\n"
            )
        return b"".join(pieces) + f"--{_BOUNDARY}--\r\n".encode()

    def _part_value(self, part: dict[str, str]) -> str:
        return str(self._names.ours("guide", int(part["text"]))) if part["name"] == "guide_id" else part["text"]

    def _whole(self, exchange: Exchange) -> bytes:
        sent = exchange.request["headers"]
        filename = base64.b64decode(sent["Upload-Metadata"].split()[1]).decode()
        return self._recordings.nearest(int(sent["Upload-Length"]), filename)

    def _begin_pieces(self, exchange: Exchange, received: Received, _: bytes) -> None:
        self._names.learn_texts(exchange.response["headers"].get("location", ""), received.headers["location"])
        self._pieces[urlsplit(unquote(received.headers["location"])).path] = self._whole(exchange)

    def _piece(self, exchange: Exchange, headers: dict[str, str]) -> bytes:
        """A slice as long as the recorded one; the last one goes to the end, because files differ by some bytes."""
        whole = self._pieces.get(self._names.text(exchange.path), uuid.uuid4().bytes)
        start = int(headers["Upload-Offset"])
        stop = int(exchange.response["headers"].get("upload-offset", start + 1))
        return whole[start:] if abs(stop - len(whole)) <= 16 else whole[start:stop]  # noqa: PLR2004 - the host's name in texts


def _kind(exchange: Exchange) -> str:
    return "label" if "/labels/" in exchange.path else ""


def _accept(exchange: Exchange) -> str:
    """Requests' Accept headers are not recorded; the answers tell which they were."""
    if exchange.status == http.client.NOT_ACCEPTABLE:
        is_version = "version" in json.dumps(exchange.response.get("json"))
        return "application/vnd.cvat+json; version=99.0" if is_version else "application/json"
    return "text/html" if "browser" in exchange.note else "*/*"
