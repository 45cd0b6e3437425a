"""Tasks over a made-up video, for tests of tracks."""

import polars as pl

from burnish.data.dataset import Dataset, make_dataset


def moving(frames: int, rows: list[dict], classes: tuple[str, ...] = ("car", "person"), *, jobs=None, deleted=()) -> Dataset:
    """A video of some frames, all in task 0; a row's `frame` is its picture."""
    numbers = list(range(frames))
    images = pl.DataFrame({"id": numbers, "media": 0, "task": 0, "frame": numbers, "true_frame": numbers, "width": 100, "height": 80})
    annotations = [{"id": n, "class": 0, "kind": "box", **row, "image": row["frame"]} for n, row in enumerate(rows, start=1)]
    for row in annotations:
        del row["frame"]
        if "at" in row:
            x, y = row.pop("at")
            row |= {"x1": float(x), "y1": float(y), "x2": x + 10.0, "y2": y + 10.0}
    names = sorted({name for row in annotations for name in row})
    table = (
        pl.DataFrame([{name: row.get(name) for name in names} for row in annotations], infer_schema_length=None) if annotations else None
    )
    filled = None if table is None else _with_defaults(table)
    return make_dataset(
        ".",
        media=pl.DataFrame({"id": [0], "path": ["clip.mp4"], "kind": ["video"]}),
        images=images.with_columns(deleted=pl.col("frame").is_in(list(deleted))),
        annotations=filled,
        classes=pl.DataFrame({"id": list(range(len(classes))), "name": list(classes)}, schema={"id": pl.Int32, "name": pl.String}),
        tasks=pl.DataFrame({"id": [0], "name": ["clip"]}),
        jobs=None
        if jobs is None
        else pl.DataFrame([{"task": 0, "number": n, "start_frame": a, "stop_frame": b, "kind": k} for n, (a, b, k) in enumerate(jobs)]),
    )


def _with_defaults(table: pl.DataFrame) -> pl.DataFrame:
    usual = {"outside": False, "occluded": False, "rotation": 0.0, "z_order": 0, "group": 0}
    return table.with_columns(pl.col(name).fill_null(value) for name, value in usual.items() if name in table.columns)


def boxes_of(dataset: Dataset) -> dict[tuple[int | None, int], tuple[float, float]]:
    """Upper left corner by track and frame."""
    rows = dataset.annotations.select("track", "image", "x1", "y1").iter_rows()
    return {(track, frame): (x, y) for track, frame, x, y in rows}
