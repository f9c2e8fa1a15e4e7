"""The table holds what Optuna reads, of any study, however it came about."""

from __future__ import annotations

import math
import warnings
from dataclasses import fields

import numpy as np
import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import RDBStorage
from optuna.trial import TrialState, create_trial
from sqlalchemy import delete

from hpo_core.errors import UsageError
from hpo_core.studies import tables
from hpo_core.studies.storage import StudyStorage
from hpo_core.studies.study import Study
from hpo_core.studies.table import TrialTable
from tests.finished_trials import SPACE, failed, finished, new_study


def assert_same_content(one: TrialTable, other: TrialTable) -> None:
    assert one.revision == other.revision
    for field in fields(TrialTable):
        mine, others = getattr(one, field.name), getattr(other, field.name)
        if isinstance(mine, np.ndarray):
            np.testing.assert_array_equal(mine, others, err_msg=field.name)
        elif field.name == "params":
            assert list(mine) == list(others)
            for name in mine:
                np.testing.assert_array_equal(mine[name], others[name], err_msg=name)
        else:
            assert mine == others, field.name


def assert_as_optuna_reads(table: TrialTable, study: optuna.Study) -> None:
    trials = study.trials
    assert table.numbers.tolist() == [t.number for t in trials]
    assert table.states.tolist() == [t.state.value for t in trials]
    for row, trial in enumerate(trials):
        assert table.configuration(row) == trial.params
        value = trial.values[0] if trial.values else math.nan
        assert table.values[row] == pytest.approx(value, abs=0, rel=0, nan_ok=True)
        for column, moment in ((table.started, trial.datetime_start), (table.completed, trial.datetime_complete)):
            assert column[row] == pytest.approx(moment.timestamp() if moment else math.nan, abs=1e-5, nan_ok=True)


def foreign_study(storage: RDBStorage, name: str = "foreign", **options: object) -> optuna.Study:
    return optuna.create_study(study_name=name, storage=storage, **options)  # type: ignore[arg-type]


def objective(trial: optuna.Trial) -> float:
    x = trial.suggest_float("x", 0.0, 1.0)
    if trial.suggest_categorical("kind", ("a", None, 3)) == "a":
        trial.suggest_int("n", 1, 100, log=True)
    trial.report(x, 10_000_000)
    if trial.number % 7 == 3:
        raise optuna.TrialPruned
    return x


def test_columns_hold_what_was_recorded(storage: StudyStorage) -> None:
    study = new_study(storage)
    trials = [*(finished(i) for i in range(12)), failed(12, "It is singular.")]
    study.record(*trials)
    table = study.read()
    assert table.study == "digits"
    assert table.direction == "maximize"
    assert list(table.params) == list(SPACE.names)
    assert table.distributions == SPACE.distributions()
    assert table.arms.tolist() == [t.arm for t in trials]
    assert table.reasons.tolist() == [""] * 12 + ["It is singular."]
    for name in ("fold_scores", "train_scores", "fit_seconds", "predict_seconds", "model_bytes"):
        expected = np.array([getattr(t, name) or (math.nan,) * 5 for t in trials], dtype=float)
        np.testing.assert_array_equal(getattr(table, name), expected)
    for row, trial in enumerate(trials):
        assert table.configuration(row) == trial.configuration
        assert table.started[row] == pytest.approx(trial.started, abs=1e-6)


def test_trials_with_unequal_numbers_of_folds_share_a_table(storage: StudyStorage) -> None:
    study = new_study(storage)
    nan = math.nan
    study.record(
        finished(0, fold_scores=(0.1,), train_scores=(0.5, nan, 0.25), fit_seconds=(), model_bytes=(nan,)),
        finished(1, fold_scores=(nan, 0.2, 0.3)),
    )
    table = study.read()
    np.testing.assert_array_equal(table.fold_scores, [[0.1, nan, nan], [nan, 0.2, 0.3]])
    np.testing.assert_array_equal(table.train_scores[0], [0.5, nan, 0.25, nan, nan])
    assert np.isnan(table.fit_seconds[0]).all()


