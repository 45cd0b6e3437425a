"""The documentation is held to its word: commands and code are run, settings are read, links and names are looked up."""

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
import yaml

from burnish.audit.settings import AuditConfig
from burnish.cli.app import run
from burnish.config import validated
from burnish.operations import OPERATIONS
from burnish.train.policies.settings import TrainConfig

ROOT = Path(__file__).resolve().parents[2]
WRITTEN = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
ALL_PAGES = [*WRITTEN, ROOT / "README.ru.md", ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", ROOT / "deploy" / "audit" / "README.md"]
HOSTS = {"github.com", "arxiv.org"}
PICTURES = 160

_BLOCK = re.compile(r"(?:<!-- (?P<mark>[^\n]*?) -->\n)?^```(?P<language>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)
_LINK = re.compile(r"!?\[[^\]]*\]\(([^)\s]+)\)")


class Block(NamedTuple):
    """One fenced block of a page."""

    language: str
    mark: str
    text: str


def blocks(page, language):
    found = (Block(m["language"], m["mark"] or "", m["text"]) for m in _BLOCK.finditer(page.read_text("utf-8")))
    return [block for block in found if block.language == language and not block.mark.startswith("not run:")]


def commands(block):
    joined = block.text.replace("\\\n", " ")
    return [line for line in joined.splitlines() if line.startswith("burnish ")]


def pages_with(language, *, slow):
    """Pages that have a quick block, or those that have a slow one."""
    return [page for page in WRITTEN if any((block.mark == "slow") is slow for block in blocks(page, language))]


def name_of(page):
    return page.relative_to(ROOT).as_posix()


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a copy of the examples, as the reader of the docs has one; fewer pictures take part, so that audits are quick."""
    shutil.copytree(ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("corrected_labels.jsonl", "*.burnish"))
    labels = tmp_path / "examples" / "bccd_cells" / "labels.jsonl"
    labels.write_text("".join(labels.read_text("utf-8").splitlines(keepends=True)[:PICTURES]), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_commands(page, *, slow):
    for block in blocks(page, "sh"):
        for command in commands(block) if slow or block.mark != "slow" else ():
            assert run(shlex.split(command, comments=True)[1:]) == 0, command


def run_python(page, *, slow):
    names = {}
    for block in blocks(page, "python"):
        if slow or block.mark != "slow":
            exec(compile(block.text, name_of(page), "exec"), names)  # noqa: S102 - the code of our own pages


@pytest.mark.parametrize("page", pages_with("sh", slow=False), ids=name_of)
@pytest.mark.usefixtures("place")
def test_the_commands_of_a_page_run(page):
    run_commands(page, slow=False)


@pytest.mark.slow
@pytest.mark.parametrize("page", pages_with("sh", slow=True), ids=name_of)
@pytest.mark.usefixtures("place")
def test_the_longer_commands_of_a_page_run(page):
    run_commands(page, slow=True)


@pytest.mark.parametrize("page", pages_with("python", slow=False), ids=name_of)
@pytest.mark.usefixtures("place")
def test_the_code_of_a_page_runs(page):
    run_python(page, slow=False)


@pytest.mark.slow
@pytest.mark.parametrize("page", pages_with("python", slow=True), ids=name_of)
@pytest.mark.usefixtures("place")
def test_the_longer_code_of_a_page_runs(page):
    run_python(page, slow=True)


@pytest.mark.parametrize("language", ["", "sh", "python"])
def test_the_russian_readme_has_the_same_commands(language):
    def told(page):
        return [re.sub(r"\s*#.*", "", block.text) for block in blocks(ROOT / page, language)]

    assert told("README.ru.md") == told("README.md")


def test_the_reference_is_fresh():
    told = subprocess.run([sys.executable, ROOT / "tools" / "reference.py", "--check"], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stdout + told.stderr


@pytest.mark.parametrize("verb", OPERATIONS)
def test_every_verb_has_a_place_in_the_docs(verb):
    assert any(f"burnish {verb}" in page.read_text("utf-8") for page in WRITTEN if page.parent.name == "docs")


@pytest.mark.parametrize("page", ALL_PAGES, ids=name_of)
def test_a_page_names_no_verb_that_is_not_there(page):
    inline = re.findall(r"`burnish ([a-z]+)", page.read_text("utf-8"))
    fenced = [command.split()[1] for language in ("", "sh") for block in blocks(page, language) for command in commands(block)]
    assert {*inline, *fenced} <= set(OPERATIONS)


def test_every_entry_of_the_navigation_is_a_page():
    def entries(node):
        if isinstance(node, str):
            return [node]
        return [entry for part in (node.values() if isinstance(node, dict) else node) for entry in entries(part)]

    listed = entries(yaml.safe_load((ROOT / "mkdocs.yml").read_text("utf-8"))["nav"])
    assert [entry for entry in listed if not (ROOT / "docs" / entry).is_file()] == []
    assert {page.name for page in WRITTEN if page.parent.name == "docs"} <= set(listed)


@pytest.mark.parametrize("page", ALL_PAGES, ids=name_of)
def test_the_links_of_a_page_lead_somewhere(page):
    targets = [target for target in _LINK.findall(page.read_text("utf-8")) if not urlsplit(target).scheme]
    assert [target for target in targets if target.partition("#")[0] and not (page.parent / target.partition("#")[0]).exists()] == []


def test_pages_of_the_site_link_only_to_pages_of_the_site():
    site = [page for page in WRITTEN if page.parent.name == "docs"]
    assert [(page.name, target) for page in site for target in _LINK.findall(page.read_text("utf-8")) if ".." in target] == []


@pytest.mark.parametrize("page", ALL_PAGES, ids=name_of)
def test_a_page_names_no_path_of_one_machine_and_no_strange_host(page):
    text = page.read_text("utf-8")
    assert re.findall(r"(?<![\w.])/(?:work|tmp|home|root|mnt|Users)/\S*", text) == []
    assert {urlsplit(url).hostname for url in re.findall(r"https?://[^\s)>\"]+", text)} <= HOSTS


def test_the_recipe_in_the_docs_is_the_one_that_ships():
    (shown,) = blocks(ROOT / "docs" / "recipes.md", "yaml")
    assert yaml.safe_load(shown.text) == yaml.safe_load((ROOT / "examples" / "recipe.yaml").read_text("utf-8"))


def test_the_settings_in_the_docs_are_accepted():
    (shown,) = blocks(ROOT / "docs" / "audit.md", "yaml")
    settings = validated(AuditConfig, yaml.safe_load(shown.text), text=shown.text)
    assert settings.model == "EfficientNetV2_s"


def test_the_training_settings_of_the_tutorial_are_accepted():
    (shown,) = blocks(ROOT / "docs" / "from-boxes-to-masks.md", "yaml")
    assert validated(TrainConfig, yaml.safe_load(shown.text), text=shown.text).epochs == 120


def test_every_script_that_the_page_of_benchmarks_names_exists():
    named = re.findall(r"^python (benchmarks/\w+\.py)", (ROOT / "docs" / "benchmarks.md").read_text("utf-8"), re.MULTILINE)
    assert named
    assert [script for script in named if not (ROOT / script).is_file()] == []
