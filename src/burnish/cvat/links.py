"""What ties a dataset to a server: numbers of tasks, jobs and objects, kept beside the rows so that a push updates in place."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

import polars as pl

from burnish.cvat.pulling import Link, link_from
from burnish.data import tables
from burnish.data.dataset import extra_fields
from burnish.data.schema import EXTRAS
from burnish.formats.cvat.labels import FORM

if TYPE_CHECKING:
    from collections.abc import Mapping

    from burnish.data.dataset import Dataset

SERVER: Final = "cvat_server"
"""The format under which extras keep what belongs to a server and not to a file."""

_OBJECTS: Final = ("annotations", "tracks")


def linked(dataset: Dataset, links: Mapping[str, Link]) -> Dataset:
    """Move the server's numbers from the fields of the format to fields of the server, where no file written later has them.

    Args:
        dataset: As it was read from folders of tasks.
        links: The link of each task, by its folder.
    """
    projects = {}
    rows: list[dict[str, Any]] = []
    for row in dataset.extras.to_dicts():
        if row["format"] == FORM and row["table"] in _OBJECTS:
            fields = json.loads(row["value"])
            if "id" in fields:
                rows.append({**row, "format": SERVER, "value": json.dumps({"id": fields.pop("id")})})
            rows += [{**row, "value": json.dumps(fields, ensure_ascii=False)}] if fields else []
            continue
        rows.append(row)
        if row["format"] == FORM and row["table"] == "tasks":
            link = links[json.loads(row["value"])["folder"]]
            projects[row["row"]] = link.project[1] if link.project else None
            rows.append({"format": SERVER, "table": "tasks", "row": row["row"], "value": json.dumps(link.as_json())})
    named = pl.col("id").replace_strict(projects, default=None, return_dtype=pl.String)
    return dataset.with_tables(
        extras=tables.from_rows(EXTRAS, rows), tasks=dataset.tasks.with_columns(project=pl.coalesce("project", named))
    )


def links_of(dataset: Dataset) -> dict[int, Link]:
    """The link of each task that was pulled."""
    return {task: link_from(found) for task, found in extra_fields(dataset, SERVER, "tasks").items() if task is not None}


def object_ids(dataset: Dataset) -> dict[str, dict[int | None, int]]:
    """The server's numbers of annotations and of tracks (by their first row)."""
    return {table: {row: found["id"] for row, found in extra_fields(dataset, SERVER, table).items()} for table in _OBJECTS}
