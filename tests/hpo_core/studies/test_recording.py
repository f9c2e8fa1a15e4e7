"""What the lab writes is what Optuna would have written."""

from __future__ import annotations

import math
import warnings
from datetime import UTC, datetime

import optuna
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial, TrialState, create_trial
from sqlalchemy import select

from hpo_core.errors import ConfigurationError, StorageError, UsageError
from hpo_core.studies import tables
from hpo_core.studies.storage import StudyStorage
from hpo_core.studies.trial import FinishedTrial
from tests.finished_trials import BEGIN, SPACE, failed, finished, new_study

PUBLIC = (
    "number", "state", "value", "values", "params", "distributions", "user_attrs", "system_attrs",
    "intermediate_values", "datetime_start", "datetime_complete", "duration", "last_step",
)  # fmt: skip


def load(storage: RDBStorage) -> optuna.Study:
    return optuna.load_study(study_name="digits", storage=storage)


def as_optuna_makes_it(trial: FinishedTrial) -> FrozenTrial:
    """The same trial through Optuna's public constructor."""
    figures = {
        name: [None if math.isnan(x) else x for x in getattr(trial, name)]
        for name in ("train_scores", "fit_seconds", "predict_seconds", "model_bytes")
    }
    figures = {name: column for name, column in figures.items() if any(x is not None for x in column)}
    attributes = {"arm": trial.arm, "figures": figures, "reason": trial.reason, **trial.attributes}
    made = create_trial(
        state=trial.state,
        value=trial.value,
        params=trial.configuration,
        distributions={name: SPACE[name].distribution() for name in trial.configuration},
        user_attrs={name: value for name, value in attributes.items() if value not in ("", {})},
        intermediate_values={i: s for i, s in enumerate(trial.fold_scores) if not math.isnan(s)},
    )
    made.datetime_start = datetime.fromtimestamp(trial.started)
    made.datetime_complete = datetime.fromtimestamp(trial.completed)
    return made


def assert_equal_trials(ours: list[FrozenTrial], theirs: list[FrozenTrial]) -> None:
    assert len(ours) == len(theirs)
    for mine, other in zip(ours, theirs, strict=True):
        for field in PUBLIC:
            assert getattr(mine, field) == getattr(other, field), field
        assert [type(v) for v in mine.params.values()] == [type(v) for v in other.params.values()]


def assorted_trials() -> list[FinishedTrial]:
    nan = float("nan")
    return [
        *(finished(i) for i in range(20)),
        finished(20, state=TrialState.PRUNED, value=None, fold_scores=(0.5, nan, nan, nan, nan)),
        finished(21, state=TrialState.PRUNED, value=0.4, fold_scores=(0.5, 0.3), train_scores=(0.5, nan)),
        failed(22),
        failed(23, reason='<b>"quoted"</b>\n\x00 ünï'),
        finished(24, value=math.inf, fold_scores=(math.inf, -math.inf, 0.0)),
        finished(25, value=-math.inf, fold_scores=(), train_scores=(), fit_seconds=(nan, nan), model_bytes=()),
        finished(26, attributes={"note": {"deep": [1, None, "x"]}, "parent": 7}),
    ]


def test_recorded_trials_equal_those_that_optuna_adds(storage: StudyStorage, optuna_storage: RDBStorage) -> None:
    trials = assorted_trials()
    theirs = optuna.create_study(study_name="theirs", direction="maximize", storage=optuna_storage)
    for trial in trials:
        theirs.add_trial(as_optuna_makes_it(trial))
    study = new_study(storage)
    study.record(trials[0])
    study.record(*trials[1:])
    assert_equal_trials(load(optuna_storage).trials, theirs.trials)


def test_optuna_knows_direction_metric_and_attributes(storage: StudyStorage, optuna_storage: RDBStorage) -> None:
    new_study(storage, attributes={"data": "digits", "rows": 1437})
    study = load(optuna_storage)
    assert study.direction.name == "MAXIMIZE"
    assert study.metric_names == ["accuracy"]
    assert study.user_attrs["data"] == "digits"
    assert study.user_attrs["rows"] == 1437


def test_times_are_utc_to_the_microsecond(storage: StudyStorage, optuna_storage: RDBStorage) -> None:
    study = new_study(storage)
    study.record(finished(started=BEGIN + 0.123456, completed=BEGIN + 1.654321))
    (trial,) = load(optuna_storage).trials
    assert trial.datetime_start is not None
    assert trial.datetime_complete is not None
    assert trial.datetime_start.astimezone(UTC).timestamp() == pytest.approx(BEGIN + 0.123456, abs=1e-6)
    assert trial.datetime_complete.astimezone(UTC).timestamp() == pytest.approx(BEGIN + 1.654321, abs=1e-6)


def test_optuna_goes_on_with_the_study_and_sees_the_best_trial(
    storage: StudyStorage, optuna_storage: RDBStorage
) -> None:
    study = new_study(storage)
    study.record(*(finished(i) for i in range(15)))
    loaded = load(optuna_storage)
    table = study.read()
    best = table.best()
    assert best is not None
    assert loaded.best_trial.number == table.numbers[best]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        loaded.sampler = optuna.samplers.TPESampler(seed=1, n_startup_trials=5)
        loaded.optimize(lambda trial: trial.suggest_float("C", 1e-3, 1e3, log=True), n_trials=2)
    assert [t.number for t in load(optuna_storage).trials] == list(range(17))


