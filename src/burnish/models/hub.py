"""Pretrained files of the model hubs: what is on this machine first, the network only where it answers.

The hubs' own clients try an unreachable network for up to a minute; here a machine without one says so at once, and says what to do.
"""

from __future__ import annotations

import os
import socket
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import getproxies

from burnish.errors import WeightsError, extra

with extra("audit"):
    import torch
    from huggingface_hub import constants, hf_hub_download, snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

_WHAT_IS_READ = ["*.json", "*.safetensors", "*.txt"]


def hub_folder(repository: str) -> Path:
    """The folder of a Hugging Face model, from the local cache, or downloaded (settings and safetensors alone).

    Args:
        repository: "owner/name", with "@revision" where wanted.

    Raises:
        WeightsError: It is neither here nor can it be had.
    """
    name, _, revision = repository.partition("@")
    try:
        folder = Path(snapshot_download(name, revision=revision or None, local_files_only=True))
        if any(folder.glob("*.safetensors")) or any(folder.glob("*.bin")):
            return folder
    except LocalEntryNotFoundError:
        pass
    _demand_network(constants.ENDPOINT, f"the model {repository}", _hub_advice(name))
    try:
        return Path(snapshot_download(name, revision=revision or None, allow_patterns=_WHAT_IS_READ))
    except (HfHubHTTPError, OSError) as error:
        raise WeightsError(f"The model {repository} cannot be downloaded: {_first_line(error)} {_hub_advice(name)}") from error


def hub_file(repository: str, names: tuple[str, ...]) -> Path:
    """One file of a Hugging Face model, the first of some names that there is; from the local cache, or downloaded.

    Raises:
        WeightsError: It is neither here nor can it be had.
    """
    name, _, revision = repository.partition("@")
    for file in names:
        try:
            return Path(hf_hub_download(name, file, revision=revision or None, local_files_only=True))
        except LocalEntryNotFoundError:
            continue
    _demand_network(constants.ENDPOINT, f"the weights of {repository}", _hub_advice(name))
    error: Exception | None = None
    for file in names:
        try:
            return Path(hf_hub_download(name, file, revision=revision or None))
        except (HfHubHTTPError, OSError) as found:
            error = found
    raise WeightsError(f"The weights of {repository} cannot be downloaded: {_first_line(error)} {_hub_advice(name)}")


def url_file(url: str) -> Path:
    """A weights file by address, from torch's local cache, or downloaded with its hash checked.

    Raises:
        WeightsError: It is neither here nor can it be had.
    """
    folder = Path(torch.hub.get_dir()) / "checkpoints"
    path = folder / Path(urlsplit(url).path).name
    if path.exists():
        return path
    advice = f"Copy {path.name} to {folder} (or set TORCH_HOME), name a weights file or folder, or train from scratch, without weights."
    _demand_network(url, f"the weights {path.name}", advice)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        torch.hub.download_url_to_file(url, str(path), _hash_in(path.name), progress=False)
    except (OSError, RuntimeError) as error:
        raise WeightsError(f"The weights {path.name} cannot be downloaded: {_first_line(error)} {advice}") from error
    return path


def reachable(url: str) -> bool:
    """Whether the host of an address can be looked up; a proxy is trusted to do so, and HF_HUB_OFFLINE is obeyed."""
    if os.environ.get("HF_HUB_OFFLINE", "0").upper() in {"1", "TRUE", "YES", "ON"}:
        return False
    parts = urlsplit(url)
    if getproxies().get(parts.scheme):
        return True
    try:
        return bool(socket.getaddrinfo(parts.hostname, parts.port or 443))
    except OSError:
        return False


def _demand_network(url: str, what: str, advice: str) -> None:
    if not reachable(url):
        raise WeightsError(f"There is no copy of {what} on this machine, and {urlsplit(url).hostname} cannot be reached. {advice}")


def _hub_advice(name: str) -> str:
    return (
        f"Where there is a network, run: hf download {name} --local-dir FOLDER, and name that FOLDER; or copy the Hugging Face cache and "
        "set HF_HOME to it; or train from scratch, without weights."
    )


def _hash_in(name: str) -> str | None:
    """The beginning of the SHA-256 that torch's own files carry in their name, as in resnet18-f37072fd.pth."""
    ending = name.rpartition(".")[0].rpartition("-")[2]
    return ending if len(ending) == 8 and all(c in "0123456789abcdef" for c in ending) else None  # noqa: PLR2004 - digits of the hash


def _first_line(error: Exception | None) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".") + "."
