"""Frozen embedders: any vision model of transformers or timm by hub name, folder or file, with its own preprocessing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from burnish.engine.progress import Progress, silent
from burnish.errors import ConfigError, ModelError, WeightsError, extra
from burnish.models.classifiers import timm_weights, timm_with_weights
from burnish.models.device import choose_device
from burnish.models.hub import hub_folder
from burnish.models.quiet import quiet_transformers
from burnish.models.weights import weights_file

with extra("audit"):
    import timm
    import torch
    import transformers
    from timm.data import create_transform, resolve_model_data_config

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray
    from torch import Tensor, nn

    Pictures = Sequence[NDArray[np.uint8]] | NDArray[np.uint8]

_NAMED = 4


@dataclass(frozen=True, slots=True, eq=False)
class FrozenEmbedder:
    """A pretrained network that is used as it is.

    Attributes:
        name: What it was loaded from.
        dimension: D, the length of a vector.
        device: Where it runs.
        batch_size: Pictures at once.
        preprocess: Pictures of any size to one (n, 3, h, w) float tensor.
        forward: Such a tensor to (n, D).
    """

    name: str
    dimension: int
    device: torch.device
    batch_size: int
    preprocess: Callable[[Sequence[NDArray[np.uint8]]], Tensor]
    forward: Callable[[Tensor], Tensor]

    def embed(self, pictures: Pictures, *, progress: Progress = silent, label: str = "Embedding") -> NDArray[np.float32]:
        """Describe pictures by vectors.

        Args:
            pictures: N pictures (H, W, 3) uint8, RGB, of any sizes, or one (N, H, W, 3) array.
            progress: Where to report.
            label: What the work is called there.

        Returns:
            (N, D) float32, as the network gives them: not scaled to length 1.

        Raises:
            ModelError: The network gave something that is no number.
        """
        vectors = np.empty((len(pictures), self.dimension), dtype=np.float32)
        with torch.inference_mode(), progress.task(label, len(pictures)) as advance:
            for start in range(0, len(pictures), self.batch_size):
                batch = [np.asarray(picture) for picture in pictures[start : start + self.batch_size]]
                vectors[start : start + len(batch)] = self.forward(self.preprocess(batch).to(self.device)).float().cpu().numpy()
                advance(len(batch))
        if not np.isfinite(vectors).all():
            raise ModelError(f"{self.name} gives vectors with values that are no numbers; its weights may be damaged.")
        return vectors


def load_embedder(
    source: str | Path, *, name: str | None = None, device: torch.device | str | None = None, batch_size: int = 32
) -> FrozenEmbedder:
    """Load a frozen embedder.

    Args:
        source: One of: a folder with config.json and weights, as transformers and timm save them; a weights file, or a folder with
            nothing else, together with `name`; a name on the Hugging Face hub such as facebook/dinov2-small; a timm name.
        name: The timm name of the network that a weights file belongs to.
        device: Where it runs; the best there is when None.
        batch_size: Pictures at once.

    Raises:
        ConfigError: The source is no name, folder or file; or there is no such device.
        WeightsError: The weights cannot be had, are damaged, or do not fit; the message says what to do.
    """
    path = Path(source)
    chosen = device if isinstance(device, torch.device) else choose_device(device)
    if name is not None:
        return _of_timm(_timm_from_file(weights_file(path), name), f"{name} ({path})", chosen, batch_size)
    if path.is_dir():
        return _of_folder(path, chosen, batch_size)
    if path.is_file():
        hint = "Say which network they belong to: name=, a timm name such as vit_small_patch14_dinov2."
        raise WeightsError(f"{path} holds weights alone. {hint}")
    timm_name = str(source).removeprefix("hf-hub:").removeprefix("timm/")
    if "/" not in timm_name and timm.is_model(timm_name):
        return _of_timm(_timm_from_file(timm_weights(timm_name), timm_name), f"timm/{timm_name}", chosen, batch_size)
    if str(source).count("/") == 1 and not str(source).startswith((".", "/", "~")):
        return _of_folder(hub_folder(str(source)), chosen, batch_size, shown=str(source))
    raise ConfigError(f"'{source}' is no embedder: expected a folder, a file, a hub name such as facebook/dinov2-small, or a timm name.")


def _of_folder(folder: Path, device: torch.device, batch_size: int, shown: str | None = None) -> FrozenEmbedder:
    config = _config(folder)
    if "model_type" in config:
        return _of_transformers(folder, shown or str(folder), device, batch_size)
    if "architecture" in config:
        return _of_timm(_timm_from_folder(folder, str(config["architecture"])), shown or str(folder), device, batch_size)
    raise WeightsError(f"{folder / 'config.json'} has neither model_type (transformers) nor architecture (timm); expected one of them.")


def _config(folder: Path) -> dict[str, Any]:
    file = folder / "config.json"
    try:
        config = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        message = f"The folder {folder} has no config.json that says which network its weights belong to."
        raise WeightsError(f"{message} Take a folder as transformers or timm save it, or say name=, a timm name.") from None
    except ValueError as error:
        raise WeightsError(f"{file} is no JSON: {error}.") from error
    return config if isinstance(config, dict) else {}


def _of_transformers(folder: Path, shown: str, device: torch.device, batch_size: int) -> FrozenEmbedder:
    if not (folder / "preprocessor_config.json").exists():
        message = f"{folder} has no preprocessor_config.json, which says how pictures are scaled for this network."
        raise WeightsError(f"{message} Copy it from where the weights come from.")
    try:
        with quiet_transformers():
            processor = transformers.AutoImageProcessor.from_pretrained(folder, local_files_only=True)
            network, told = _network_and_report(folder)
    except (OSError, ValueError, RuntimeError) as error:
        raise WeightsError(f"{shown} cannot be loaded: {' '.join(str(error).split())[:400]}") from error
    missing = sorted(key for key in told["missing_keys"] if "pooler" not in key)
    if missing:
        message = f"{shown} lacks {len(missing)} tensors of {type(network).__name__}: {', '.join(missing[:_NAMED])}."
        raise WeightsError(f"{message} Take the folder or hub name of the whole model.")
    network = network.eval().requires_grad_(requires_grad=False).to(device)
    trusts_pooler = not any("pooler" in key for key in told["missing_keys"])

    def preprocess(pictures: Sequence[NDArray[np.uint8]]) -> Tensor:
        return processor(images=list(pictures), return_tensors="pt", input_data_format="channels_last")["pixel_values"]

    def forward(pixels: Tensor) -> Tensor:
        if hasattr(network, "get_image_features"):
            return _vectors(network.get_image_features(pixel_values=pixels), pooled=True)
        return _vectors(network(pixel_values=pixels), pooled=trusts_pooler)

    return _measured(shown, device, batch_size, preprocess, forward)


def _network_and_report(folder: Path) -> tuple[Any, dict[str, Any]]:
    return transformers.AutoModel.from_pretrained(folder, local_files_only=True, output_loading_info=True, dtype=torch.float32)


def _vectors(output: Any, *, pooled: bool) -> Tensor:
    """The vector of the whole picture: the trained pooling where there is one, otherwise the class token, or the mean of a feature map."""
    if isinstance(output, torch.Tensor):
        return output
    pooler = getattr(output, "pooler_output", None)
    if pooled and pooler is not None:
        return pooler.flatten(1)
    hidden = output.last_hidden_state
    return hidden[:, 0] if hidden.ndim == 3 else hidden.mean(dim=(2, 3))  # noqa: PLR2004 - (n, tokens, D)


def _timm_from_file(file: Path, name: str) -> nn.Module:
    if not timm.is_model(name):
        raise ConfigError(f"'{name}' is no timm name; expected one such as vit_small_patch14_dinov2 or resnet50.")
    network = timm_with_weights(name, file, {})
    network.reset_classifier(0)  # pyright: ignore[reportCallIssue]
    return network


def _timm_from_folder(folder: Path, architecture: str) -> nn.Module:
    if not timm.is_model(architecture):
        raise WeightsError(f"{folder / 'config.json'} names the architecture '{architecture}', which this timm {timm.__version__} lacks.")
    try:
        return timm.create_model(f"local-dir:{folder}", pretrained=True, num_classes=0)
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise WeightsError(f"The weights in {folder} do not fit {architecture}: {' '.join(str(error).split())[:400]}") from error


def _of_timm(network: nn.Module, shown: str, device: torch.device, batch_size: int) -> FrozenEmbedder:
    network = network.eval().requires_grad_(requires_grad=False).to(device)
    transform: Any = create_transform(**resolve_model_data_config(network), is_training=False)

    def preprocess(pictures: Sequence[NDArray[np.uint8]]) -> Tensor:
        return torch.stack([transform(Image.fromarray(picture)) for picture in pictures])

    return _measured(shown, device, batch_size, preprocess, network)


def _measured(
    shown: str,
    device: torch.device,
    batch_size: int,
    preprocess: Callable[[Sequence[NDArray[np.uint8]]], Tensor],
    forward: Callable[[Tensor], Tensor],
) -> FrozenEmbedder:
    """Show it a picture twice: what cannot run, or looks elsewhere each time, is told at once, and the length of its vectors is known."""
    noise = np.random.default_rng(0).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    try:
        with torch.inference_mode():
            pixels = preprocess([noise]).to(device)
            vectors, again = forward(pixels), forward(pixels)
    except (RuntimeError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{shown} cannot be used as an embedder: {' '.join(str(error).split())[:400]}") from error
    if vectors.ndim != 2:  # noqa: PLR2004 - (n, D)
        raise ModelError(f"{shown} gives outputs of shape {tuple(vectors.shape)}; expected one vector a picture.")
    if not torch.allclose(vectors, again, rtol=1e-3, atol=1e-4 * float(vectors.abs().mean()), equal_nan=True):
        raise ModelError(f"{shown} gives other vectors each time for the same picture (masked autoencoders do), so it is no embedder.")
    return FrozenEmbedder(shown, vectors.shape[1], device, batch_size, preprocess, forward)
