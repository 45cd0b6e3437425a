"""Label tables laid over a dataset: its classes get superclass, status and priority, or become what the chain makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import polars as pl

from burnish.data.chains import make_chain
from burnish.data.schema import TABLES
from burnish.data.statuses import LEFT_OUT, without_skipped
from burnish.data.tables import from_rows
from burnish.data.taxonomy import first_of_each
from burnish.errors import ForbiddenLabelError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from burnish.data.chains import Chain, ChainName, Value
    from burnish.data.dataset import Dataset
    from burnish.data.taxonomy import Superlabel, Taxonomy

_CARRIED = ("colour", "attributes", "skeleton")
_MOST_LISTED = 20


def relabelled(dataset: Dataset, chain: Chain, taxonomy: Taxonomy) -> Dataset:
    """The dataset with the classes that a chain makes of its own: superlabels, or meanings.

    Classes are numbered by their index, where the chain ends in one and for those that are exported, else in the order of the tables. What
    several classes have in common (colour, attributes, skeleton) goes on to the one that they become. Classes of the parts of skeletons,
    which tables seldom name, stay behind the others. Objects of unused and forbidden classes are still there: `without_skipped` takes them
    away, and so does every exporter.

    Raises:
        LabelError: The chain does not know a class that has objects; all of them are listed.
    """
    names = dataset.class_names()
    chain.refuse_unknown(_held(dataset, pl.col("parent").is_null()))
    becomes = {number: chain(name) for number, name in names.items() if not chain.unknown([name])}
    targets = _targets(chain, taxonomy)
    numbers = _numbers(targets)
    parts = _held(dataset, pl.col("parent").is_not_null()) - {names[number] for number in becomes}
    kept = {
        number: max(numbers.values(), default=-1) + 1 + at
        for at, number in enumerate(number for number, name in names.items() if name in parts)
    }
    new_of = {old: numbers[value] for old, value in becomes.items()} | kept
    rows = [_class_row(dataset, target, numbers[target.value], new_of) for target in targets]
    rows += [{**row, "id": kept[row["id"]]} for row in dataset.classes.iter_rows(named=True) if row["id"] in kept]
    renumbered = pl.col("class").replace_strict(new_of, default=None, return_dtype=pl.Int32)
    return dataset.with_tables(
        classes=from_rows(TABLES["classes"], sorted(rows, key=lambda row: row["id"])),
        annotations=dataset.annotations.with_columns(renumbered),
        extras=_extras(dataset, new_of),
    )


def marked(dataset: Dataset, taxonomy: Taxonomy, *, loose: bool = False) -> Dataset:
    """The dataset with its own classes, which get the superclass, status and priority that the tables say.

    A class that the tables do not know stays as it is.

    Args:
        dataset: Its classes may be labels or, where there is no table of labels, meanings.
        taxonomy: The tables; without one of superlabels nothing changes.
        loose: Letter case does not count, and a meaning may stand for its label.
    """
    if taxonomy.superlabels is None:
        return dataset
    start = "label" if taxonomy.labels is not None else "meaning"
    chain = make_chain(taxonomy, "label2superlabel" if start == "label" else "meaning2superlabel", loose=loose)
    by_name = first_of_each((entry.name, entry) for entry in taxonomy.superlabels)
    known = {name: by_name[str(chain(name))] for name in dataset.classes["name"] if not chain.unknown([name])}
    rows = [_marked_row(row, known.get(row["name"])) for row in dataset.classes.iter_rows(named=True)]
    return dataset.with_tables(classes=from_rows(TABLES["classes"], rows))


def apply_labels(
    dataset: Dataset,
    taxonomy: Taxonomy,
    name: ChainName | Literal["auto"] = "auto",
    *,
    unused: Iterable[Value] | None = None,
    forbidden: Iterable[Value] | None = None,
    loose: bool = False,
    forbidden_is: Literal["left_out", "error"] = "left_out",
) -> tuple[Dataset, pl.DataFrame]:
    """Relabel a dataset, skip the objects of unused classes, and leave out the pictures of forbidden ones.

    Args:
        dataset: What to relabel.
        taxonomy: The label tables.
        name: Which chain; "auto" takes the longest that the tables have.
        unused: Values whose objects are skipped, in place of those that the tables say.
        forbidden: Values whose pictures are left out, in place of those that the tables say.
        loose: Take labels in any letter case, and a label's meaning in place of the label.
        forbidden_is: Whether a forbidden object keeps its picture out, or is an error.

    Returns:
        The dataset, and a finding for each object that is skipped or keeps its picture out.

    Raises:
        LabelError: The tables do not know a class that has objects.
        ChainError: The tables do not have the chain.
        ForbiddenLabelError: There are forbidden objects, and they are an error; the pictures are listed.
    """
    chain = make_chain(taxonomy, name, unused=unused, forbidden=forbidden, loose=loose)
    kept, findings = without_skipped(relabelled(dataset, chain, taxonomy))
    hit = findings.filter(pl.col("kind") == LEFT_OUT)
    if forbidden_is == "error" and hit.height:
        pictures = hit["image"].unique().sort().to_list()
        told = ", ".join(map(str, pictures[:_MOST_LISTED])) + (", ..." if len(pictures) > _MOST_LISTED else "")
        raise ForbiddenLabelError(f"There are forbidden objects in {len(pictures)} pictures: {told}.", table="images", rows=pictures)
    return kept, findings


def _held(dataset: Dataset, rows: pl.Expr) -> set[str]:
    """Names of the classes that some annotations have."""
    names = dataset.class_names()
    return {names[number] for number in dataset.annotations.filter(rows)["class"].drop_nulls().unique() if number in names}


class _Target(NamedTuple):
    """A class that a chain leads to."""

    value: Value
    name: str
    exported: int | None
    status: str
    superclass: str | None
    priority: int


def _targets(chain: Chain, taxonomy: Taxonomy) -> list[_Target]:
    """Every class that the chain can give, in the order of the tables, each once."""
    if not chain.name.endswith("meaning"):
        found = [_superlabel_target(chain, entry) for entry in taxonomy.superlabels or ()]
        # Several superlabels may be unused or forbidden; they share an index, and so become one class.
        return [*first_of_each((target.value, target) for target in found).values()]
    superlabels = taxonomy.superlabel_of
    meanings = dict.fromkeys(str(value) for value in chain.mapping.values())
    return [_meaning_target(chain, meaning, superlabels.get(meaning)) for meaning in meanings]


def _superlabel_target(chain: Chain, entry: Superlabel) -> _Target:
    value = entry.index if chain.name.endswith("superind") and entry.index is not None else entry.name
    return _Target(value, entry.name, entry.index, chain.status(value), None, entry.rank or 0)


def _meaning_target(chain: Chain, meaning: str, entry: Superlabel | None) -> _Target:
    if entry is None:
        return _Target(meaning, meaning, None, chain.status(meaning), None, 0)
    return _Target(meaning, meaning, None, chain.status(meaning), entry.name, entry.rank or 0)


def _numbers(targets: Iterable[_Target]) -> dict[Value, int]:
    """Class id of each value: the index where it is one to export, else the next free number."""
    numbers: dict[Value, int] = {t.value: t.exported for t in targets if t.exported is not None and t.exported >= 0}
    free = max(numbers.values(), default=-1) + 1
    for target in targets:
        if target.value not in numbers:
            numbers[target.value], free = free, free + 1
    return numbers


def _class_row(dataset: Dataset, target: _Target, number: int, new_of: dict[int, int]) -> dict[str, Any]:
    sources = dataset.classes.filter(pl.col("id").is_in([old for old, new in new_of.items() if new == number]))
    shared = {name: sources[name][0] for name in _CARRIED if sources[name].n_unique() == 1}
    own = {"id": number, "name": target.name, "superclass": target.superclass, "status": target.status, "priority": target.priority}
    return {**shared, **own}


def _marked_row(row: dict[str, Any], entry: Superlabel | None) -> dict[str, Any]:
    if entry is None:
        return row
    return {**row, "superclass": entry.name, "status": entry.status, "priority": row["priority"] if entry.rank is None else entry.rank}


def _extras(dataset: Dataset, new_of: dict[int, int]) -> pl.DataFrame:
    """What formats left beside classes goes with a class that stays one; what belonged to several fits none of them."""
    alone = {old: new for old, new in new_of.items() if list(new_of.values()).count(new) == 1}
    beside = (pl.col("table") == "classes") & pl.col("row").is_not_null()
    moved = dataset.extras.filter(beside & pl.col("row").is_in(list(alone)))
    moved = moved.with_columns(pl.col("row").replace_strict(alone, default=None, return_dtype=pl.Int64))
    return pl.concat([dataset.extras.filter(~beside), moved])
