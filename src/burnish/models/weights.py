"""Weights from files, safely: nothing but tensors is unpickled, and what does not fit is named."""

from __future__ import annotations

import pickle
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any

from burnish.errors import WeightsError, extra

with extra("audit"):
    import torch
    from safetensors import SafetensorError
    from safetensors.torch import load_file

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    State = dict[str, torch.Tensor]

_USUAL_FILES = ("model.safetensors", "pytorch_model.bin", "best.pt")
_ENDINGS = {".safetensors", ".pth", ".pt", ".bin", ".ckpt"}
_WRAPPINGS = ("state_dict", "model_state_dict", "model", "module", "teacher")
_PREFIXES = ("module.", "model.", "network.", "backbone.")
_NAMED = 4


def read_weights(path: Path | str) -> State:
    """Read the tensors of a weights file, or of the one weights file in a folder.

    What trainers wrap around the tensors is taken off: an outer `state_dict` or `model`, and a prefix that all names share, such as
    `module.`.

    Args:
        path: A .safetensors, .pth, .pt, .bin or .ckpt file, or a folder that holds one.

    Returns:
        Tensors by name, on the CPU.

    Raises:
        WeightsError: There is no such file, it is damaged, or it holds more than tensors.
    """
    file = weights_file(Path(path))
    state = _read_safetensors(file) if file.suffix == ".safetensors" else _read_torch(file)
    if not state:
        raise WeightsError(f"{file} holds no tensors; expected the weights of a network.")
    return _without_prefix(state)


def weights_file(path: Path) -> Path:
    """The weights file that a path means.

    Raises:
        WeightsError: There is none, or a folder holds several and none has a usual name.
    """
    if path.is_file():
        return path
    if not path.is_dir():
        raise WeightsError(f"There are no weights at {path}; expected a file or a folder.")
    found = sorted(p for p in path.iterdir() if p.suffix in _ENDINGS and p.is_file())
    usual = [path / name for name in _USUAL_FILES if path / name in found]
    if usual or len(found) == 1:
        return (usual or found)[0]
    names = ", ".join(p.name for p in found[:_NAMED]) or "none"
    raise WeightsError(
        f"The folder {path} must hold one weights file ({', '.join(sorted(_ENDINGS))}); found: {names}. Name the file itself."
    )


def load_checked(network: torch.nn.Module, state: Mapping[str, torch.Tensor], *, source: object, head: Collection[str] = ()) -> bool:
    """Put weights into a network, all of them or an error; only the head may differ, because the classes may be others.

    Args:
        network: Where to.
        state: Tensors by name; auxiliary heads that the network lacks are passed over.
        source: Where they come from, for messages.
        head: Names of the tensors whose shape depends on the number of classes.

    Returns:
        Whether the head was loaded too.

    Raises:
        WeightsError: Tensors are missing, left over, or of another shape.
    """
    own = network.state_dict()
    head_fits = all(key in state and state[key].shape == own[key].shape for key in head)
    taken = {key: value for key, value in state.items() if not _is_auxiliary(key, own) and (head_fits or key not in head)}
    missing = [k for k in own if k not in taken and k not in head and not k.endswith("num_batches_tracked")]
    left = [k for k in taken if k not in own]
    shaped = [f"{k} {_shape(v)}, expected {_shape(own[k])}" for k, v in taken.items() if k in own and v.shape != own[k].shape]
    complaints = (("missing", missing), ("not known to it", left), ("of another shape", shaped))
    if missing or left or shaped:
        text = "; ".join(f"{len(names)} {what}: {_some(names)}" for what, names in complaints if names)
        raise WeightsError(
            f"{source} does not fit {type(network).__name__}. Tensors {text}. Name the model that these weights were made for."
        )
    network.load_state_dict(taken, strict=False)
    return bool(head) and head_fits


def _read_safetensors(file: Path) -> State:
    try:
        return load_file(file)
    except (SafetensorError, OSError) as error:
        raise WeightsError(f"{file} is no readable safetensors file: {error}.{_pointer_hint(file)}") from error


def _read_torch(file: Path) -> State:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of unusual pickle protocols; what cannot be read is an error below
            content = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        if _pointer_hint(file):
            raise WeightsError(f"{file} holds no weights.{_pointer_hint(file)}") from error
        message = f"{file} holds more than tensors, or is damaged; it is not loaded, because loading it could run foreign code."
        raise WeightsError(f"{message} Save it as safetensors, or with torch.save(model.state_dict(), FILE).") from error
    except (RuntimeError, EOFError, OSError, ValueError, KeyError) as error:
        raise WeightsError(f"{file} is no readable torch file: {error}.{_pointer_hint(file)}") from error
    return _unwrapped(content)


def _unwrapped(content: Any) -> State:
    inner = next((content[key] for key in _WRAPPINGS if isinstance(content.get(key), dict)), None) if isinstance(content, dict) else None
    if inner is not None:
        return _unwrapped(inner)
    return {k: v for k, v in content.items() if isinstance(v, torch.Tensor)} if isinstance(content, dict) else {}


def _without_prefix(state: State) -> State:
    for prefix in _PREFIXES:
        if all(key.startswith(prefix) for key in state):
            state = {key.removeprefix(prefix): value for key, value in state.items()}
    return state


def _is_auxiliary(key: str, own: Collection[str]) -> bool:
    return key not in own and key.partition(".")[0] in {"aux1", "aux2", "AuxLogits"}


def _pointer_hint(file: Path) -> str:
    with file.open("rb") as stream:
        is_pointer = stream.read(40).startswith(b"version https://git-lfs")
    return " It is a Git LFS pointer; run: git lfs pull" if is_pointer else ""


def _shape(tensor: torch.Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "scalar"


def _some(names: Sequence[str]) -> str:
    return ", ".join(names[:_NAMED]) + (", ..." if len(names) > _NAMED else "")
