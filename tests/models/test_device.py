"""The device is chosen, and a CUDA device computes in TF32."""

import pytest
import torch

from burnish.errors import ConfigError
from burnish.models.device import choose_device


@pytest.fixture
def precision():
    before = torch.get_float32_matmul_precision()
    yield
    torch.set_float32_matmul_precision(before)


def test_the_processor_is_there_and_computes_in_full_precision():
    assert choose_device("cpu").type == "cpu"
    assert torch.get_float32_matmul_precision() == "highest"


@pytest.mark.usefixtures("precision")
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_a_cuda_device_computes_in_tf32():
    assert choose_device("cuda").type == "cuda"
    assert torch.get_float32_matmul_precision() == "high"
    assert torch.backends.cudnn.allow_tf32


def test_a_device_that_is_not_there_is_named():
    with pytest.raises(ConfigError, match=r"The device 'nonsense' cannot be used.*auto takes it"):
        choose_device("nonsense")
