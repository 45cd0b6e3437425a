"""Sets of the segmentation service's own scripts, which have no provenance, are refined further."""

import shutil

import numpy as np
import pytest
from refine_builders import BOX, mask_of, names_in, provenance, seed_dataset, write_mask

import burnish
from burnish.engine.map import Engine
from burnish.engine.progress import Silent
from burnish.errors import FormatError
from burnish.refine.hybrid_set import make_hybrid_set
from burnish.refine.merging import Improver
from burnish.refine.prepare import prepare
from burnish.refine.prepared import open_sets
from burnish.refine.refine import find_sets
from burnish.refine.settings import HybridSetConfig

ONE = Engine(jobs=1)


class Told(Silent):
    """Progress of which the lines are kept."""

    def __init__(self, lines):
        self.say = lines.append


def left(pictures):
    """A predictor that is sure of columns 10 to 13 alone."""
    maps = [np.full((1, *picture.shape[:2]), 0.05, np.float32) for picture in pictures]
    for one in maps:
        one[:, :, 10:14] = 0.95
    return maps


def refined(sets, number, **more):
    return make_hybrid_set(sets, Improver(left, "left"), HybridSetConfig.make(number=number, copies=1, **more), engine=ONE)


@pytest.fixture
def root(tmp_path):
    """The dataset N of 8 hand-labelled and 6 weak pictures, and the sets that the scripts make of it, with the first hybrid one."""
    prepare(burnish.open(seed_dataset(tmp_path / "N", hand=8, weak=6)), engine=ONE).save(tmp_path)
    refined(open_sets(tmp_path, "N"), 1)
    shutil.rmtree(tmp_path / "N_WEAK")
    for told in [*tmp_path.glob("N_*/provenance.json"), *tmp_path.glob("N_*/classes.txt")]:
        told.unlink()
    return tmp_path


def test_who_is_labelled_by_hand_is_told_by_the_names(root):
    found = find_sets(root / "N")
    assert set(found.weak) == {"8", "9", "10", "11", "12", "13"}
    hand = {part: {row["name"] for row in found.provenances[part]["pictures"]} for part in ("BASELINE", "BASELINE_VAL")}
    assert {part: len(names) for part, names in hand.items()} == {"BASELINE": 3, "BASELINE_VAL": 1}
    assert not any("_aug" in name for names in hand.values() for name in names)
    assert "3 pictures of N_BASELINE and 1 of N_BASELINE_VAL are taken as labelled by hand, 6 others of N as weakly" in found.notes[0]


@pytest.mark.parametrize("from_hybrid", [False, True], ids=["dataset", "hybrid"])
def test_the_next_set_is_what_prepared_sets_would_give(root, from_hybrid):
    if from_hybrid:
        shutil.rmtree(root / "N")
    result = refined(find_sets(root / "N"), 2)
    expected = np.zeros((24, 32), np.uint8)
    expected[BOX[1] : BOX[3], BOX[0] : BOX[2]] = 76
    expected[BOX[1] : BOX[3], 10:14] = 255
    weak = [(folder, name) for folder in (result.train, result.val) for name in names_in(folder) if name.isdecimal() and int(name) >= 8]
    assert len(weak) == 6
    assert all((mask_of(folder / "masks" / f"{name}.png") == expected).all() for folder, name in weak)
    assert {row["origin"] for row in provenance(result.train)["pictures"]} == {"manual", "hybrid"}
    assert not names_in(root / "N_EVAL") & (names_in(result.train) | names_in(result.val))


def test_the_masks_drawn_by_hand_go_on_as_they_are(root):
    result = refined(find_sets(root / "N"), 2)
    for name in {row["name"] for row in find_sets(root / "N").provenances["BASELINE"]["pictures"]}:
        assert (mask_of(result.train / "masks" / f"{name}.png") == mask_of(root / "N_BASELINE/masks" / f"{name}.png")).all()


def test_a_folder_of_such_sets_alone_is_enough(root):
    assert find_sets(root).name == "N"


def test_pictures_of_the_evaluation_set_are_never_trained_on_whatever_their_names(root):
    evaluated = next((root / "N_EVAL/images").iterdir())
    shutil.copy(evaluated, root / "N/images/8.jpg")
    shutil.copy(evaluated, next(path for path in (root / "N_BASELINE/images").iterdir() if "_aug" not in path.name))
    found = find_sets(root / "N")
    assert "8" not in found.weak
    assert len(found.provenances["BASELINE"]["pictures"]) == 2
    assert any("1 hand-labelled pictures are in N_EVAL too and are left out" in note for note in found.notes)
    assert any("1 pictures are in the evaluation set too and are left out: 8." in note for note in found.notes)


def test_without_an_evaluation_set_its_pictures_are_known_by_their_polygons(root):
    shutil.rmtree(root / "N_EVAL")
    assert set(find_sets(root / "N").weak) == {"8", "9", "10", "11", "12", "13"}


def test_weak_masks_of_no_use_are_told_by_name(root):
    write_mask(root / "N/masks/8.png", np.zeros((24, 32), np.uint8))
    write_mask(root / "N/masks/9.png", np.full((10, 10), 255, np.uint8))
    (root / "N/masks/10.png").unlink()
    found = find_sets(root / "N")
    assert set(found.weak) == {"11", "12", "13"}
    told = " ".join(found.notes)
    assert "have an empty weak mask and are left out: 8." in told
    assert "have a weak mask of another size and are left out: 9." in told
    assert "have no weak mask and are left out: 10." in told


def test_sets_from_which_nothing_can_be_told_are_refused(root):
    for folder in (root / "N", root / "N_H1"):
        shutil.rmtree(folder)
    with pytest.raises(FormatError, match=r"neither the dataset N with images/ and masks/ nor a set N_H1"):
        find_sets(root / "N")
    (root / "N_BASELINE/masks").rename(root / "N_BASELINE/shapes")
    with pytest.raises(FormatError, match=r"expected images/NAME and masks/NAME\.png"):
        find_sets(root / "N")


def test_sets_of_several_classes_need_a_provenance(root):
    (root / "N_BASELINE/classes.txt").write_text("background\ncrack\nroot\n")
    with pytest.raises(FormatError, match="those of one class"):
        find_sets(root / "N")


def test_a_loop_trains_on_such_sets(root, tmp_path):
    pytest.importorskip("torch")
    from burnish.refine.refine import refine  # noqa: PLC0415 - torch
    from burnish.refine.settings import RefineConfig  # noqa: PLC0415

    training = {
        "network": {"name": "unet", "width": 4, "depth": 2},
        "size": 32,
        "batch_size": 4,
        "epochs": 1,
        "data": {"workers": 1},
        "evaluation": {"pictures": 0},
    }
    lines = []
    config = RefineConfig(loop=True, rounds=1, number=2, copies=0, training=training)
    result = refine(root / "N", config, work=tmp_path / "loop", progress=Told(lines))
    assert lines[0].startswith("The sets of N have no provenance")
    assert [one.set for one in result.rounds] == ["N_BASELINE", "N_H2"]
    result.save(tmp_path / "loop")
    assert "Masks that changed most" in (tmp_path / "loop/report.html").read_text()