def test_a_row_is_written_for_each_figure_and_no_more(storage: StudyStorage) -> None:
    study = new_study(storage)
    trial = finished()
    study.record(trial)
    with study._database.reading() as connection:
        count = {t.name: len(connection.execute(select(t)).all()) for t in (tables.trials, *tables.TRIAL_CHILDREN)}
    assert count == {
        "trials": 1, "trial_values": 1, "trial_params": len(trial.configuration), "trial_intermediate_values": 5,
        "trial_user_attributes": 2, "trial_system_attributes": 0, "trial_heartbeats": 0,
    }  # fmt: skip


def test_numbers_go_on_after_trials_of_other_programs(storage: StudyStorage, optuna_storage: RDBStorage) -> None:
    study = new_study(storage)
    assert study.record(finished(0), finished(1)) == [0, 1]
    load(optuna_storage).add_trial(as_optuna_makes_it(finished(2)))
    assert study.record(finished(3)) == [3]
    assert study.record() == []


def test_a_configuration_outside_the_space_is_refused_and_nothing_is_written(storage: StudyStorage) -> None:
    study = new_study(storage)
    with pytest.raises(ConfigurationError, match="C must lie from"):
        study.record(finished(0), finished(1, configuration={**SPACE.default(), "C": 1e9}))
    assert len(study.read()) == 0


def test_a_study_without_a_space_cannot_be_added_to(storage: StudyStorage) -> None:
    study = new_study(storage, space=None)
    with pytest.raises(UsageError, match="no search space"):
        study.record(finished())


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"state": TrialState.RUNNING}, "Only finished trials"),
        ({"value": None}, "needs a value"),
        ({"value": float("nan")}, "needs a value"),
        ({"state": TrialState.FAIL}, "A failed trial has no value"),
        ({"attributes": {"arm": "x"}}, "written by the lab itself"),
    ],
)
def test_a_trial_that_optuna_could_not_hold_is_refused(changes: dict[str, object], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        finished(**changes)


def test_a_retry_after_a_broken_commit_does_not_double_a_trial(sqlite_url: str) -> None:
    study = new_study(StudyStorage.open(sqlite_url))
    study.record(finished(0))
    study._is_in_doubt = True  # As after a connection that broke in the middle of a commit that went through.
    assert study.record(finished(0), finished(1)) == [0, 1]
    assert study.read().numbers.tolist() == [0, 1]


def test_a_retry_after_a_lost_lock_writes_the_trial_once(sqlite_url: str) -> None:
    storage = StudyStorage.open(f"{sqlite_url}?timeout=0.05")
    study = new_study(storage)
    other = StudyStorage.open(sqlite_url)
    with other._database.writing(), pytest.raises(StorageError, match="locked by another program"):
        study.record(finished(0))
    assert study.record(finished(0)) == [0]
    assert len(study.read()) == 1
    storage.close()


def test_recording_into_a_deleted_study_is_refused_even_if_its_id_is_taken_again(storage: StudyStorage) -> None:
    study = new_study(storage, "first")
    storage.delete("first")
    new_study(storage, "second")
    with pytest.raises(UsageError, match="has been deleted"):
        study.record(finished())
    assert len(storage.study("second").read()) == 0


scores = st.floats(allow_nan=True, allow_infinity=True, width=64)


@given(
    configurations=st.lists(
        st.lists(st.floats(0, 1), min_size=len(SPACE), max_size=len(SPACE)).map(SPACE.from_unit), min_size=1, max_size=4
    ),
    value=st.floats(allow_nan=False),
    fold_scores=st.lists(scores, max_size=4).map(tuple),
    figures=st.lists(scores, max_size=4).map(tuple),
    texts=st.tuples(st.text(), st.text(min_size=1, max_size=300)),
)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_trial_comes_back_from_optuna_and_from_the_table(
    sqlite_url: str, configurations: list, value: float, fold_scores: tuple, figures: tuple, texts: tuple[str, str]
) -> None:
    storage = StudyStorage.open(sqlite_url)
    for summary in storage.summaries():
        storage.delete(summary.name)
    study = new_study(storage)
    trials = [
        finished(i, configuration=c, value=value, fold_scores=fold_scores, train_scores=figures, arm="tpe",
                 reason=texts[0], attributes={"note": texts[1]})
        for i, c in enumerate(configurations)
    ]  # fmt: skip
    study.record(*trials)
    table = study.read()
    seen = optuna.load_study(study_name="digits", storage=sqlite_url).trials
    for row, (mine, trial) in enumerate(zip(trials, seen, strict=True)):
        assert trial.params == mine.configuration == table.configuration(row)
        assert trial.value == mine.value == table.values[row]
        assert trial.intermediate_values == {i: s for i, s in enumerate(fold_scores) if not math.isnan(s)}
        assert trial.user_attrs.get("reason", "") == texts[0]
        assert trial.user_attrs["note"] == texts[1]