def test_an_empty_study_is_an_empty_table_with_its_parameters(storage: StudyStorage) -> None:
    table = new_study(storage).read()
    assert len(table) == 0
    assert list(table.params) == list(SPACE.names)
    assert table.best() is None
    assert table.fold_scores.shape == (0, 0)


def test_arrays_cannot_be_written_to(storage: StudyStorage) -> None:
    study = new_study(storage)
    study.record(finished())
    table = study.read()
    for column in (table.values, table.params["C"], table.fold_scores):
        with pytest.raises(ValueError, match="read-only"):
            column[0] = 1.0


def test_a_poll_with_nothing_new_returns_the_same_table(storage: StudyStorage) -> None:
    study = new_study(storage)
    empty = study.read()
    assert study.read(empty) is empty
    study.record(finished())
    table = study.read(empty)
    assert table is not empty
    assert study.read(table) is table


def test_reading_step_by_step_gives_what_reading_at_once_gives(storage: StudyStorage) -> None:
    study, table = new_study(storage), None
    revisions = set()
    for start in range(0, 30, 5):
        study.record(*(finished(i) for i in range(start, start + 4)), failed(start + 4, "x" * start))
        table = study.read(table)
        assert_same_content(table, study.read())
        revisions.add(table.revision)
    assert len(revisions) == 6


def test_more_trials_than_fit_one_piece_are_read_whole(sqlite_url: str) -> None:
    study = new_study(StudyStorage.open(sqlite_url))
    trials = [finished(i) for i in range(450)]
    study.record(*trials)
    table = study.read()
    assert len(table) == 450
    np.testing.assert_array_equal(table.fold_scores, [t.fold_scores for t in trials])
    np.testing.assert_array_equal(table.model_bytes, [t.model_bytes for t in trials])
    assert [table.configuration(row) for row in range(450)] == [t.configuration for t in trials]


def test_a_study_of_another_program_is_read(storage: StudyStorage, optuna_storage: RDBStorage) -> None:
    foreign = foreign_study(optuna_storage)
    foreign.optimize(objective, n_trials=25)
    study = storage.study("foreign")
    table = study.read()
    assert (study.key, study.metric, study.direction, study.space()) == ("", "", "minimize", None)
    assert_as_optuna_reads(table, foreign)
    assert table.is_pruned.sum() == 4
    assert table.distributions["n"] == IntDistribution(1, 100, log=True)
    assert set(table.arms.tolist()) == {""}
    assert table.fold_scores.shape == (25, 0)


def test_running_and_waiting_trials_of_other_programs_are_read_until_they_are_done(
    storage: StudyStorage, optuna_storage: RDBStorage
) -> None:
    foreign = foreign_study(optuna_storage)
    foreign.enqueue_trial({"x": 0.25})
    study = storage.study("foreign")
    waiting = study.read()
    assert waiting.states.tolist() == [TrialState.WAITING.value]
    trial = foreign.ask()
    running = study.read(waiting)
    assert running.states.tolist() == [TrialState.RUNNING.value]
    assert running.revision != waiting.revision
    trial.suggest_float("x", 0, 1)
    started = study.read(running)
    assert started.params["x"].tolist() == [0.25]
    assert study.read(started) is started
    foreign.ask()
    foreign.tell(trial, 0.5)
    ended = study.read(started)
    assert ended.states.tolist() == [TrialState.COMPLETE.value, TrialState.RUNNING.value]
    assert ended.values[0] == 0.5
    assert_same_content(ended, study.read())
    assert_as_optuna_reads(ended, foreign)


def test_the_first_of_several_objectives_is_read(storage: StudyStorage, optuna_storage: RDBStorage) -> None:
    foreign = foreign_study(optuna_storage, directions=["maximize", "minimize"])
    foreign.optimize(lambda t: (t.suggest_float("x", 0, 1), 7.0), n_trials=3)
    study = storage.study("foreign")
    assert study.direction == "maximize"
    assert_as_optuna_reads(study.read(), foreign)
    assert storage.summaries()[0].best_value == study.read().values.max()


