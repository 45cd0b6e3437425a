"""A dataset that a verb made out of another, ready to be saved as a version or in any format."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from burnish.data.findings import counts_by_kind, no_findings
from burnish.engine.progress import Progress, silent
from burnish.errors import DataError
from burnish.formats import versioned
from burnish.formats.findings import Findings, write_findings
from burnish.formats.recognise import open_dataset, write_dataset

if TYPE_CHECKING:
    from collections.abc import Mapping

    import polars as pl

    from burnish.data.dataset import Dataset
    from burnish.data.samples import Sampling
    from burnish.engine.map import Engine


def versions_home(source: Path | str) -> Path:
    """Where versions of a dataset are kept: in itself when it is one of ours, otherwise in a burnish dataset beside it."""
    path = Path(source)
    if versioned.recognise(path):
        return path
    if path.name == "labels.jsonl":  # every dataset of the format has a file of that name; the folder tells them apart
        path = path.parent if path.parent.name else path.parent.resolve()
    return path.with_suffix(".burnish") if path.is_file() else path.with_name(path.name + ".burnish")


@dataclass(frozen=True, slots=True)
class Derived:
    """A dataset, and what made it.

    Attributes:
        dataset: The new dataset.
        verb: What made it.
        config: With which settings.
        text: What to tell about it.
        to: Format to save it in.
        media: Whether saving copies the pictures, links them, or leaves them.
        options: More for the format's writer.
        sampling: Scales, tiles and more of formats for training.
        engine: Where saving works.
        progress: Where saving reports.
        findings: What was noticed on the way.
    """

    dataset: Dataset
    verb: str
    config: Mapping[str, Any]
    text: str
    to: str = "burnish"
    media: Literal["copy", "link", "none"] = "none"
    options: Mapping[str, Any] = field(default_factory=dict[str, Any])
    sampling: Sampling | None = None
    engine: Engine | None = None
    progress: Progress = silent
    findings: pl.DataFrame = field(default_factory=no_findings)
    derives: bool = True

    @property
    def table(self) -> pl.DataFrame:
        """The pictures of the new dataset."""
        return self.dataset.images

    def save(self, folder: Path, *, force: bool = False) -> list[Path]:
        """Write the dataset; into a burnish dataset folder it goes as the next version, which refers to the pictures where they are.

        Raises:
            DataError: The folder holds something else, or the disk is full.
        """
        ours = self.to == versioned.NAME
        if ours and (self.media == "none" or versioned.recognise(folder)):
            versioned.add_version(self.dataset, folder, verb=self.verb, config=self.config)
            return [folder]
        options = {"verb": self.verb, "config": self.config} if ours else self.options
        running = {"sampling": self.sampling, "engine": self.engine, "progress": self.progress}
        notes = write_dataset(self.dataset, folder, self.to, media=self.media, force=force, **running, **options)
        if notes.is_empty():
            return [folder]
        about = {"verb": self.verb, "dataset": str(folder), "format": self.to}
        return [folder, *write_findings(Findings(notes, about), folder.with_name(folder.name + "-findings"))]

    def save_in_place(self) -> list[Path]:
        """Write the next version of the burnish dataset that this one came from, or a new burnish dataset beside one of another format.

        Raises:
            DataError: The disk is full, or the folder beside it holds something else, or earlier changes that this dataset has not.
        """
        source = Path(self.dataset.origin["path"])
        home = versions_home(source)
        if home != source and versioned.recognise(home):
            raise DataError(
                f"{home} holds changes of {source} already, and these were not made on top of them. "
                f"Work on that one (--dataset {home}), or write elsewhere with --out."
            )
        if home != source:
            versioned.add_version(open_dataset(source), home, verb="convert")
        versioned.add_version(self.dataset, home, verb=self.verb, config=self.config)
        return [home]

    def summary(self) -> dict[str, Any]:
        """Counts of the new dataset's tables, and of what was noticed."""
        return {"text": self.text, "counts": self.dataset.counts(), "findings": counts_by_kind(self.findings)}

    def __str__(self) -> str:
        return self.text
