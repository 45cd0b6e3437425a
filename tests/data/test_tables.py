import polars as pl
import pytest

from burnish.data.schema import ANNOTATIONS
from burnish.data.tables import complete

_STORED = pl.DataFrame({"id": [1, 2, 3], "image": [1, 1, 2]})


@pytest.mark.parametrize("wanted", [("track",), ("outside", "group"), ("id", "track")])
@pytest.mark.parametrize("rows", [0, 3])
def test_columns_that_are_not_stored_have_as_many_rows_as_the_table(wanted, rows):
    made = complete(ANNOTATIONS, _STORED.head(rows).lazy(), _STORED.columns, wanted)
    assert made.collect().shape == (rows, len(wanted))
    assert made.collect(engine="streaming").columns == list(wanted)


def test_a_stored_table_on_disk_keeps_its_rows_when_only_defaults_are_asked_for(tmp_path):
    _STORED.write_parquet(tmp_path / "annotations.parquet")
    made = complete(ANNOTATIONS, pl.scan_parquet(tmp_path / "annotations.parquet"), _STORED.columns, ["group"])
    assert made.collect()["group"].to_list() == [0, 0, 0]
    assert made.collect(engine="streaming")["group"].to_list() == [0, 0, 0]
