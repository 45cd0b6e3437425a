"""The contract of a format module, for people who write one: call these from your tests with your module.

```python
from burnish.testing.formats import check_format
import my_format

def test_my_format_keeps_the_contract(tmp_path):
    check_format(my_format, tmp_path)
```

Each check raises an AssertionError that says what the module did and what it must do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from burnish.formats.recognise import open_dataset
from burnish.testing.datasets import boxes_dataset, tags_dataset

if TYPE_CHECKING:
    from pathlib import Path

    from burnish.data.dataset import Dataset
    from burnish.formats.recognise import FormatModule

_DIGITS = 4


def check_format(module: FormatModule, folder: Path, **options: Any) -> None:
    """Every check below, with boxes, with tags, or with both, as the module's `CARRIES` says.

    Args:
        module: What offers `NAME`, `CARRIES`, `recognise`, `read` and `write`; `NUMBERS_PICTURES = True` where pictures are named by
            their place in the sequence, so that they are compared in their order rather than by name.
        folder: An empty folder to work in.
        options: Passed to `write`.
    """
    carries = getattr(module, "CARRIES", frozenset({"box", "tag"}))
    assert module.NAME, "NAME is empty; it must be what users write after --to"
    assert carries & {"box", "tag"}, f"{module.NAME} carries neither boxes nor tags, so that these checks have nothing to write"
    check_strangers_are_refused(module, folder / "strangers")
    if "box" in carries:
        dataset = boxes_dataset(folder / "boxes")
        check_round_trip(module, dataset, folder / "written-boxes", **options)
    if "tag" in carries:
        dataset = tags_dataset(folder / "tags", ["cat", "dog", "dog", "a name with blanks"])
        check_round_trip(module, dataset, folder / "written-tags", **options)
        if "box" not in carries:
            check_losses_are_told(module, boxes_dataset(folder / "foreign"), folder / "written-foreign", **options)
    else:
        check_losses_are_told(module, tags_dataset(folder / "foreign", ["cat", "dog"]), folder / "written-foreign", **options)


def check_strangers_are_refused(module: FormatModule, folder: Path) -> None:
    """`recognise` says no to an empty folder and to a text file, and does not fail on them."""
    folder.mkdir(parents=True)
    assert not module.recognise(folder), f"{module.NAME} takes an empty folder for its own"
    note = folder / "note.txt"
    note.write_text("a note, no labels", encoding="utf-8")
    assert not module.recognise(note), f"{module.NAME} takes a text file for its own"


def check_round_trip(module: FormatModule, dataset: Dataset, folder: Path, **options: Any) -> None:
    """What is written is recognised, and says the same when it is read: pictures, classes, kinds, corners; the pictures are there."""
    findings = module.write(dataset, folder, **options)
    lost = findings.filter(findings["is_issue"])
    assert lost.is_empty(), f"{module.NAME} tells of losses in what it says it carries: {lost['reason'].to_list()[:3]}"
    assert module.recognise(folder), f"{module.NAME} does not recognise what it wrote"
    again = module.read(folder)
    before, after = content(dataset), content(again)
    if getattr(module, "NUMBERS_PICTURES", False):
        before, after = (dict(enumerate(said.values())) for said in (before, after))
    assert after == before, f"{module.NAME} wrote {before} and read {after}"
    missing = [path for path in again.image_files()["path"] if not (again.root / path).is_file()]
    assert not missing, f"{module.NAME} names pictures that are not there: {missing[:3]}"


def check_losses_are_told(module: FormatModule, dataset: Dataset, folder: Path, **options: Any) -> None:
    """Each annotation is either read back or told in a finding: none vanishes in silence."""
    findings = module.write(dataset, folder, **options)
    told = findings["annotation"].drop_nulls()
    untold = dataset.annotations.filter(~pl.col("id").is_in(told.implode()))
    if untold.is_empty():
        return
    # A variant may be laid out as another format, as the classification folders of YOLO are.
    again = content(module.read(folder) if module.recognise(folder) else open_dataset(folder))
    expected = content(dataset.with_tables(annotations=untold))
    lost = {name: rows for name, rows in expected.items() if any(row not in again.get(name, []) for row in rows)}
    assert not lost, f"{module.NAME} dropped {lost} without a finding"


def content(dataset: Dataset) -> dict[str, list[tuple[Any, ...]]]:
    """What a dataset says, whatever its ids and folders: for each picture's file name its annotations (class, kind, corners), sorted."""
    names = dataset.class_names()
    said: dict[str, list[tuple[Any, ...]]] = {}
    for path, labels in zip(dataset.image_files()["path"], dataset.iter_labels(), strict=True):
        corners = np.round(labels.boxes, _DIGITS).tolist() if "box" in labels.kinds else [None] * len(labels)
        rows = zip((names.get(int(c)) for c in labels.classes), map(str, labels.kinds), corners, strict=True)
        said[path.rpartition("/")[2].rpartition(".")[0]] = sorted(rows, key=repr)
    return said
