"""Whether the network can be exported to ONNX and quantised, by doing it into a temporary folder."""

from __future__ import annotations

import logging
import tempfile
import warnings
from contextlib import contextmanager, suppress
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from burnish.errors import extra
from burnish.train.checks.finding import Example, Finding, LossCall, tensors_in, told

with extra("train"):
    import torch

if TYPE_CHECKING:
    from collections.abc import Generator, Mapping

    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor, nn

_NEAR = 1e-3
_QUANTISED_NEAR = 0.1
_INPUT = "input"
_MILLIONTH = 1e-6
_OF_CONSTANTS = "Something is computed while exporting that should be while running: look for constants made from inputs."
_OF_TIES = "Check again with trained weights: before the first steps a detector picks the best places among equal ones."
_OF_NUMBERS = "Look for numbers of the batch in reshape and view: -1 or the size of the input must stand there."


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
            free = _export(model, example, path)
        except Exception as error:  # noqa: BLE001 - exporters raise whatever the network's code makes them raise
            advice = "Look for branches on values, operations in place and NumPy in the forward pass."
            return Finding(name, "error", f"It cannot be exported: {_cause(error)}.", advice)
        size = sum(file.stat().st_size for file in Path(folder).iterdir()) / 2**20
        count = len(example.inputs)
        number = "any number of" if free else f"just {count}"
        found = f"It can be exported ({size:.1f} MiB), with {number} pictures at a time"
        if _missing("onnxruntime"):
            return Finding(name, "ok" if free else "warning", f"{found}.", "pip install onnxruntime, and the results are compared.")
        return _compared(model, path, example.sized(count + 1).inputs if free else example.inputs, found, "" if free else _OF_NUMBERS)


def _compared(model: nn.Module, path: Path, inputs: Tensor, found: str, advice: str) -> Finding:
    """Whether the exported network gives the same; with advice it is a warning even then."""
    name = "ONNX export"
    try:
        far = _distance(_evaluated(model, inputs), _run(path, inputs))
    except Exception as error:  # noqa: BLE001 - the runtime has errors of its own for each kind of failure
        return Finding(name, "error", f"The exported network fails with {len(inputs)} pictures: {told(error)}.", _OF_NUMBERS)
    own = _own_change(model, inputs) if far > _NEAR else 0.0
    if own > _NEAR:
        unsure = f"the network's own results change by {own:.1e} of the largest value when its weights change by a millionth"
        return Finding(name, "warning", f"{found}; whether it gives the same cannot be told, since {unsure}.", _OF_TIES)
    if far > _NEAR:
        return Finding(name, "error", f"The exported network differs by {far:.1e} of the largest value.", _OF_CONSTANTS)
    return Finding(name, "warning" if advice else "ok", f"{found}, and gives the same (to {far:.1e}).", advice)


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
            free = _export(model, example, plain)
            _quantise(plain, small, example.inputs, 1 if free else len(example.inputs))
            far = _noise(_evaluated(model, example.inputs), _run(small, example.inputs))
        except Exception as error:  # noqa: BLE001 - exporters and quantisers raise whatever they come upon
            advice = "See 'ONNX export' first; the message names the operation that cannot be quantised."
            return Finding(name, "error", f"It cannot be quantised: {_cause(error)}.", advice)
    found = f"It can be quantised, and its results then differ by {far:.1%} (root mean square) on the pictures it was calibrated with."
    if far > _QUANTISED_NEAR:
        advice = "Calibrate with more pictures, leave the first and last layers in float, or train with quantisation."
        return Finding(name, "warning", found, advice)
    return Finding(name, "ok", found)


def _missing(*names: str) -> list[str]:
    return [name for name in names if find_spec(name) is None]


def _own_change(model: nn.Module, inputs: Tensor) -> float:
    """How far the network's results go when its weights go a millionth: far where a detector picks the best of equal scores.

    So it is before the first steps, when heads are zero and features faint; then no two libraries pick the same, and nothing is wrong.
    """
    before = [parameter.detach().clone() for parameter in model.parameters()]
    wanted, chance = _evaluated(model, inputs), torch.Generator().manual_seed(0)
    try:
        with torch.no_grad():
            for weight in model.parameters():
                if weight.is_floating_point() and weight.numel():
                    size = float(weight.abs().max()) or 1.0
                    weight.add_(_MILLIONTH * size * torch.randn(weight.shape, generator=chance).to(weight))
        return _distance(wanted, _evaluated(model, inputs))
    finally:
        with torch.no_grad():
            for weight, old in zip(model.parameters(), before, strict=True):
                weight.copy_(old)


def _export(model: nn.Module, example: Example, path: Path) -> bool:
    """Write the network as ONNX; whether with a free number of pictures."""
    model.eval()
    with _quiet(), torch.no_grad():
        program, free = _program(model, example.inputs)
        torch.onnx.export(program, (example.inputs,), str(path), dynamo=True, input_names=[_INPUT], verbose=False, external_data=False)
    return free


def _program(model: nn.Module, inputs: Tensor) -> tuple[Any, bool]:
    """The network as a graph, and whether the number of pictures is free: by running it, by reading its code, for this number alone.

    Running it is fastest, but `len(tensor)`, as in RT-DETR, makes the number a constant; reading the code (strict) keeps it free.

    Raises:
        Exception: None of these works, not even for this number.
    """
    free = ({0: torch.export.Dim("pictures")},)
    for strict in (False, True):
        with suppress(Exception):
            return torch.export.export(model, (inputs,), dynamic_shapes=free, strict=strict), True
    return torch.export.export(model, (inputs,)), False


def _cause(error: BaseException) -> str:
    """What lies at the bottom of an exporter's error: those above tell the steps of the exporter."""
    while error.__cause__ is not None:
        error = error.__cause__
    return told(error)


class Rows:
    """What the quantiser calibrates with: so many pictures after so many others, then None."""

    def __init__(self, inputs: Tensor, size: int) -> None:
        self._coming = iter(inputs.split(size))

    def get_next(self) -> dict[str, NDArray[np.float32]] | None:
        """The next one, by the name of the input."""
        row = next(self._coming, None)
        return None if row is None else {_INPUT: row.cpu().numpy()}


def _quantise(plain: Path, small: Path, inputs: Tensor, size: int) -> None:
    quantization: Any = import_module("onnxruntime.quantization")
    _rename_constants(plain)
    with _quiet():
        quantization.quantize_static(
            str(plain), str(small), Rows(inputs, size), quant_format=quantization.QuantFormat.QDQ, per_channel=True
        )


def _rename_constants(path: Path) -> None:
    """ONNX Runtime's quantiser copies a constant under its name and a number, and so may hit another tensor: val_42 and 3 is val_423."""
    onnx: Any = import_module("onnx")
    model = onnx.load(str(path))
    names = {constant.name: f"{constant.name}.constant" for constant in model.graph.initializer}
    for constant in model.graph.initializer:
        constant.name = names[constant.name]
    _rename_inputs(model.graph, names)
    onnx.save(model, str(path))


def _rename_inputs(graph: Any, names: Mapping[str, str]) -> None:
    """In the branches of a node too, which see the constants of the graph around them."""
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        for attribute in node.attribute:
            for inner in (attribute.g, *attribute.graphs):
                _rename_inputs(inner, names)
    for output in graph.output:
        output.name = names.get(output.name, output.name)


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
