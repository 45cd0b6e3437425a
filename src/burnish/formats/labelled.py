"""Label tables named in settings, laid over a dataset before it is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

from burnish.data.chains import make_chain
from burnish.data.findings import counts_by_kind, no_findings
from burnish.data.relabelling import marked, relabelled
from burnish.errors import ConfigError
from burnish.formats.label_tables import read_tables

if TYPE_CHECKING:
    import polars as pl

    from burnish.data.chains import ChainChoice
    from burnish.data.dataset import Dataset


def labelled(
    dataset: Dataset, labels: str | None, superlabels: str | None, chain: ChainChoice = "auto", *, loose: bool = False
) -> tuple[Dataset, pl.DataFrame, str]:
    """The dataset with the classes that the tables give it, the tables' own problems, and a line that tells of both.

    Raises:
        ConfigError: A chain is asked for, but no table is named.
        LabelError: The tables do not know a class that has objects.
        FormatError: A file is no label table.
    """
    named = [path for path in (labels, superlabels) if path]
    if not named:
        if chain != "auto" or loose:
            raise ConfigError("'chain' and 'loose' speak of label tables, but none is named. Add labels, superlabels, or both.")
        return dataset, no_findings(), ""
    tables = read_tables(*named)
    if chain == "mark":
        made, told = marked(dataset, tables.taxonomy, loose=loose), "marked by"
    else:
        found = make_chain(tables.taxonomy, chain, loose=loose)
        made, told = relabelled(dataset, found, tables.taxonomy), f"{found.name} of"
    number = sum(counts_by_kind(tables.findings).values())
    names = " ".join(named)
    problems = f"; {number} {'problem' if number == 1 else 'problems'} in the tables, see: burnish labels {names}" if number else ""
    return made, tables.findings, f"\nclasses: {told} {' and '.join(named)}{problems}"
