import numpy as np
import pytest

from burnish.errors import DataError
from burnish.geometry import arrays


def test_a_mask_of_floats_is_refused_with_advice():
    with pytest.raises(DataError, match=r"mask: found float32, expected booleans\. Say the threshold, for instance: mask > 0\.5"):
        arrays.as_mask(np.zeros((2, 2), dtype=np.float32))


def test_a_mask_of_integers_is_inside_where_it_is_not_zero():
    assert arrays.as_mask(np.array([[0, 1], [255, 0]], dtype=np.uint8)).tolist() == [[False, True], [True, False]]


def test_a_mask_with_channels_is_refused():
    with pytest.raises(DataError, match=r"found shape \(2, 2, 3\), expected \(height, width\)"):
        arrays.as_mask(np.zeros((2, 2, 3), dtype=bool))


def test_rows_that_are_not_finite_are_named():
    with pytest.raises(DataError, match="NaN or infinity in 7 rows") as caught:
        arrays.require_finite(np.array([[0.0], *[[np.nan]] * 7]), "boxes")
    assert caught.value.rows == (1, 2, 3, 4, 5, 6, 7)


def test_scores_must_be_one_for_each_row():
    with pytest.raises(DataError, match=r"scores: found shape \(2,\), expected \(3,\)"):
        arrays.as_scores([0.1, 0.2], 3)
