"""A second objective beside the score: recorded in Optuna's schema, told to the sampler, refused where it cannot be."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.trial import FrozenTrial

from hpo_core.cli.main import main
from hpo_core.errors import UsageError
from hpo_core.methods import METHODS
from hpo_core.problem import Problem, ProblemSpec, make_problem
from hpo_core.ranges import Range
from hpo_core.search import make_child, problem_of, search
from hpo_core.studies.storage import StudyStorage


@pytest.fixture(scope="module")
def problem() -> Problem:
    return make_problem("iris", "decision_tree", second="model_bytes")


def _optuna_trials(folder: Path, name: str) -> tuple[optuna.Study, list[FrozenTrial]]:
    study = optuna.load_study(study_name=name, storage=f"sqlite:///{folder / 'lab.db'}")
    return study, study.trials


@pytest.mark.parametrize("key", [m.key for m in METHODS if m.capabilities.is_multi_objective])
def test_optuna_reads_both_values_of_every_trial(key: str, problem: Problem, tmp_path: Path) -> None:
    table = search(problem, method=key, trials=12, study="both", folder=tmp_path).read()
    study, trials = _optuna_trials(tmp_path, "both")
    assert [d.name for d in study.directions] == ["MAXIMIZE", "MINIMIZE"]
    assert study.metric_names == ["accuracy", "model_bytes"]
    assert [t.values for t in trials] == [
        [v, b] for v, b in zip(table.values, table.mean_of("model_bytes"), strict=True)
    ]
    assert study.best_trials


@pytest.mark.parametrize("key", [m.key for m in METHODS if not m.capabilities.is_multi_objective])
def test_method_for_one_objective_is_refused_with_those_that_can(key: str, problem: Problem, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"one objective alone; for model size .* nsga2"):
        search(problem, method=key, trials=5, folder=tmp_path)


def test_sampler_is_told_both_values(problem: Problem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Any] = []

    def watched(self: Any, study: Any, trial: Any, state: Any, values: Any) -> None:
        told.append(values)

    sampler = type(METHODS["nsga2"].sampler(problem.space, 0))
    monkeypatch.setattr(sampler, "after_trial", watched, raising=False)
    table = search(problem, method="nsga2", trials=20, study="told", folder=tmp_path).read()
    expected = np.column_stack([table.values, table.mean_of("model_bytes")]).tolist()
    assert told
    assert all(values in expected for values in told)


def test_resumed_search_is_the_undisturbed_one(problem: Problem, tmp_path: Path) -> None:
    whole = search(problem, method="nsga2", trials=44, study="whole", folder=tmp_path).read()
    for n in (19, 25):
        resumed = search(problem, method="nsga2", trials=n, study="resumed", folder=tmp_path).read()
    assert [resumed.thought(row) for row in range(44)] == [whole.thought(row) for row in range(44)]
    assert whole.thought(43)["generation"] >= 2


def test_child_study_keeps_both_objectives(problem: Problem, tmp_path: Path) -> None:
    parent = search(problem, method="random", trials=8, study="parent", folder=tmp_path)
    storage = StudyStorage.open(None, folder=tmp_path)
    child = make_child(storage, parent, {"max_depth": Range(1, 12)}, "child")
    assert child.objectives == parent.objectives
    assert problem_of(child).spec.second == "model_bytes"
    _, trials = _optuna_trials(tmp_path, "child")
    assert all(len(trial.values) == 2 for trial in trials)


def test_pruning_does_not_go_with_a_second_objective(problem: Problem, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="choose no pruning"):
        search(problem, method="nsga2", trials=5, pruning="race", folder=tmp_path)


def test_unknown_second_objective_and_landscapes_are_refused() -> None:
    with pytest.raises(UsageError, match="one of fit_seconds, predict_seconds, model_bytes; got 'speed'"):
        make_problem("iris", "decision_tree", second="speed")
    with pytest.raises(UsageError, match="costs nothing to fit"):
        make_problem("branin", second="fit_seconds")


def test_problem_without_one_is_written_as_before() -> None:
    one, two = ProblemSpec(data="iris", model="svm"), ProblemSpec(data="iris", model="svm", second="fit_seconds")
    assert "second" not in one.to_json()
    assert [ProblemSpec.from_json(spec.to_json()) for spec in (one, two)] == [one, two]


def test_command_line_prints_the_front(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["search", "--data", "iris", "--model", "decision_tree", "--second", "model_bytes"]
    code = main([*arguments, "--method", "nsga2", "--trials", "12", "--data-folder", str(tmp_path)])
    printed = capsys.readouterr().out
    assert code == 0
    assert "trials that no other beats in both objectives" in printed
    assert "model_bytes" in printed
