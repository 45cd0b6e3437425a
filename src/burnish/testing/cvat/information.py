"""What the server tells about itself: version, health, formats, plugins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from burnish.testing.cvat.answers import Answer
from burnish.testing.cvat.formats import EXPORTERS, IMPORTERS
from burnish.testing.cvat.routing import Route

if TYPE_CHECKING:
    from collections.abc import Iterable

    from burnish.testing.cvat.calls import Call, Json
    from burnish.testing.cvat.formats import Format

_HEALTHY = (
    "Cache backend: default",
    "Cache backend: media",
    "DatabaseBackend",
    "DatabaseBackend[default]",
    "DiskUsage",
    "MemoryUsage",
    "OPAHealthCheck",
)
_DESCRIPTION = (
    "CVAT is completely re-designed and re-implemented version of Video Annotation Tool from Irvine, California tool. "
    "It is free, online, interactive video and image annotation tool for computer vision. "
    "It is being used by our team to annotate million of objects with different properties. "
    "Many UI and UX decisions are based on feedbacks from professional data annotation team."
)


def _about(call: Call) -> Answer:
    names = {"name": "Computer Vision Annotation Tool", "subtitle": "Open Data Annotation Platform", "description": _DESCRIPTION}
    return Answer(json={**names, "version": call.state.version, "logo_url": f"{call.base}/static/logo.svg"})


def _health(_: Call) -> Answer:
    return Answer(json=dict.fromkeys(_HEALTHY, "working"))


def _formats(_: Call) -> Answer:
    return Answer(json={"importers": _listed(IMPORTERS), "exporters": _listed(EXPORTERS)})


def _listed(formats: Iterable[Format]) -> list[Json]:
    return [{**each._asdict(), "enabled": True} for each in formats]


def _plugins(_: Call) -> Answer:
    return Answer(json={"ANALYTICS": False, "MODELS": False})


def _share(_: Call) -> Answer:
    # No folder is mounted into this server.
    return Answer(json=[])


def _functions(_: Call) -> Answer:
    return Answer(503, "No serverless backend is running beside this server; annotate with burnish instead.")


ROUTES = (
    Route("server/about", {"GET": _about}, is_open=True),
    Route("server/health[/]", {"GET": _health}, is_open=True),
    Route("server/annotation/formats", {"GET": _formats}),
    Route("server/plugins", {"GET": _plugins}),
    Route("server/share", {"GET": _share}),
    Route("lambda/functions", {"GET": _functions}),
)