def test_infinite_values_are_read(storage: StudyStorage, optuna_storage: RDBStorage) -> None:
    foreign = foreign_study(optuna_storage)
    for value in (math.inf, 1.0, -math.inf):
        foreign.add_trial(create_trial(value=value, state=TrialState.COMPLETE))
    table = storage.study("foreign").read()
    assert table.values.tolist() == [math.inf, 1.0, -math.inf]
    assert storage.summaries()[0].best_value == -math.inf


def test_ranges_that_changed_are_joined(storage: StudyStorage, optuna_storage: RDBStorage) -> None:
    foreign = foreign_study(optuna_storage)
    for low, high in ((0.0, 1.0), (0.5, 4.0)):
        foreign.add_trial(
            create_trial(
                value=0.0,
                params={"x": high, "n": int(high)},
                distributions={"x": FloatDistribution(low, high), "n": IntDistribution(1, int(high))},
            )
        )
    study = storage.study("foreign")
    table = study.read()
    assert table.distributions == {"x": FloatDistribution(0.0, 4.0), "n": IntDistribution(1, 4)}
    assert table.configuration(1) == {"x": 4.0, "n": 4}


def test_trials_that_another_program_adds_to_a_study_of_the_lab_are_read(
    storage: StudyStorage, optuna_storage: RDBStorage
) -> None:
    study = new_study(storage)
    study.record(finished(0))
    table = study.read()
    loaded = optuna.load_study(study_name="digits", storage=optuna_storage)
    loaded.add_trial(
        create_trial(
            value=0.5,
            params={"C": 5000.0, "extra": "b"},
            distributions={"C": FloatDistribution(1.0, 1e4, log=True), "extra": CategoricalDistribution(("a", "b"))},
            user_attrs={"arm": 5, "figures": {"train_scores": None}},
        )
    )
    table = study.read(table)
    assert table.configuration(1) == {"C": 5000.0, "extra": "b"}
    assert table.distributions["C"] == FloatDistribution(1e-3, 1e4, log=True)
    assert table.arms.tolist()[1] == ""
    assert np.isnan(table.params["extra"][0])
    assert_same_content(table, study.read())


@pytest.mark.parametrize(
    "figures", [None, 5, [1], {"train_scores": None}, {"fit_seconds": ["x"]}, {"model_bytes": [[]]}]
)
def test_figures_of_another_program_do_not_hide_those_of_the_lab(
    storage: StudyStorage, optuna_storage: RDBStorage, figures: object
) -> None:
    study = new_study(storage)
    study.record(finished(0))
    loaded = optuna.load_study(study_name="digits", storage=optuna_storage)
    loaded.add_trial(create_trial(value=0.5, user_attrs={"figures": figures}))
    table = study.read()
    np.testing.assert_array_equal(table.fit_seconds[0], finished(0).fit_seconds)
    assert np.isnan(table.fit_seconds[1]).all()


def test_a_study_with_more_parameters_than_are_read_at_once_is_read(
    storage: StudyStorage, optuna_storage: RDBStorage
) -> None:
    foreign = foreign_study(optuna_storage)
    foreign.optimize(lambda t: sum(t.suggest_float(f"x{i}", 0, 1) for i in range(90 + t.number)), n_trials=2)
    table = storage.study("foreign").read()
    assert len(table.params) == 91
    assert_as_optuna_reads(table, foreign)


def drop_last(study: Study, n: int) -> None:
    with study._database.writing() as connection:
        ids = study.read().ids[-n:].tolist()
        for table in (*tables.TRIAL_CHILDREN, tables.trials):
            connection.execute(delete(table).where(table.c.trial_id.in_(ids)))


