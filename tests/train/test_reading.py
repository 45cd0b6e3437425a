"""Pictures in batches, with those that cannot be read."""

import numpy as np
import pytest

pytest.importorskip("torch")

from burnish.engine.map import Engine
from burnish.media.unreadable import UnreadableImage
from burnish.train.policies.settings import PredictConfig
from burnish.train.predict import predict
from burnish.train.reading import picture_batches


def read(item):
    if item % 3 == 2:
        raise UnreadableImage(f"{item}.png", "no picture")
    return np.full((2, 2, 3), item, np.uint8)


@pytest.mark.parametrize("jobs", [1, 2])
def test_every_item_is_in_one_batch_in_its_order_and_bad_ones_are_told(jobs):
    batches = list(picture_batches(range(9), read, 4, Engine(jobs)))
    assert [item for batch in batches for item in batch.items] == [0, 1, 3, 4, 6, 7]
    assert [len(batch.items) for batch in batches] == [4, 2]
    assert all((picture == item).all() for batch in batches for item, picture in zip(batch.items, batch.pictures, strict=True))
    assert [item for batch in batches for item, _ in batch.unreadable] == [2, 5, 8]
    assert sum(map(len, batches)) == 9


def test_what_is_unreadable_at_the_end_is_told_too():
    assert [len(batch) for batch in picture_batches([0, 1, 2], read, 2, Engine(1))] == [2, 1]


def test_a_dataset_that_ends_with_unreadable_pictures_is_predicted_to_its_end(mask_run, squares, tmp_path):
    dataset = squares(tmp_path, ("cell",), splits=("test",) * 3)
    (tmp_path / "3.png").write_bytes(b"no picture")
    found = predict(dataset, PredictConfig(model=str(mask_run[1]), batch_size=2, device="cpu"))
    assert found.findings["image"].to_list() == [3]
    assert "1 pictures cannot be read and have no predictions:" in str(found)
    assert "3.png: " in str(found)
