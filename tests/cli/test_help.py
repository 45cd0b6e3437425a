"""Help, the catalogue behind it, and what neither may cost."""

import inspect
import json
import subprocess
import sys
from importlib import import_module

import pytest

import burnish
from burnish.cli.commands import resolve
from burnish.config import Config
from burnish.operations import OPERATIONS

MUST_NOT_BE_LOADED = ("numpy", "polars", "torch", "torchvision", "transformers", "timm", "cv2", "PIL", "scipy", "hypothesis", "cleanlab")
MOST_FIELDS = 14

HELP_OF_ALL = """
import contextlib, io, json, sys
from burnish.cli.app import run
told = {}
for verb in [None, *%r]:
    with contextlib.redirect_stdout(io.StringIO()) as out:
        code = run(["--help"] if verb is None else [verb, "--help"])
    told[verb or "burnish"] = {"code": code, "out": out.getvalue(), "loaded": [m for m in %r if m in sys.modules]}
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def helps():
    """What each help says, its exit code, and which heavy modules were loaded by then."""
    program = HELP_OF_ALL % (list(OPERATIONS), MUST_NOT_BE_LOADED)
    return json.loads(subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout)


def loaded_after(program: str) -> list[str]:
    program += f"\nimport sys; print([m for m in {MUST_NOT_BE_LOADED!r} if m in sys.modules])"
    return subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize("verb", ["burnish", *OPERATIONS])
def test_help_ends_well_and_loads_nothing_heavy(helps, verb):
    assert (helps[verb]["code"], helps[verb]["loaded"]) == (0, [])


def test_importing_the_package_loads_nothing_heavy():
    assert loaded_after("import burnish") == "[]"


def test_the_version_is_told_without_loading_anything_heavy(burnish_cli):
    assert burnish_cli("--version").out.strip() == f"burnish {burnish.__version__}"


def test_the_overview_lists_every_verb_with_its_summary(helps):
    text = " ".join(helps["burnish"]["out"].replace("│", " ").split())
    for verb, operation in OPERATIONS.items():
        assert f"{verb} {operation.summary}" in text


@pytest.mark.parametrize("verb", OPERATIONS)
def test_the_summary_in_the_catalogue_is_what_the_room_says_of_itself(verb):
    operation = OPERATIONS[verb]
    module, _, name = operation.target.partition(":")
    function = getattr(import_module(module), name)
    assert callable(function)
    assert operation.summary in {(inspect.getdoc(thing) or "").splitlines()[0] for thing in (function, import_module(module))}


@pytest.mark.parametrize("verb", OPERATIONS)
def test_every_setting_is_explained_and_there_are_not_too_many(verb):
    config = resolve(OPERATIONS[verb].config)
    assert issubclass(config, Config)
    assert (config.__doc__ or "").strip()
    for name, field in config.model_fields.items():
        assert field.description, f"{config.__name__}.{name} has no docstring"
    taken = set(config.__mro__[1].model_fields)  # a verb that takes another one's settings adds to them
    assert len(config.model_fields.keys() - taken) <= MOST_FIELDS + 1  # the seed is a runtime option that is kept with the settings


@pytest.mark.parametrize("verb", OPERATIONS)
def test_every_verb_takes_its_settings_as_the_last_positional_argument(verb):
    operation = OPERATIONS[verb]
    names = list(inspect.signature(resolve(operation.target)).parameters)
    assert names[len(operation.inputs)] == "config"


@pytest.mark.parametrize(
    ("tokens", "hint"),
    [
        (["audt"], 'Did you mean "audit"?'),
        (["check", "x", "--strikt"], "Did you mean --strict?"),
        (["audit", "x", "--fold", "3"], "Did you mean --folds?"),
        (["convert", "a", "b", "--too", "coco"], "Did you mean --to?"),
    ],
)
def test_a_typo_names_the_nearest_right_word(burnish_cli, tokens, hint):
    said = burnish_cli(*tokens)
    assert said.code == 2
    assert hint in said.err
    assert said.out == ""


def test_an_option_of_the_wrong_type_is_told_by_its_name(burnish_cli):
    said = burnish_cli("audit", "x", "--folds", "many")
    assert said.code == 2
    assert said.err == 'Usage: Invalid value for --folds: unable to convert "many" into int.\n'


def test_a_missing_argument_is_told_by_its_name(burnish_cli):
    said = burnish_cli("check")
    assert (said.code, said.err) == (2, 'Usage: Command "check" parameter DATASET requires an argument.\n')


def test_the_public_names_are_sorted_and_there():
    assert burnish.__all__ == sorted(burnish.__all__)
    assert dir(burnish) == burnish.__all__
    for name in burnish.__all__:
        assert getattr(burnish, name) is not None


def test_a_name_that_is_not_there_is_told_with_those_that_are():
    with pytest.raises(AttributeError, match=r"no attribute 'adit'; it has BurnishError, .*undo"):
        burnish.adit  # noqa: B018 - the access is the test


def test_every_verb_is_a_public_name():
    assert set(OPERATIONS) <= set(burnish.__all__)


def test_the_room_of_the_audit_can_be_called_before_and_after_it_is_loaded():
    program = """
import burnish, inspect
before = burnish.audit
import burnish.audit.settings
assert callable(before) and callable(burnish.audit)
for verb in (before, burnish.audit):
    try:
        verb(None, folds=0)
    except TypeError as error:
        assert "audit()" in str(error), error
"""
    subprocess.run([sys.executable, "-c", program], check=True)
