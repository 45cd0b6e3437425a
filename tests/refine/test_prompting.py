from dataclasses import replace

import numpy as np
import pytest

from burnish.errors import ModelError
from burnish.geometry import rle
from burnish.models.protocols import Segmenter
from burnish.refine.modes.evidence import Weak
from burnish.refine.prompting import draw


class BrightPixels:
    """Draws the pixels of a box that are brighter than the mean of the box; an honest, if simple, segmenter by box."""

    def __init__(self, *, backwards=False, answers=True):
        self.backwards, self.answers = backwards, answers

    def segment(self, pictures, prompts=None):
        found = [self._one(picture, prompt) for picture, prompt in zip(pictures, prompts, strict=True)]
        return found if self.answers else []

    def _one(self, picture, prompt):
        masks = []
        for x1, y1, x2, y2 in prompt.boxes.astype(int).tolist():
            mask = np.zeros(picture.shape[:2], bool)
            part = picture[y1:y2, x1:x2].mean(axis=2)
            mask[y1:y2, x1:x2] = part > part.mean()
            masks.append(rle.compress(rle.encode(mask)))
        if not self.backwards:
            return replace(prompt, masks=tuple(masks))
        # Some models give the masks in another order, and drop those of low quality.
        order = np.arange(len(masks))[::-1][:-1]
        return replace(prompt, boxes=prompt.boxes[order], masks=tuple(masks[place] for place in order))


def _picture():
    picture = np.zeros((8, 20, 3), np.uint8)
    picture[2:4, 2:4] = picture[2:4, 8:10] = picture[4:6, 14:16] = 250
    return picture


WEAK = Weak(np.array([[1.0, 1, 6, 6], [7, 1, 12, 6], [13, 1, 18, 7]]), np.zeros(3, np.int64), (8, 20))


def test_each_box_gets_what_is_drawn_in_it():
    assert isinstance(BrightPixels(), Segmenter)
    (drawn,) = draw(BrightPixels(), [_picture()], [WEAK])
    assert drawn.shape == (3, 8, 20)
    assert np.argwhere(drawn[2]).tolist() == [[4, 14], [4, 15], [5, 14], [5, 15]]


def test_answers_in_another_number_are_matched_by_their_boxes():
    (drawn,) = draw(BrightPixels(backwards=True), [_picture()], [WEAK])
    assert not drawn[0].any()
    assert np.argwhere(drawn[1])[0].tolist() == [2, 8]
    assert np.argwhere(drawn[2])[0].tolist() == [4, 14]


def test_a_picture_without_boxes_gets_no_masks():
    (drawn,) = draw(BrightPixels(), [_picture()], [Weak(np.zeros((0, 4)), np.zeros(0, np.int64), (8, 20))])
    assert drawn.shape == (0, 8, 20)


def test_answers_to_fewer_pictures_are_refused():
    with pytest.raises(ModelError, match="0 answers to 1 pictures"):
        draw(BrightPixels(answers=False), [_picture()], [WEAK])
