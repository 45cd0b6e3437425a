"""Which mode improves masks best, asked of pictures drawn by hand."""

import numpy as np
import pytest
from refine_builders import BOX, provenance, seed_dataset

import burnish
from burnish.engine.map import Engine
from burnish.errors import ConfigError, DataError, ModelError
from burnish.refine.choosing import boxes_around, settled
from burnish.refine.hybrid_set import make_hybrid_set
from burnish.refine.merging import Improver
from burnish.refine.modes import build
from burnish.refine.prepare import prepare
from burnish.refine.prepared import open_sets
from burnish.refine.settings import HybridSetConfig, PrepareConfig

ONE = Engine(jobs=1)
SQUARE = (slice(6, 16), slice(10, 20))
"""Where every picture that is drawn by hand shows its object."""


@pytest.fixture
def sets(tmp_path):
    config = PrepareConfig.make(copies=1)
    prepare(burnish.open(seed_dataset(tmp_path / "N", hand=16, weak=6)), config, engine=ONE).save(tmp_path)
    return open_sets(tmp_path, "N")


def seeing(rows, columns, inside=0.95):
    """A predictor that is sure of these pixels and of nothing else."""

    def predict(pictures):
        maps = [np.full((1, *picture.shape[:2]), 0.05, np.float32) for picture in pictures]
        for one in maps:
            one[0, rows, columns] = inside
        return maps

    return Improver(predict, "m")


def chosen(sets, improver, *among):
    config = HybridSetConfig.make(mode={"name": "best", "among": list(among)} if among else "best")
    return settled(sets, improver, config)


@pytest.mark.parametrize(
    ("improver", "taken"),
    [(seeing(slice(0, 0), slice(0, 0)), "per_box"), (seeing(slice(6, 16), slice(10, 12)), "per_box"), (seeing(*SQUARE), "soft")],
    ids=["finds nothing", "finds a small part", "finds all"],
)
def test_whole_boxes_win_where_the_model_misses_what_fills_them(sets, improver, taken):
    config, choice = chosen(sets, improver, "soft", "per_box")
    assert (config.mode.name, choice.taken) == (taken, taken)
    assert choice.pictures == 8
    assert choice.scores[taken] == max(choice.scores.values()) == 1


def test_scores_are_the_overlap_with_what_is_drawn(sets):
    _, choice = chosen(sets, seeing(slice(6, 16), slice(10, 16)), "soft", {"name": "soft", "threshold": 0.9})
    assert choice.scores == {"soft": 0.6, "soft (threshold 0.9)": 0.6}
    assert choice.taken == "soft"
    assert str(choice) == "Mode soft, for its masks of 8 hand-drawn pictures are best: IoU 0.600 (soft (threshold 0.9) 0.600)."


def test_the_part_that_trained_and_the_one_that_did_not_count_alike(sets):
    """7 pictures train and 1 validates: a mode that fails on that one alone loses half of its score."""
    (row,) = [row for row in provenance(sets.folders["BASELINE_VAL"])["pictures"] if row["copy_of"] is None]
    from burnish.media.images import read_image  # noqa: PLC0415 - only here

    strange = read_image(sets.folders["BASELINE_VAL"] / row["file"]).tobytes()

    def predict(pictures):
        return [seeing(*((slice(0), slice(0)) if one.tobytes() == strange else SQUARE)).predict([one])[0] for one in pictures]

    assert chosen(sets, Improver(predict, "m"), "soft")[1].scores == {"soft": 0.5}


def test_any_other_mode_is_left_as_it_is(sets):
    config = HybridSetConfig.make(mode="tight")
    assert settled(sets, seeing(*SQUARE), config) == (config, None)


def test_the_set_is_made_by_the_chosen_mode_and_says_so(sets):
    pytest.importorskip("cv2")
    made = make_hybrid_set(sets, seeing(*SQUARE), HybridSetConfig.make(mode="best", copies=0), engine=ONE)
    told = provenance(made.train)["config"]["mode"]
    assert told["name"] == made.choice.taken.partition(" ")[0] != "best"
    assert made.summary()["mode"] == made.choice.taken
    assert len(made.summary()["modes"]) == 5
    assert str(made.choice) in str(made)
    assert BOX is not None


def test_a_model_that_fails_on_every_drawn_picture_is_told(sets):
    def predict(_pictures):
        raise RuntimeError("out of memory")

    with pytest.raises(ModelError, match="fails on all pictures that are drawn by hand"):
        chosen(sets, Improver(predict, "m"), "soft")


def test_a_mode_that_wants_more_than_there_is_says_so(sets):
    with pytest.raises(DataError, match="second"):
        chosen(sets, seeing(*SQUARE), "soft", "agreement")


def test_the_mode_itself_cannot_be_applied_nor_chosen_among_others():
    with pytest.raises(ConfigError, match="settled on the hand-drawn pictures"):
        build("best")
    with pytest.raises(ConfigError, match="best cannot be one of the modes that it chooses among"):
        HybridSetConfig.make(mode={"name": "best", "among": ["best"]})
    with pytest.raises(ConfigError, match="Did you mean 'tight'"):
        HybridSetConfig.make(mode={"name": "best", "among": ["tihgt"]})


def test_boxes_lie_around_connected_parts_of_each_class():
    drawn = np.zeros((2, 6, 8), bool)
    drawn[0, 1, 1] = drawn[0, 2, 2] = drawn[0, 5, 7] = True
    drawn[1, 0:2, 4:7] = True
    found = boxes_around(drawn)
    assert found.boxes.tolist() == [[1, 1, 3, 3], [7, 5, 8, 6], [4, 0, 7, 2]]
    assert found.classes.tolist() == [0, 0, 1]
    assert found.size == (6, 8)
