"""What the study record costs, against Optuna's own SQLite storage in the same run.

    python tests/benchmarks/bench_storage.py [--trials 10000]

8 parameters, 5 fold scores. Recording counts the CPU seconds of a finished trial, with a random sampler on Optuna's
side; reading counts the seconds until all trials are there, in a fresh process after its imports.
"""

import argparse
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

import optuna
from optuna.trial import TrialState

from hpo_core.space import Categorical, Float, Int, SearchSpace
from hpo_core.studies.run import Budget, Live, LiveTrial, RunSettings, Spent
from hpo_core.studies.storage import StudyStorage
from hpo_core.studies.study import Study
from hpo_core.studies.trial import FinishedTrial

N_FOLDS = 5
N_RECORDED, N_OPTIMIZED, N_POLLS = 1000, 40, 200
SPACE = SearchSpace(
    (
        *(Float(name=f"rate_{i}", low=1e-5, high=1.0, default=0.1, log=True) for i in range(3)),
        Float(name="share", low=0.0, high=1.0, default=0.5),
        *(Int(name=f"size_{i}", low=1, high=100, default=10) for i in range(2)),
        Categorical(name="kernel", choices=("rbf", "poly", "linear"), default="rbf"),
        Categorical(name="weights", choices=("uniform", "distance"), default="uniform"),
    )
)


def finished(index: int) -> FinishedTrial:
    source = random.Random(index)
    folds = {
        name: tuple(source.random() for _ in range(N_FOLDS))
        for name in ("fold_scores", "train_scores", "fit_seconds", "predict_seconds")
    }
    return FinishedTrial(
        configuration=SPACE.from_unit([source.random() for _ in SPACE.names]),
        state=TrialState.COMPLETE,
        value=sum(folds["fold_scores"]) / N_FOLDS,
        arm="random",
        started=1.79e9 + index,
        completed=1.79e9 + index + 0.5,
        model_bytes=tuple(source.randrange(10**6) for _ in range(N_FOLDS)),
        **folds,
    )


def objective(trial: optuna.Trial) -> float:
    for name, distribution in SPACE.distributions().items():
        trial._suggest(name, distribution)
    for fold in range(N_FOLDS):
        trial.report(random.random(), fold)
    trial.set_user_attr("arm", "random")
    return random.random()


def cpu_seconds_each(act: Callable[[], object], n: int) -> float:
    start = time.process_time()
    act()
    return (time.process_time() - start) / n


def seconds_each(act: Callable[[], object], n: int) -> float:
    start = time.perf_counter()
    for _ in range(n):
        act()
    return (time.perf_counter() - start) / n


def bench_recording(folder: Path) -> tuple[float, float]:
    """CPU seconds of a finished trial: Optuna's, the lab's."""
    theirs = optuna.create_study(storage=f"sqlite:///{folder / 'optuna.db'}", sampler=optuna.samplers.RandomSampler(0))
    theirs.optimize(objective, n_trials=3)
    optuna_seconds = cpu_seconds_each(lambda: theirs.optimize(objective, n_trials=N_OPTIMIZED), N_OPTIMIZED)
    study = new_study(folder / "record.db")
    trials = [finished(i) for i in range(N_RECORDED)]
    study.record(*trials[:3])
    return optuna_seconds, cpu_seconds_each(lambda: [study.record(t) for t in trials[3:]], N_RECORDED - 3)


def bench_reading(path: Path, n_trials: int) -> tuple[float, float]:
    """Seconds until all trials are there in a fresh process: Optuna's, the lab's."""
    study = new_study(path)
    for start in range(0, n_trials, 1000):
        study.record(*(finished(i) for i in range(start, min(start + 1000, n_trials))))
    # The best of three each, because other programs on the machine only ever make it slower.
    theirs, ours = (min(fresh_read(reader, path, n_trials) for _ in range(3)) for reader in ("optuna", "lab"))
    return theirs, ours


def fresh_read(reader: str, path: Path, n_trials: int) -> float:
    command = [sys.executable, __file__, "--read-with", reader, "--path", str(path)]
    answer = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    assert answer["n"] == n_trials
    return float(answer["seconds"])


def read_with(reader: str, path: str) -> None:
    start = time.perf_counter()
    if reader == "lab":
        n = len(StudyStorage.open(path).study("bench").read())
    else:
        n = len(optuna.load_study(study_name="bench", storage=f"sqlite:///{path}").get_trials(deepcopy=False))
    print(json.dumps({"n": n, "seconds": time.perf_counter() - start}))


def bench_polls(path: Path, n_trials: int) -> dict[str, float]:
    """Seconds of what a page and a runner do all the time."""
    study = StudyStorage.open(str(path)).study("bench")
    table = study.read()
    idle = seconds_each(lambda: study.read(table), N_POLLS)
    study.record(finished(n_trials))
    run = study.runs.begin(RunSettings("random"), Budget("trials", 10))
    live = Live((LiveTrial(SPACE.default(), "random", (0.5, 0.25), time.time()),) * 2)
    return {
        f"poll with nothing new, {n_trials:,} trials": idle,
        f"poll with one new trial, {n_trials:,} trials": seconds_each(lambda: study.read(table), 20),
        "look at the run": seconds_each(study.runs.current, N_POLLS),
        "publish the live record": seconds_each(
            lambda: study.runs.publish(run.id, spent=Spent(1, 5, 2.0), live=live), N_POLLS
        ),
    }


def new_study(path: Path) -> Study:
    return StudyStorage.open(str(path)).create("bench", direction="maximize", metric="accuracy", space=SPACE)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--read-with", choices=["lab", "optuna"], help=argparse.SUPPRESS)
    parser.add_argument("--path", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    if arguments.read_with:
        read_with(arguments.read_with, arguments.path)
        return
    with tempfile.TemporaryDirectory() as folder:
        recording = bench_recording(Path(folder))
        reading = bench_reading(Path(folder) / "read.db", arguments.trials)
        polls = bench_polls(Path(folder) / "read.db", arguments.trials)
    print(f"{'':44}{'Optuna':>12}{'the lab':>12}{'ratio':>8}")
    rows = {"record a finished trial, CPU": recording, f"read {arguments.trials:,} trials": reading}
    for name, (theirs, ours) in rows.items():
        print(f"{name:44}{1e3 * theirs:>9,.1f} ms{1e3 * ours:>9,.2f} ms{theirs / ours:>8.0f}")
    for name, seconds in polls.items():
        print(f"{name:44}{'':12}{1e3 * seconds:>9,.2f} ms")


if __name__ == "__main__":
    main()
