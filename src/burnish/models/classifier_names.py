"""Which network a name means: `EfficientNetV2_s`, `efficientnet_v2_s`, `timm/convnext_tiny`, `mobilenetv3_small_100`, `small_net`."""

from __future__ import annotations

import difflib
import functools
from typing import Literal, NamedTuple

from burnish.errors import ConfigError, extra

with extra("audit"):
    import timm
    import torchvision

Library = Literal["torchvision", "timm", "burnish"]


class NetworkName(NamedTuple):
    """A network's library and its exact name there."""

    library: Library
    name: str


def find_network(name: str) -> NetworkName:
    """Find the network that a name means, however it is spelled.

    Capital letters, hyphens, underscores and dots do not matter. Where torchvision and timm both know a name, torchvision is taken, whose
    spelling the seed's is; the prefixes `timm/` and `torchvision/` decide.

    Raises:
        ConfigError: No network is called so; the message holds the nearest names.
    """
    library, slash, rest = name.strip().rpartition("/")
    if slash and library.lower() not in {"timm", "torchvision"}:
        raise ConfigError(f"'{name}' is no network: expected a timm or torchvision name, with timm/ or torchvision/ before it if need be.")
    if library.lower() != "torchvision" and timm.is_model(rest) and (library or _plain(rest) not in _known()):
        return NetworkName("timm", rest)
    wanted = _plain(rest)
    found = [n for n in _known().get(wanted, ()) if not library or n.library == library.lower()]
    if not found:
        raise ConfigError(f"There is no network '{name}'. {_nearest(wanted, library.lower())}")
    same = [n for n in found if n.library == found[0].library]
    exact = [n for n in same if n.name.lower() == rest.lower()]
    if len(same) > 1 and not exact:  # without underscores regnet_x_1_6gf and regnet_x_16gf are spelled alike
        raise ConfigError(f"'{name}' can mean {' or '.join(n.name for n in same)}; write it just so.")
    return (exact or same)[0]


def network_names() -> tuple[NetworkName, ...]:
    """All networks that can be named."""
    return tuple(dict.fromkeys(name for names in _known().values() for name in names))


@functools.cache
def _known() -> dict[str, tuple[NetworkName, ...]]:
    """Networks by plain spelling, torchvision before timm."""
    own = (NetworkName("burnish", "small_net"),)
    known: dict[str, tuple[NetworkName, ...]] = {"smallnet": own, "small": own}
    names = [NetworkName("torchvision", name) for name in torchvision.models.list_models(module=torchvision.models)]
    names += [NetworkName("timm", name) for name in timm.list_models()]
    for name in names:
        known[_plain(name.name)] = (*known.get(_plain(name.name), ()), name)
    return known


def _plain(name: str) -> str:
    return "".join(character for character in name.lower() if character.isalnum())


def _nearest(wanted: str, library: str) -> str:
    options = {plain: n for plain, names in _known().items() for n in reversed(names) if library in {"", n.library}}
    near = difflib.get_close_matches(wanted, options, n=3, cutoff=0.5)
    if not near:
        return "Any classifier of timm or torchvision can be named, for instance EfficientNetV2_s, ResNet18 or mobilenetv3_small_100."
    return f"Did you mean {', '.join(options[plain].name for plain in near)}?"
