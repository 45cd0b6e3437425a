"""Networks in tests run on one thread, beside other tests."""

import pytest

torch = pytest.importorskip("torch")
torch.set_num_threads(1)
