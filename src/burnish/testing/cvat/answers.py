"""What the server says: answers, and refusals in the words and forms of CVAT."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

JSON_TYPE = "application/vnd.cvat+json"
HTML_TYPE = "text/html; charset=utf-8"

_PAGE = """
<!doctype html>
<html lang="en">
<head>
  <title>{title}</title>
</head>
<body>
  <h1>{title}</h1><p>{text}</p>
</body>
</html>
"""
_GONE = (
    "This endpoint is no longer supported.\n"
    "To initiate the export process, use POST /api/{noun}/id/dataset/export?save_images={images}.\n"
    "To check the process status, use GET /api/requests/rq_id,\n"
    "where rq_id is obtained from the response of the previous request.\n"
    "To download the prepared file, use the result_url obtained from the response of the previous request.\n"
)
_NO_PERMISSION = "You do not have permission to perform this action."


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: a status with JSON, with bytes, with a file, or with nothing."""

    status: int = 200
    json: Any = None
    """The body as JSON; with no JSON, no content and no file the body is empty."""
    content: bytes | None = None
    file: Path | None = None
    media_type: str = JSON_TYPE
    headers: Mapping[str, str] = field(default_factory=dict)
    cookies: Mapping[str, str] = field(default_factory=dict)
    """Cookies to set, for instance the session after a login."""


class RefusalError(Exception):
    """A request that is answered with a refusal; the answer is what the client sees."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(f"{answer.status}: {answer.json or answer.content!r}")
        self.answer = answer


def bad_request(body: Any) -> RefusalError:
    """400 with `body` as it stands: fields and their messages, a list of messages, or one string."""
    return RefusalError(Answer(400, body))


def unauthorised(detail: str) -> RefusalError:
    """401: nobody, or nobody whom the server knows."""
    return RefusalError(Answer(401, {"detail": detail}, headers={"WWW-Authenticate": "Token"}))


def forbidden(detail: str = _NO_PERMISSION) -> RefusalError:
    """403: known, but not allowed."""
    return RefusalError(Answer(403, {"detail": detail}))


def not_found(noun: str) -> RefusalError:
    """404 for an object that is not there, for instance a Task."""
    return RefusalError(Answer(404, {"detail": f"No {noun} matches the given query."}))


def page_not_found() -> Answer:
    """404 for a path that the server does not serve; this one is a page, not JSON."""
    return _page(404, "Not Found", "The requested resource was not found on this server.")


def server_error() -> RefusalError:
    """500, as the real server answers some requests; the callers say which."""
    return RefusalError(_page(500, "Server Error (500)", ""))


def method_not_allowed(method: str) -> Answer:
    """405: the path is served, the method is not."""
    return Answer(405, {"detail": f'Method "{method}" not allowed.'})


def gone(noun: str, *, images: bool) -> RefusalError:
    """410 for the ways in which old servers exported."""
    return RefusalError(text(410, _GONE.format(noun=noun, images=images)))


def text(status: int, words: str) -> Answer:
    """Plain words, sent as a page."""
    return Answer(status, content=words.encode(), media_type=HTML_TYPE)


def _page(status: int, title: str, words: str) -> Answer:
    return text(status, _PAGE.format(title=title, text=words))
