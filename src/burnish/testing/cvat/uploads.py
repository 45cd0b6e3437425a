"""Files that come in pieces: the TUS protocol 1.0.0 as CVAT speaks it, with a start before and a finish after."""

from __future__ import annotations

import base64
import uuid
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Final

from burnish.testing.cvat.answers import Answer, RefusalError, bad_request, not_found, server_error

if TYPE_CHECKING:
    from burnish.testing.cvat.calls import Call

_MOST_BYTES: Final = 26_843_545_600
_EXPOSED: Final = "Tus-Resumable,upload-length,upload-metadata,Location,Upload-Offset"
_HEADERS: Final = {
    "Tus-Resumable": "1.0.0",
    "Tus-Version": "1.0.0",
    "Tus-Extension": "",
    "Tus-Max-Size": str(_MOST_BYTES),
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "PATCH,HEAD,GET,POST,OPTIONS",
    "Access-Control-Expose-Headers": _EXPOSED,
    "Access-Control-Allow-Headers": _EXPOSED + ",content-type",
    "Cache-Control": "no-store",
}


@dataclass(slots=True)
class Upload:
    """A file on its way."""

    path: str
    """The address of the pieces below this server."""
    filename: str
    length: int
    file: Path
    offset: int = 0


def is_start(call: Call) -> bool:
    """Whether an upload is announced."""
    return "upload-start" in call.headers


def is_finish(call: Call) -> bool:
    """Whether an upload is said to be complete."""
    return "upload-finish" in call.headers


def is_create(call: Call) -> bool:
    """Whether a file in pieces begins."""
    return "upload-length" in call.headers and "tus-resumable" in call.headers


def create(call: Call, folder: Path, *, named: bool = False) -> Answer:
    """Begin a file in pieces.

    Args:
        call: With `Upload-Length` and the file's name in `Upload-Metadata`.
        folder: Where the file goes.
        named: Whether the file keeps its own name there (media of a task) or is known by its number (backups, annotations).
    """
    length = int(call.headers["upload-length"])
    if length > _MOST_BYTES:
        raise RefusalError(Answer(413, headers=_HEADERS))
    name = f"{call.user.id}_{uuid.uuid4()}"
    filename = PurePath(_metadata(call).get("filename", "")).name or name
    file = target(folder, filename if named else name)
    file.touch()
    path = f"{call.path.rstrip('/')}/{name}"
    call.state.uploads[path] = Upload(path, filename, length, file)
    shown = {"Location": f"{call.base}{path}", "Upload-Filename": filename if named else name}
    return Answer(201, headers={**_HEADERS, **shown})


def append(call: Call) -> Answer:
    """PATCH: one piece at its offset; 409 if that is not where the last piece ended."""
    upload = _find(call)
    if int(call.headers.get("upload-offset", "-1")) != upload.offset:
        return Answer(409, headers=_HEADERS)
    if upload.offset + len(call.content) > upload.length:
        return Answer(413, headers=_HEADERS)
    with upload.file.open("ab") as file:
        file.write(call.content)
    upload.offset += len(call.content)
    return Answer(204, headers={**_HEADERS, "Upload-Offset": str(upload.offset)})


def tell(call: Call) -> Answer:
    """HEAD: how far the upload has come."""
    upload = _find(call)
    return Answer(200, headers={**_HEADERS, "Upload-Offset": str(upload.offset), "Upload-Length": str(upload.length)})


def received(call: Call, folder: Path, field: str) -> Path | None:
    """The one file that a request brings: inside it, or uploaded before and named by `filename`; None if the upload is only beginning.

    Raises:
        RefusalError: 400 if there is no such file.
    """
    if call.form is not None and call.form.files:
        found = next((file for file in call.form.files if file.field == field), call.form.files[0])
        path = target(folder, f"{uuid.uuid4()}_{PurePath(found.filename).name}")
        path.write_bytes(found.content)
        return path
    if is_finish(call):
        path = folder / PurePath(call.one("filename")).name
        if not call.one("filename") or not path.is_file():
            raise bad_request(["No such file were uploaded"])
        return path
    return None


def target(folder: Path, name: str) -> Path:
    """Where a file of this name goes; folders in the name are dropped.

    Raises:
        RefusalError: 500, as CVAT answers, if a file of this name is there.
    """
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / PurePath(name.replace("\\", "/")).name
    if path.exists():
        raise server_error()
    return path


def _find(call: Call) -> Upload:
    if (upload := call.state.uploads.get(call.path)) is None:
        raise not_found("Upload")
    return upload


def _metadata(call: Call) -> dict[str, str]:
    pairs = (pair.strip().partition(" ") for pair in call.headers.get("upload-metadata", "").split(",") if pair.strip())
    return {key: base64.b64decode(value).decode() for key, _, value in pairs}
