"""What is kept, and how, by what there is room for."""

import pytest

from burnish.errors import ConfigError, DataError
from burnish.media.shared.budget import Budget, choose, packed_bytes, raw_bytes
from burnish.media.shared.fields import Field

FIELDS = {"picture": Field((100, 100, 3), is_picture=True), "mask": Field((100, 100))}
ROWS = 1000
RAW, PACKED = raw_bytes(FIELDS, ROWS), packed_bytes(FIELDS, ROWS)


def test_what_rows_take_is_counted_with_their_masks():
    assert RAW == ROWS * 40_001
    assert 0.1 * RAW < PACKED < 0.3 * RAW


@pytest.mark.parametrize(
    ("disk", "memory", "keeping"),
    [
        (RAW, RAW, "raw"),
        (RAW - 1, RAW, "packed"),
        (RAW, RAW - 1, "packed"),
        (PACKED, 0, "packed"),
        (PACKED - 1, RAW, "none"),
        (0, 0, "none"),
    ],
)
def test_the_first_of_raw_packed_and_none_that_has_room_is_taken_and_what_is_lost_is_told(tmp_path, disk, memory, keeping):
    choice = choose(FIELDS, ROWS, Budget(disk, memory), tmp_path)
    assert choice.keeping == keeping
    assert bool(choice.note) == (keeping != "raw")
    if keeping == "packed":
        assert choice.limit == disk
        assert "kept as JPEG of quality 95" in choice.note
    if keeping == "none":
        assert "every epoch decodes them again" in choice.note


@pytest.mark.parametrize("keeping", ["raw", "packed"])
def test_what_is_asked_for_and_has_no_room_is_refused_with_numbers_and_the_way_out(tmp_path, keeping):
    with pytest.raises(
        DataError, match=rf"1,000 pictures needs [\d.]+ [MG]B as {keeping}, and .* has 1\.00 MB for it\. Free some space.*auto"
    ):
        choose(FIELDS, ROWS, Budget(10**6, keeping=keeping), tmp_path)


def test_a_disk_keeps_a_reserve_unless_told_otherwise(tmp_path):
    huge = {"picture": Field((10**6, 10**6, 3), is_picture=True)}
    assert choose(huge, 10, Budget(), tmp_path / "not" / "there").keeping == "none"
    assert choose(FIELDS, 1, Budget(keeping="none"), tmp_path).note == ""


def test_a_budget_below_nothing_is_an_error():
    with pytest.raises(ConfigError, match="disk is -1"):
        Budget(disk=-1)
