"""The README is true: its lists name what there is, its example runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from hpo_core.datasets import DATASETS
from hpo_core.landscapes import LANDSCAPES, Landscape
from hpo_core.lessons import LESSONS
from hpo_core.methods import METHODS
from hpo_core.models import MODELS
from hpo_core.plots import PLOTS

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


CATALOGUES = (METHODS, MODELS, PLOTS, DATASETS, LANDSCAPES, LESSONS)


@pytest.mark.parametrize("catalogue", CATALOGUES, ids=lambda c: c.noun)
def test_readme_lists_everything_with_its_purpose(catalogue):
    rows = set(re.findall(r"^\| `(\w+)` \| (.*) \|$", README, flags=re.MULTILINE))
    assert {(item.key, item.purpose) for item in catalogue} <= rows


def test_readme_lists_nothing_that_is_not_there():
    named = set(re.findall(r"^\| `(\w+)` \|", README, flags=re.MULTILINE))
    assert named == {item.key for catalogue in CATALOGUES for item in catalogue}


def test_example_of_a_landscape_declares_one():
    (code,) = re.findall(r'```python\n("""A plain bowl.*?)```', README, flags=re.DOTALL)
    names: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), names)
    landscape = names["SPHERE"]
    assert isinstance(landscape, Landscape)
    assert landscape.function(landscape.minimisers[0]) == landscape.minimum


def test_files_that_the_readme_shows_are_there():
    for path in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", README):
        assert (ROOT / path).is_file()


def test_commands_of_the_readme_are_commands():
    from hpo_core.cli.main import parser

    for line in re.findall(r"^python -m hpo_core (.*)$", README, flags=re.MULTILINE):
        words = line.split("#")[0].split()
        assert vars(parser().parse_args(words))["run"] is not None


def test_python_lines_of_the_readme_run(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("TUNING_LAB_DATA", str(tmp_path))
    (code,) = re.findall(r"```python\n(from hpo_core import.*?)```", README, flags=re.DOTALL)
    exec(compile(code.replace("trials=30", "trials=6"), "README.md", "exec"), {})
    assert float(capsys.readouterr().out.split()[0]) > 0.9
