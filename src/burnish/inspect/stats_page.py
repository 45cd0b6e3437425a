"""The counts of a dataset as one page with charts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import polars as pl

from burnish.report.charts import bars, stacked_bars
from burnish.report.numbers import number
from burnish.report.page import Fact, Section, page
from burnish.report.tables import html_table

if TYPE_CHECKING:
    from burnish.inspect.stats import Stats

_SIZES_SHOWN = 12
_COUNTS_SHOWN = 25
_SOURCES_SHOWN = 30
_ROWS_SHOWN = 500


def stats_page(counted: Stats) -> str:
    """The page `stats.html`: how often each class occurs, where, and how pictures look as a whole."""
    tiles = [Fact(key.replace("_", " "), "-" if value is None else number(value)) for key, value in counted.facts.items()]
    table = counted.table
    sections = [
        Section("classes", "Classes", _classes(table), "How often each class occurs, and on how many pictures."),
        Section("superclasses", "Superclasses", _superclasses(counted.superclasses), "Classes that are trained as one, added up."),
        Section("parts", "Parts", _parts(table), "How the parts of the dataset share each class."),
        Section("sources", "Sources", _sources(counted.sources), "What tasks, videos and folders bring."),
        Section("pictures", "Pictures", _pictures(counted.sizes, counted.kinds, counted.per_picture)),
    ]
    return page(counted.name, [s for s in sections if s.body], facts=tiles, kind="stats")


def _superclasses(table: pl.DataFrame) -> str:
    if table.is_empty():
        return ""
    names = table["superclass"].to_list()
    charts = [bars(names, table[column].to_list(), title=f"{column.title()} of each superclass") for column in ("shapes", "tracks")]
    return "".join(charts) + html_table(table, caption="All counts")


def _sources(table: pl.DataFrame) -> str:
    """Sources are worth a chart where there are several."""
    totals = table.group_by("source", maintain_order=True).agg(pl.col("shapes", "tracks").sum()).sort("shapes", descending=True)
    if totals.height < 2:  # noqa: PLR2004 - a single source says nothing new
        return ""
    head = totals.head(_SOURCES_SHOWN)
    charts = [
        bars(head["source"].to_list(), head[column].to_list(), title=f"{column.title()} of each source") for column in ("shapes", "tracks")
    ]
    told = table.filter(pl.col("shapes") > 0)
    return "".join(charts) + html_table(told.head(_ROWS_SHOWN), caption="Classes of each source; sources.csv holds all rows")


def _classes(table: pl.DataFrame) -> str:
    ordered = table.sort("shapes", descending=True)
    chart = bars(ordered["class"].to_list(), ordered["shapes"].to_list(), title="Shapes or labels of each class")
    return chart + html_table(ordered, caption="All counts", formats={"share": "percent"}, meters=["share"])


def _parts(table: pl.DataFrame) -> str:
    parts = {column.removesuffix(" shapes"): table[column].to_list() for column in table.columns if column.endswith(" shapes")}
    if len(parts) < 2:  # noqa: PLR2004 - a single part says nothing new
        return ""
    return stacked_bars(
        table["class"].to_list(), parts, title="Shapes of each class in each part", tones=("accent", "good", "bad", "soft")[: len(parts)]
    )


def _pictures(sizes: pl.DataFrame, kinds: pl.DataFrame, per_picture: pl.DataFrame) -> str:
    known = sizes.head(_SIZES_SHOWN)
    names = ["unknown" if None in (w, h) else f"{w} x {h}" for w, h in known.select("width", "height").iter_rows()]
    charts = [bars(names, known["pictures"].to_list(), title="Picture sizes", note="The most frequent sizes, in pixels.")]
    if kinds.height > 1:
        charts.append(bars(kinds["kind"].to_list(), kinds["shapes"].to_list(), title="Kinds of shapes"))
    head = per_picture.head(_COUNTS_SHOWN)
    charts.append(
        bars(
            [str(n) for n in head["shapes"]], head["pictures"].to_list(), title="Shapes on a picture", note="Pictures with so many shapes."
        )
    )
    return "".join(charts)
