"""Comparing bodies that are files: pictures by size, zips by members, XML and backups by content, videos by length."""

from __future__ import annotations

import io
import json
import re
import tempfile
import zipfile
from pathlib import Path, PurePath
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree as ET

from burnish.media.images import probe_image
from burnish.testing.cvat import films
from burnish.testing.cvat.contract.comparison import differences

if TYPE_CHECKING:
    from collections.abc import Iterator

    from burnish.testing.cvat.contract.names import Names

_PICTURES: Final = frozenset({".jpg", ".jpeg", ".png"})
_NUMBERED: Final = {"job": "job", "task": "task", "project": "project", "segment": "job"}
_ASIDE: Final = frozenset({"created", "updated", "dumped", "url"})


def file_differences(name: str, recorded: bytes, ours: bytes, names: Names, *, is_standin: bool) -> Iterator[str]:
    """What differs between two files of one kind; what a stand-in wrote is only told from nothing."""
    suffix = PurePath(name).suffix.lower()
    if recorded == ours:
        return
    if not ours:
        yield f"{name}: nothing came back"
    elif suffix == ".zip":
        yield from _zips(recorded, ours, names, is_standin=is_standin)
    elif suffix in _PICTURES:
        yield from _pictures(name, recorded, ours)
    elif suffix == ".mp4":
        one, two = (_film(content) for content in (recorded, ours))
        if one != two:
            yield f"{name}: a video {two} instead of {one}"


def _zips(recorded: bytes, ours: bytes, names: Names, *, is_standin: bool) -> Iterator[str]:
    if not zipfile.is_zipfile(io.BytesIO(ours)):
        yield "not a zip file"
        return
    if is_standin:
        return
    with zipfile.ZipFile(io.BytesIO(recorded)) as one, zipfile.ZipFile(io.BytesIO(ours)) as two:
        members = {name for name in one.namelist() if not name.endswith("/")}
        if members != set(two.namelist()):
            new, missing = set(two.namelist()) - members, members - set(two.namelist())
            yield f"members {sorted(new)[:3]} were not recorded, {sorted(missing)[:3]} are missing"
        for name in sorted(members & set(two.namelist())):
            yield from _members(name, one.read(name), two.read(name), names)


def _members(name: str, recorded: bytes, ours: bytes, names: Names) -> Iterator[str]:
    suffix = PurePath(name).suffix.lower()
    if suffix in _PICTURES:
        yield from _pictures(name, recorded, ours)
    elif suffix == ".xml":
        yield from _elements(ET.fromstring(recorded), ET.fromstring(ours), names, "")
    elif suffix == ".json":
        for difference in differences(_known(recorded), _known(ours), names):
            yield f"{name}{difference}"
    elif suffix == ".jsonl":
        # A video's checksums depend on the decoder.
        one, two = ([re.sub(rb'"checksum":"\w+"', b"", line) for line in content.splitlines()] for content in (recorded, ours))
        if one != two:
            yield f"{name}: {two[:4]} instead of {one[:4]}"


def _known(content: bytes) -> Any:
    return json.loads(content)


def _elements(recorded: ET.Element, ours: ET.Element, names: Names, parent: str) -> Iterator[str]:
    place = f"{parent}/{recorded.tag}"
    if recorded.tag != ours.tag:
        yield f"{place}: <{ours.tag}> instead"
        return
    if not _same_text(recorded, ours, names, parent):
        yield f"{place}: {ours.text!r} instead of {recorded.text!r}"
    expected = {key: str(names.ours("task", int(value))) if key == "task_id" else value for key, value in recorded.attrib.items()}
    if dict(ours.attrib) != expected:
        yield f"{place}: {ours.attrib} instead of {expected}"
    one, two = (_children(element) for element in (recorded, ours))
    if len(one) != len(two):
        yield f"{place}: {len(two)} elements instead of {len(one)}"
    for left, right in zip(one, two, strict=False):
        yield from _elements(left, right, names, place)


def _children(element: ET.Element) -> list[ET.Element]:
    """The elements within; attributes of objects by name, because a database gives them in any order."""
    if any("task_id" in child.attrib for child in element):
        # A project's tasks come in any order; their pictures are numbered within each subset.
        return sorted(element, key=lambda child: (child.tag, child.get("subset", ""), int(child.get("id", "0"))))
    plain = [child for child in element if child.tag != "attribute" or "name" not in child.attrib]
    named = sorted(
        (child for child in element if child.tag == "attribute" and "name" in child.attrib), key=lambda child: child.attrib["name"]
    )
    return sorted(plain, key=_task_number) + named if element.tag == "tasks" else plain + named


def _task_number(task: ET.Element) -> int:
    return int(task.findtext("id", "0"))


def _same_text(recorded: ET.Element, ours: ET.Element, names: Names, parent: str) -> bool:
    one, two = (recorded.text or "").strip(), (ours.text or "").strip()
    if recorded.tag in _ASIDE:
        return bool(one) == bool(two)
    if recorded.tag == "id":
        kind = _NUMBERED[parent.rpartition("/")[2]]
        return names.learn(kind, int(one), int(two))
    if recorded.tag == "subsets":
        return set(one.splitlines()) == set(two.splitlines())
    if recorded.tag == "color":
        return names.ours("colour", one) == two
    return one == two


def _pictures(name: str, recorded: bytes, ours: bytes) -> Iterator[str]:
    with tempfile.TemporaryDirectory() as folder:
        sizes = []
        for side, content in (("recorded", recorded), ("ours", ours)):
            path = Path(folder) / side
            path.write_bytes(content)
            info = probe_image(path)
            sizes.append((info.width, info.height, info.format))
    if sizes[0] != sizes[1]:
        yield f"{name}: a picture {sizes[1]} instead of {sizes[0]}"


def _film(content: bytes) -> films.Film:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "film.mp4"
        path.write_bytes(content)
        return films.probe(path)
