import numpy as np
import pytest

from burnish.models.principal import principal_directions


def rows_of_known_variance(count, width, seed=0):
    """Rows whose variance falls by a tenth from direction to direction, and these directions."""
    random = np.random.default_rng(seed)
    directions = np.linalg.qr(random.normal(size=(width, min(count, width))))[0]
    coordinates = np.linalg.qr(random.normal(size=(count, directions.shape[1])))[0] * 0.9 ** np.arange(directions.shape[1])
    return (coordinates @ directions.T).astype(np.float32), directions


@pytest.mark.parametrize("shape", [(30, 200), (200, 30), (20, 20), (400, 300)])
def test_the_strongest_directions_come_first(shape):
    rows, directions = rows_of_known_variance(*shape)
    found = principal_directions(rows, 5)
    assert found.shape == (shape[1], 5)
    assert np.allclose(np.abs(found.T @ directions[:, :5]), np.eye(5), atol=0.01)


def test_directions_are_orthonormal_and_single_precision():
    found = principal_directions(np.random.default_rng(0).normal(size=(150, 90)).astype(np.float32), 20)
    assert found.dtype == np.float32
    assert np.allclose(found.T @ found, np.eye(20), atol=1e-4)


def test_directions_without_variance_are_left_out_but_one_remains():
    line = np.outer(np.linspace(-1, 1, 12), np.ones(5)).astype(np.float32)
    assert principal_directions(line, 4).shape == (5, 1)
    assert np.isfinite(principal_directions(np.zeros((12, 5), np.float32), 4)).all()
