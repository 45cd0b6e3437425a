"""Refined masks go to a server to be looked at, and what people did to them comes back."""

import numpy as np
import pytest
from refine_builders import BOX, refined_sets

from burnish.cvat.pull import pull
from burnish.cvat.push import push
from burnish.formats.derived import Derived
from burnish.formats.recognise import open_dataset
from burnish.geometry import rle
from burnish.refine.reviewing import read_reviews
from burnish.refine.settings import ShapesConfig
from burnish.refine.shapes import shapes_of


@pytest.fixture
def task(connection, login, tmp_path):
    """Sets of which the shapes lie on the server, and the task there."""
    sets, made = refined_sets(tmp_path)
    shapes = shapes_of([made.train, made.val], ShapesConfig())
    Derived(shapes, "refine", {}, "").save(tmp_path / "out" / "shapes")
    push(open_dataset(tmp_path / "out" / "shapes"), connection.address.host, login=login)
    (about,) = connection.pages("tasks")
    return sets, about


def frames_of(connection, task):
    """Frame number of each picture's name."""
    frames = connection.get(f"tasks/{task['id']}/data/meta")["frames"]
    return {frame["name"].rpartition(".")[0]: number for number, frame in enumerate(frames)}


def test_shapes_lie_on_the_server_as_masks_with_their_source_and_score(task, connection):
    sets, about = task
    frames = frames_of(connection, about)
    shapes = connection.get(f"tasks/{about['id']}/annotations")["shapes"]
    weak = {frames[name] for name in sets.weak}
    assert {shape["type"] for shape in shapes} == {"mask"}
    assert {shape["source"] for shape in shapes if shape["frame"] in weak} == {"auto"}
    assert {shape["score"] for shape in shapes if shape["frame"] in weak} == {1.0}
    assert {shape["source"] for shape in shapes if shape["frame"] not in weak} == {"manual"}
    assert sum(shape["frame"] in weak for shape in shapes) == 2 * len(sets.weak)


def test_what_people_did_on_the_server_comes_back(task, connection, login, tmp_path):
    sets, about = task
    frames, path = frames_of(connection, about), f"tasks/{about['id']}/annotations"
    shapes = connection.get(path)["shapes"]
    untouched, refused, drawn, *_ = sorted(sets.weak)
    nothing = {"tags": [], "tracks": []}
    gone = [shape for shape in shapes if shape["frame"] == frames[refused]]
    connection.patch(path, {"shapes": gone, **nothing}, action="delete")
    square = np.zeros((24, 32), bool)
    square[BOX[1] + 1 : BOX[1] + 7, BOX[0] + 1 : BOX[0] + 7] = True
    own = next(shape for shape in shapes if shape["frame"] == frames[drawn])
    other = next(shape for shape in shapes if shape["frame"] == frames[drawn] and shape is not own)
    connection.patch(path, {"shapes": [own], **nothing}, action="delete")
    by_hand = {key: value for key, value in own.items() if key != "id"} | {"source": "manual", "points": rle.to_cvat(square)}
    connection.patch(path, {"shapes": [by_hand], **nothing}, action="create")
    pull(f"{connection.address.host}/tasks/{about['id']}", login=login).save(tmp_path / "back")
    reviews = read_reviews(tmp_path / "back", sets, 2, 0.3)
    verdicts = {name: one.verdict for name, one in reviews.pictures.items()}
    expected = dict.fromkeys(sets.weak, "accepted") | {refused: "refused", drawn: "redrawn"}
    assert verdicts == expected
    left = rle.from_cvat(other["points"], 24, 32)
    assert np.array_equal(reviews.pictures[drawn].paint()[0] > 0, square | left)
    assert (reviews.pictures[untouched].paint() == 255).any()
