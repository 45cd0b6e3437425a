"""Variance equals torch's where that is defined, and is a default of the right shape elsewhere."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from burnish.errors import DataError
from burnish.models.variance import has_variance, reduced_shape, safe_variance


@given(
    st.lists(st.integers(1, 3), min_size=1, max_size=4).flatmap(
        lambda shape: st.tuples(st.just(shape), st.sets(st.integers(0, len(shape) - 1)))
    ),
    st.booleans(),
    st.integers(0, 2),
)
def test_the_variance_is_that_of_torch_or_the_default(shape_and_dims, keepdim, correction):
    shape, dims = shape_and_dims
    values = torch.rand(shape, generator=torch.Generator().manual_seed(0))
    found = safe_variance(values, tuple(dims), correction=correction, keepdim=keepdim, default=7.0)
    assert found.shape == values.sum(tuple(dims), keepdim=keepdim).shape == reduced_shape(shape, tuple(dims), keepdim=keepdim)
    if has_variance(shape, tuple(dims), correction=correction):
        assert torch.equal(found, torch.var(values, tuple(dims), correction=correction, keepdim=keepdim))
    else:
        assert (found == 7).all()


def test_one_element_has_the_variance_zero():
    assert safe_variance(torch.ones(1)) == 0
    assert safe_variance(torch.ones(3, 1), 1).tolist() == [0, 0, 0]


def test_an_empty_batch_has_the_default_too():
    assert safe_variance(torch.ones(0, 4), 0).tolist() == [0, 0, 0, 0]


def test_a_dimension_that_is_not_there_is_named():
    with pytest.raises(DataError, match="no dimension 2 in 2 dimensions"):
        safe_variance(torch.ones(2, 2), 2)
