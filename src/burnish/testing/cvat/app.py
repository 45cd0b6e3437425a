"""The application: from a request over HTTP to the handler that answers it, and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import FileResponse, JSONResponse, Response
from starlette.routing import Route as HttpRoute

from burnish.testing.cvat import annotations as annotations_
from burnish.testing.cvat import (
    background,
    backups,
    exports,
    guides,
    imports,
    information,
    issues,
    jobs,
    labels,
    logins,
    media,
    organizations,
    projects,
    quality,
    tasks,
    users,
    webhooks,
)
from burnish.testing.cvat.answers import JSON_TYPE, Answer, RefusalError, method_not_allowed, page_not_found
from burnish.testing.cvat.authentication import authenticate, find_organization, require_user, throttle
from burnish.testing.cvat.calls import Call, Form, UploadedFile
from burnish.testing.cvat.routing import Route, find

if TYPE_CHECKING:
    from starlette.requests import Request

    from burnish.testing.cvat.state import State

_ROOMS = (
    information,
    logins,
    users,
    backups,
    projects,
    tasks,
    media,
    jobs,
    labels,
    annotations_,
    exports,
    imports,
    background,
    issues,
    guides,
    organizations,
    webhooks,
    quality,
)
_ROUTES: tuple[Route, ...] = tuple(route for room in _ROOMS for route in room.ROUTES)
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
_VERSIONS = frozenset({"1.0", "2.0"})


def application(state: State) -> Starlette:
    """The server's application over its state."""

    async def respond(request: Request) -> Response:
        call = await _read(request, state)
        return _sent(await run_in_threadpool(_answer, call))

    return Starlette(routes=[HttpRoute("/{path:path}", respond, methods=_METHODS)])


async def _read(request: Request, state: State) -> Call:
    """Take the request off the wire; form fields and files in the order sent."""
    kind = request.headers.get("content-type", "")
    form = await _read_form(request) if kind.startswith(("multipart/form-data", "application/x-www-form-urlencoded")) else None
    return Call(
        state=state,
        method=request.method,
        path=request.url.path,
        base=f"{request.url.scheme}://{request.headers.get('host', request.url.netloc)}",
        query=list(request.query_params.multi_items()),
        headers=request.headers,
        cookies=request.cookies,
        client=request.client.host if request.client else "",
        content=b"" if form else await request.body(),
        form=form,
    )


async def _read_form(request: Request) -> Form:
    fields: dict[str, list[str]] = {}
    files: list[UploadedFile] = []
    async with request.form(max_files=100_000, max_fields=100_000) as found:
        for name, value in found.multi_items():
            if isinstance(value, UploadFile):
                files.append(UploadedFile(name, value.filename or "", await value.read()))
            else:
                fields.setdefault(name, []).append(value)
    return Form(fields, files)


def _answer(call: Call) -> Answer:
    with call.state.lock:
        background.settle_overdue(call.state)
        try:
            return _route(call)
        except RefusalError as refusal:
            return refusal.answer


def _route(call: Call) -> Answer:
    """The checks in the order in which CVAT makes them, then the handler."""
    found = find(_ROUTES, call.path)
    if found is None:
        return page_not_found()
    route, call.parameters = found
    _check_accept(call)
    authenticate(call)
    if not route.is_open:
        require_user(call)
    else:
        throttle(call)
    if call.known_user is not None:
        find_organization(call)
    if (handler := route.handlers.get(call.method)) is None:
        return method_not_allowed(call.method)
    answer = handler(call)
    return _as_page(answer) if _wants_page(call) else answer


def _accepted(call: Call) -> list[str]:
    return [each.strip() for each in call.headers.get("accept", "*/*").split(",")]


def _check_accept(call: Call) -> None:
    kinds = [each.partition(";")[0].strip() for each in _accepted(call)]
    if not {"*/*", "application/*", JSON_TYPE, "text/html"} & set(kinds):
        raise RefusalError(Answer(406, {"detail": "Could not satisfy the request Accept header."}))
    for each in _accepted(call):
        kind, _, options = each.partition(";")
        version = options.partition("version=")[2].strip()
        if kind.strip() == JSON_TYPE and version and version not in _VERSIONS:
            raise RefusalError(Answer(406, {"detail": 'Invalid version in "Accept" header.'}))


def _wants_page(call: Call) -> bool:
    """A browser gets a page around the answer; programs do not ask for one."""
    return _accepted(call)[0].partition(";")[0] == "text/html" and call.method == "GET"


def _as_page(answer: Answer) -> Answer:
    if answer.json is None:
        return answer
    body = json.dumps(answer.json).replace("&", "&amp;").replace("<", "&lt;")
    page = f"<!DOCTYPE html>\n<html>\n<head><title>CVAT</title></head>\n<body><pre>{body}</pre></body>\n</html>\n"
    return Answer(answer.status, content=page.encode(), media_type="text/html; charset=utf-8")


def _sent(answer: Answer) -> Response:
    headers = dict(answer.headers)
    if answer.file is not None:
        response: Response = FileResponse(answer.file, answer.status, headers, answer.media_type)
    elif answer.json is not None:
        response = JSONResponse(answer.json, answer.status, headers, answer.media_type)
    else:
        response = Response(answer.content or b"", answer.status, headers, answer.media_type if answer.content is not None else None)
    for name, value in answer.cookies.items():
        response.set_cookie(name, value, httponly=name != "csrftoken", samesite="lax")
    return response