@pytest.mark.parametrize("n_new", [0, 1, 2, 3])
def test_trials_that_were_deleted_or_replaced_are_noticed(storage: StudyStorage, n_new: int) -> None:
    study = new_study(storage)
    study.record(*(finished(i) for i in range(5)))
    before = study.read()
    drop_last(study, 2)
    if n_new:
        study.record(*(finished(i) for i in range(10, 10 + n_new)))
    after = study.read(before)
    assert len(after) == 3 + n_new
    assert after.revision != before.revision
    assert_same_content(after, study.read())


def test_a_table_of_another_study_is_not_continued(storage: StudyStorage) -> None:
    one, two = new_study(storage, "one"), new_study(storage, "two")
    one.record(finished(0), finished(1))
    two.record(finished(0), finished(1), finished(2))
    assert_same_content(two.read(one.read()), two.read())


def test_a_deleted_study_cannot_be_read_even_if_its_id_is_taken_again(storage: StudyStorage) -> None:
    study = new_study(storage, "first")
    study.record(finished())
    table = study.read()
    storage.delete("first")
    with pytest.raises(UsageError, match="has been deleted"):
        study.read(table)
    new_study(storage, "second").record(finished())
    with pytest.raises(UsageError, match="has been deleted"):
        study.read(table)


def test_reading_agrees_with_optuna_on_trials_of_every_sampler_at_once(
    storage: StudyStorage, optuna_storage: RDBStorage
) -> None:
    foreign = foreign_study(optuna_storage)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", optuna.exceptions.ExperimentalWarning)
        for sampler in (optuna.samplers.TPESampler(seed=1), optuna.samplers.NSGAIISampler(seed=1)):
            foreign.sampler = sampler
            foreign.optimize(objective, n_trials=8)
    assert_as_optuna_reads(storage.study("foreign").read(), foreign)


def test_a_long_reason_does_not_blow_up_the_table(storage: StudyStorage) -> None:
    study = new_study(storage)
    study.record(failed(0, "x" * 100_000))
    assert len(study.read().reasons[0]) == 200


def test_hidden_trials_are_neither_complete_nor_best(storage: StudyStorage):
    study = new_study(storage, direction="minimize")
    study.record(finished(1, value=0.1), finished(2, value=0.2), finished(3, value=0.3))
    before = study.read()
    study.hide([0])
    table = study.read(before)
    assert table.hidden == {0}
    assert table.is_complete.tolist() == [False, True, True]
    assert table.best() == 1
    assert storage.summaries()[0].best_value == 0.2
    assert_same_content(table, study.read())
    study.unhide([0])
    again = study.read(table)
    assert again.best() == 0
    assert again.is_complete.all()
    assert [event.what for event in again.events][-2:] == ["hidden", "shown"]


def test_all_hidden_leaves_no_best(storage: StudyStorage):
    study = new_study(storage)
    study.record(finished(1))
    study.hide([0])
    assert study.read().best() is None
    assert storage.summaries()[0].best_value is None


def test_events_of_runs_come_with_the_table(storage: StudyStorage):
    study = new_study(storage)
    study.record(finished(1))
    before = study.read()
    study.runs.add_event("asked", {"wanted": "paused"})
    table = study.read(before)
    assert [event.what for event in table.events] == ["asked"]
    assert table.revision != before.revision
    assert study.read(table) is table


def test_part_of_a_table_has_a_revision_of_its_own(storage: StudyStorage):
    study = new_study(storage)
    study.record(finished(1), finished(2), finished(3))
    table = study.read()
    part = table.take(np.array([2, 0]))
    assert part.numbers.tolist() == [2, 0]
    assert part.configuration(0) == table.configuration(2)
    assert part.revision not in (table.revision, table.take(np.array([0, 2])).revision)


def test_rows_of_a_configuration_are_those_that_tried_exactly_it(storage: StudyStorage):
    study = new_study(storage)
    study.record(finished(1), finished(2), finished(3))
    table = study.read()
    for row in range(3):
        assert table.rows_of(table.configuration(row)).tolist() == [row]
    one = table.configuration(0)
    fewer = dict(list(one.items())[:-1])
    assert table.rows_of(fewer).tolist() == []
    assert table.rows_of({**one, "unknown": 1.0}).tolist() == []
