"""Write a new version of a dataset with findings applied."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl

from burnish.data.dataset import same_content
from burnish.errors import ConfigError, DataError
from burnish.formats import versioned
from burnish.formats.derived import Derived, versions_home
from burnish.formats.recognise import open_dataset
from burnish.inspect.settings import ApplyConfig

if TYPE_CHECKING:
    from collections.abc import Callable

    from burnish.data.dataset import Dataset
    from burnish.formats.findings import Findings


def apply(findings: Findings, config: ApplyConfig | None = None) -> Derived:
    """Apply findings to the dataset that they were made from.

    A `label` finding gives the annotation, or the picture, its suggested class; a `near_duplicate` or `exact_duplicate` finding with
    the suggestion `remove` takes the picture out of the dataset (never off the disk). Other kinds only inform.

    Raises:
        ConfigError: It is not known which dataset the findings belong to.
        DataError: A finding names a picture, annotation or class that the dataset does not have; nothing is applied then.
    """
    chosen = config or ApplyConfig()
    path = _dataset_path(findings, chosen)
    dataset = open_dataset(path) if chosen.dataset else _as_it_stands(path)
    wanted = findings.table.filter(pl.col("is_issue") & (pl.col("score") >= chosen.min_score))
    if chosen.kinds:
        wanted = wanted.filter(pl.col("kind").is_in(chosen.kinds))
    _refuse_strangers(wanted.filter(pl.col("kind").is_in(list(_ACTIONS))), dataset)
    counts: dict[str, int] = {}
    for kind, action in _ACTIONS.items():
        rows = wanted.filter(pl.col("kind") == kind)
        if rows.height:
            dataset, counts[kind] = action(dataset, rows)
    only_told = wanted.filter(~pl.col("kind").is_in(list(_ACTIONS))).height
    text = ", ".join(f"{number:,} {kind}" for kind, number in counts.items()) or "nothing"
    settings = {**chosen.model_dump(mode="json"), "applied": counts}
    more = f" ({only_told:,} other findings only inform)" if only_told else ""
    return Derived(dataset, verb="apply", config=settings, text=f"Applied: {text}{more}")


def _dataset_path(findings: Findings, config: ApplyConfig) -> str:
    path = config.dataset or findings.about.get("dataset")
    if not path:
        raise ConfigError("These findings do not say which dataset they belong to. Name it with --dataset.")
    if config.dataset is None and not Path(path).exists():
        raise ConfigError(f"The findings were made from {path}, which is not there, seen from {Path.cwd()}. Name it with --dataset.")
    return path


def _as_it_stands(path: str) -> Dataset:
    """The dataset, with what was applied before: changes to one of another format are kept in a burnish dataset beside it.

    Raises:
        DataError: The dataset was changed since the one beside it was made, so that the two can no longer be joined.
    """
    dataset, home = open_dataset(path), versions_home(path)
    if not versioned.recognise(home) or versioned.recognise(Path(path)):
        return dataset
    if not same_content(dataset, open_dataset(home, version=1)):
        raise DataError(
            f"{path} was changed after {home} was made from it, which holds what was applied before. "
            f"Name that one with --dataset {home}, or move it away to begin again."
        )
    return open_dataset(home)


def _relabel(dataset: Dataset, rows: pl.DataFrame) -> tuple[Dataset, int]:
    ids = {name: number for number, name in dataset.class_names().items()}
    unknown = sorted(set(rows["suggestion"].drop_nulls()) - set(ids))
    if unknown:
        raise DataError(f"Findings suggest the classes {unknown}, which the dataset does not have: {sorted(ids)}.", table="classes")
    by_annotation = _new_classes(rows.filter(pl.col("annotation").is_not_null()), "annotation", ids)
    by_image = _new_classes(rows.filter(pl.col("annotation").is_null() & pl.col("image").is_not_null()), "image", ids)
    table = dataset.annotations
    new = pl.col("id").replace_strict(by_annotation, default=None, return_dtype=pl.Int32)
    tagged = pl.when(pl.col("kind") == "tag").then(pl.col("image").replace_strict(by_image, default=None, return_dtype=pl.Int32))
    changed = table.with_columns(pl.coalesce(new, tagged, pl.col("class")).alias("class"))
    number = int((changed["class"] != table["class"]).sum())
    return dataset.with_tables(annotations=changed), number


def _new_classes(rows: pl.DataFrame, key: str, ids: dict[str, int]) -> dict[int, int]:
    """The surest suggestion of each row wins."""
    ordered = rows.filter(pl.col("suggestion").is_not_null()).sort("score", maintain_order=True)
    return {row: ids[name] for row, name in ordered.select(key, "suggestion").iter_rows()}


def _refuse_strangers(findings: pl.DataFrame, dataset: Dataset) -> None:
    """Findings may name what an earlier version had and what was taken out since, but nothing that never was.

    Raises:
        DataError: They do.
    """
    first = _first_version(dataset)
    for column, table in (("annotation", "annotations"), ("image", "images")):
        named = findings[column].drop_nulls().unique().sort()
        known = pl.concat([dataset.table(table)["id"], first.table(table)["id"]])
        strangers = named.filter(~named.is_in(known.implode())).to_list()
        if strangers:
            what = "pictures" if table == "images" else table
            raise DataError(
                f"Findings name {len(strangers)} {what} that the dataset does not have (first: {strangers[:5]}). "
                "They belong to another dataset or version; name it with --dataset.",
                rows=strangers,
            )


def _first_version(dataset: Dataset) -> Dataset:
    if dataset.origin.get("format") != versioned.NAME:
        return dataset
    return versioned.read(dataset.origin["path"], version=min(versioned.all_versions(Path(dataset.origin["path"]))))


def _remove_pictures(dataset: Dataset, rows: pl.DataFrame) -> tuple[Dataset, int]:
    gone = rows.filter(pl.col("suggestion") == "remove")["image"].drop_nulls().unique()
    kept = dataset.images.filter(~pl.col("id").is_in(gone.implode()))
    annotations = dataset.annotations.filter(~pl.col("image").is_in(gone.implode()))
    return dataset.with_tables(images=kept, annotations=annotations), dataset.images.height - kept.height


_ACTIONS: dict[str, Callable[[Dataset, pl.DataFrame], tuple[Dataset, int]]] = {
    "label": _relabel,
    "exact_duplicate": _remove_pictures,
    "near_duplicate": _remove_pictures,
}
