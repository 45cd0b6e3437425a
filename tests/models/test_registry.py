"""The registry lists our families and those of plug-ins, and loads nothing heavy for it."""

import importlib
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from burnish.errors import ConfigError, ModelError
from burnish.models.registry import builder, find_family, list_families

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def plug_in(tmp_path, monkeypatch):
    """Install a package with one good and one broken model family."""
    (tmp_path / "their_models.py").write_text(
        "from burnish.models.registry import ModelFamily\n"
        "def hashes():\n"
        "    return ModelFamily('hashes', 'embedder', 'their_models:build', 'By hash.', 'MIT', 'none exist')\n"
        "def build():\n"
        "    return 'built'\n"
        "def broken():\n"
        "    return 3\n",
        encoding="utf-8",
    )
    info = tmp_path / "their_models-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: their-models\nVersion: 1.0\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)

    def add(lines):
        (info / "entry_points.txt").write_text(f"[burnish.models]\n{lines}\n", encoding="utf-8")

    add("hashes = their_models:hashes")
    return add


def test_our_own_families_come_through_entry_points():
    assert {"embedder", "small_net", "timm", "torchvision"} <= {family.name for family in list_families()}
    assert all(family.code_licence and family.weights_licence for family in list_families())


def test_every_family_that_we_declare_is_there_and_can_be_built():
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["entry-points"]["burnish.models"]
    for name, target in declared.items():
        module, _, function = target.partition(":")
        family = getattr(importlib.import_module(module), function)()
        assert family.name == name
        assert family.code_licence
        assert family.weights_licence
        assert callable(builder(family))


@pytest.mark.usefixtures("plug_in")
def test_a_plug_in_is_listed_and_built():
    assert "hashes" in {family.name for family in list_families("embedder")}
    assert builder(find_family("hashes"))() == "built"


def test_our_builders_are_there():
    assert all(callable(builder(family)) for family in list_families())


def test_an_unknown_family_is_told_the_nearest():
    with pytest.raises(ConfigError, match=r"There is no model family 'tim'\. Did you mean 'timm'"):
        find_family("tim")


def test_a_plug_in_that_gives_something_else_is_named(plug_in):
    plug_in("broken = their_models:broken")
    with pytest.raises(ModelError, match="their_models:broken of their-models gives a int"):
        list_families()


def test_a_plug_in_that_cannot_be_imported_is_named(plug_in):
    plug_in("gone = no_such_module:family")
    with pytest.raises(ModelError, match=r"'gone' of their-models cannot be loaded.*Update or remove their-models"):
        list_families()


def test_listing_loads_no_torch():
    code = "import sys, burnish.models.registry as r; r.list_families(); assert not {'torch', 'timm', 'transformers'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("module", ["models.classifiers", "models.embedders", "train.fitting", "train.policies.folds"])
def test_without_torch_the_command_that_installs_it_is_told(module):
    code = (
        "import sys; sys.modules['torch'] = None\n"
        "import burnish.train.settings, burnish.train.augs.settings, burnish.train.loaders.cached\n"
        "from burnish.errors import MissingExtra\n"
        f"try:\n    import burnish.{module}\n"
        "except MissingExtra as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "pip install 'burnish[audit]'" in done.stdout
