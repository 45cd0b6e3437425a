"""Small tasks that a network can learn in a moment."""

import numpy as np
import pytest

torch = pytest.importorskip("torch")
torch.set_num_threads(1)


@pytest.fixture(scope="session")
def coloured():
    """120 noisy pictures of 16 x 16 pixels in three colours, and their classes; the third class is rare."""
    rng = np.random.default_rng(0)
    labels = np.repeat([0, 1, 2], [60, 48, 12])
    pixels = rng.integers(0, 120, (len(labels), 16, 16, 3), dtype=np.uint8)
    pixels[np.arange(len(labels)), :, :, labels] += 100
    order = rng.permutation(len(labels))
    return pixels[order], labels[order]
