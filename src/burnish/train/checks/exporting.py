"""Whether the network can be exported to ONNX and quantised, by doing it into a temporary folder."""

from __future__ import annotations

import logging
import tempfile
import warnings
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from burnish.errors import extra
from burnish.train.checks.finding import Example, Finding, LossCall, tensors_in, told

with extra("train"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Generator

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

_NEAR = 1e-3
_QUANTISED_NEAR = 0.1
_INPUT = "input"


def onnx_export(model: nn.Module, example: Example, loss: LossCall) -> Finding:
    """Export with a free number of pictures; where ONNX Runtime is installed, compare its results for another batch size."""
    del loss
    name = "ONNX export"
    missing = _missing("onnx", "onnxscript")
    if missing:
        return Finding(name, "not checked", f"{missing[0]} is not installed.", f"pip install {' '.join(missing)}")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.onnx"
        try:
            _export(model, example, path)
        except Exception as error:  # noqa: BLE001 - exporters raise whatever the network's code makes them raise
            advice = "Look for branches on values, operations in place and NumPy in the forward pass."
            return Finding(name, "error", f"It cannot be exported: {told(error)}.", advice)
        size = sum(file.stat().st_size for file in Path(folder).iterdir()) / 2**20
        if _missing("onnxruntime"):
            advice = "pip install onnxruntime, and the results are compared."
            return Finding(name, "ok", f"It can be exported ({size:.1f} MiB).", advice)
        inputs = example.sized(len(example.inputs) + 1).inputs
        try:
            far = _distance(_evaluated(model, inputs), _run(path, inputs))
        except Exception as error:  # noqa: BLE001 - the runtime has errors of its own for each kind of failure
            advice = "Look for numbers of the batch in reshape and view: -1 or the size of the input must stand there."
            return Finding(name, "error", f"The exported network fails with {len(inputs)} pictures: {told(error)}.", advice)
    if far > _NEAR:
        advice = "Something is computed while exporting that should be while running: look for constants made from inputs."
        return Finding(name, "error", f"The exported network differs by {far:.1e} of the largest value.", advice)
    return Finding(name, "ok", f"It can be exported ({size:.1f} MiB), with any number of pictures, and gives the same (to {far:.1e}).")


def int8(model: nn.Module, example: Example, loss: LossCall) -> Finding:
    """Quantise statically to int8, calibrated on the example, and compare: how far off the least effort is."""
    del loss
    name = "int8"
    missing = _missing("onnx", "onnxscript", "onnxruntime")
    if missing:
        return Finding(name, "not checked", f"{missing[0]} is not installed.", f"pip install {' '.join(missing)}")
    with tempfile.TemporaryDirectory() as folder:
        plain, small = Path(folder) / "model.onnx", Path(folder) / "int8.onnx"
        try:
            _export(model, example, plain)
            _quantise(plain, small, example.inputs)
            far = _noise(_evaluated(model, example.inputs), _run(small, example.inputs))
        except Exception as error:  # noqa: BLE001 - exporters and quantisers raise whatever they come upon
            advice = "See 'ONNX export' first; the message names the operation that cannot be quantised."
            return Finding(name, "error", f"It cannot be quantised: {told(error)}.", advice)
    found = f"It can be quantised, and its results then differ by {far:.1%} (root mean square) on the pictures it was calibrated with."
    if far > _QUANTISED_NEAR:
        advice = "Calibrate with more pictures, leave the first and last layers in float, or train with quantisation."
        return Finding(name, "warning", found, advice)
    return Finding(name, "ok", found)


def _missing(*names: str) -> list[str]:
    return [name for name in names if find_spec(name) is None]


def _export(model: nn.Module, example: Example, path: Path) -> None:
    model.eval()
    free = ({0: torch.export.Dim("pictures")},)
    with _quiet(), torch.no_grad():
        torch.onnx.export(
            model, (example.inputs,), str(path), dynamo=True, dynamic_shapes=free, input_names=[_INPUT], verbose=False, external_data=False
        )


class Rows:
    """What the quantiser calibrates with: one picture after another, then None."""

    def __init__(self, inputs: Tensor) -> None:
        self._coming = iter(inputs.split(1))

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """The next one, by the name of the input."""
        row = next(self._coming, None)
        return None if row is None else {_INPUT: row.cpu().numpy()}


def _quantise(plain: Path, small: Path, inputs: Tensor) -> None:
    quantization: Any = import_module("onnxruntime.quantization")
    with _quiet():
        quantization.quantize_static(str(plain), str(small), Rows(inputs), quant_format=quantization.QuantFormat.QDQ, per_channel=True)


def _run(path: Path, inputs: Tensor) -> list[Tensor]:
    runtime: Any = import_module("onnxruntime")
    options = runtime.SessionOptions()
    options.log_severity_level = 4
    session = runtime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
    found: list[Any] = session.run(None, {_INPUT: inputs.cpu().numpy()})
    return [torch.from_numpy(value).float() for value in found]


def _evaluated(model: nn.Module, inputs: Tensor) -> list[Tensor]:
    model.eval()
    with torch.no_grad():
        return [value.float().cpu() for value in tensors_in(model(inputs))]


def _distance(wanted: list[Tensor], found: list[Tensor]) -> float:
    if [value.shape for value in wanted] != [value.shape for value in found]:
        return torch.inf
    return max(
        (float((one - other).abs().max() / one.abs().max().clamp_min(1e-12)) for one, other in zip(wanted, found, strict=True)), default=0.0
    )


def _noise(wanted: list[Tensor], found: list[Tensor]) -> float:
    """The length of the difference over that of the wanted results; quantisation adds a little to every number."""
    if [value.shape for value in wanted] != [value.shape for value in found]:
        return torch.inf
    apart = sum(float((one - other).square().sum()) for one, other in zip(wanted, found, strict=True))
    return (apart / max(sum(float(one.square().sum()) for one in wanted), 1e-24)) ** 0.5


@contextmanager
def _quiet() -> Generator[None]:
    """Exporters warn of their own inner life, which says nothing of the network."""
    disabled = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(disabled)
