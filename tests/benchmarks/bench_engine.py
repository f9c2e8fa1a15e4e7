"""What the engine costs and how it scales.

    python tests/benchmarks/bench_engine.py [--trials 10000]

Two workers against one: the same fits of a random forest on digits, each about a tenth of a second, and beside it what
two processes without any engine reach on this machine at this moment. CPU beyond the fits: that of the runner and of
its worker together, less the time of the fits themselves, for random search over eight parameters with five looks.
Memory: resident size of that runner at its end. Stop: from the request to the end of the run, within a fit of a minute.
Four workers: from one process that has loaded the libraries, beside four programs that each load their own.
"""
# ruff: noqa: E402 - threads and path must be set before the imports

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

for _name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
    os.environ.setdefault(_name, "1")
_ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(_ROOT))

import numpy as np
import psutil
import pytest

from hpo_core.nursery import FORK_VARIABLE
from hpo_core.problem import Problem, make_problem
from hpo_core.search import make_study, start_detached, start_run
from hpo_core.search.executor import FitRequest
from hpo_core.search.fits import FitStore
from hpo_core.search.local import LocalExecutor
from hpo_core.search.runner import Runner
from hpo_core.space import Categorical, Float, Int, SearchSpace
from hpo_core.studies.run import Budget, Owner, RunSettings
from hpo_core.studies.storage import StudyStorage
from hpo_core.studies.study import Study
from hpo_core.studies.table import TrialTable

_N_FITS_ALONE = 20
_ROUNDS = 2


def main() -> None:
    """Measures and prints the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=10_000, help="trials of the run that is weighed")
    parser.add_argument("--part", choices=["fits", "weigh"], help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.part == "fits":
        return _do_fits()
    if arguments.part == "weigh":
        return _weigh(arguments.trials)
    engine, alone, milliseconds = _scaling()
    weighed = json.loads(_part("weigh", "--trials", str(arguments.trials)).communicate()[0])
    _print("two workers against one", f"{engine:.2f}", f"at least 1.7 (fits of {milliseconds:.0f} ms)")
    _print("two processes without the engine", f"{alone:.2f}", "what this machine gives")
    _print("CPU of a trial beyond its fits", f"{weighed['milliseconds']:.2f} ms", "below 3 ms")
    _print(f"memory with {arguments.trials:,} trials", f"{weighed['megabytes']:.0f} MB", "below 400 MB")
    for what, forked, programs in (_first_trial(), *_four_workers()):
        _print(what, forked, f"as programs of their own {programs}")
    _print("stop within a long fit", f"{_stop_seconds():.2f} s", "below 2 s")
    return None


def _print(what: str, figure: str, target: str) -> None:
    print(f"{what:36} {figure:>10}   {target}", flush=True)


def _part(*arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, __file__, "--part", *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


# Scaling


def _forest() -> Problem:
    trees = Int(name="n_estimators", low=60, high=70, default=65)
    return make_problem("digits", "random_forest", space=tuple(SearchSpace((trees,)).to_json()))


def _scaling() -> tuple[float, float, float]:
    """Speed with two over that with one, of the engine and of bare processes, and milliseconds of a fit.

    Each is measured in turn, several times, and the least disturbed time of each is taken.
    """
    problem = _forest()
    seconds: dict[tuple[str, int], list[float]] = {(kind, n): [] for kind in ("engine", "alone") for n in (1, 2)}
    milliseconds = []
    for _ in range(_ROUNDS):
        for n in (1, 2):
            taken, table = _seconds_of_engine(problem, n)
            seconds["engine", n].append(taken)
            milliseconds.append(1000 * float(np.mean(table.fit_seconds + table.predict_seconds)))
            seconds["alone", n].append(_seconds_alone(n))
    best = {key: min(values) for key, values in seconds.items()}
    engine = best["engine", 1] / best["engine", 2]
    return engine, 2 * best["alone", 1] / best["alone", 2], min(milliseconds)


def _seconds_of_engine(problem: Problem, n_workers: int) -> tuple[float, TrialTable]:
    with tempfile.TemporaryDirectory() as name:
        executor = LocalExecutor(n_workers)
        _warm(executor, problem)
        began = time.perf_counter()
        study = _run(Path(name), problem, executor, Budget("trials", 11))
        seconds = time.perf_counter() - began
        executor.shutdown()
        return seconds, study.read()


def _warm(executor: LocalExecutor, problem: Problem) -> None:
    """Until every worker has loaded the data."""
    request = FitRequest(spec=problem.spec, configuration=problem.space.default(), folds=(0,))
    for future in [executor.submit(request) for _ in range(4 * executor.n_workers)]:
        future.result()


def _seconds_alone(n_processes: int) -> float:
    processes = [_part("fits") for _ in range(n_processes)]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    began = time.perf_counter()
    for process in processes:
        process.communicate("go\n")
    return time.perf_counter() - began


def _do_fits() -> None:
    problem = _forest()
    problem.fit(problem.space.default(), 0)
    print("ready", flush=True)
    sys.stdin.readline()
    for i in range(_N_FITS_ALONE):
        problem.fit(problem.space.default(), i % problem.n_folds)


# Costs


def _weigh(n_trials: int) -> None:
    """One run in this process, and nothing else."""
    numbers = tuple(Float(name=f"x{i}", low=0.0, high=1.0, default=0.5) for i in range(1, 7))
    space = SearchSpace((*numbers, Int(name="k", low=1, high=99, default=9), _flag()))
    problem = make_problem("hartmann6", noise=0.1, space=tuple(space.to_json()))
    executor = LocalExecutor(1)
    _warm(executor, problem)
    worker = psutil.Process(executor.worker_pids[0])
    with tempfile.TemporaryDirectory() as name:
        before = time.process_time() + sum(worker.cpu_times()[:2])
        table = _run(Path(name), problem, executor, Budget("trials", n_trials)).read()
        spent = time.process_time() + sum(worker.cpu_times()[:2]) - before
    executor.shutdown()
    spent -= float(np.nansum(table.fit_seconds))
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"milliseconds": 1000 * spent / n_trials, "megabytes": megabytes}))


def _first_trial() -> tuple[str, str, str]:
    """From the start of a search beside a lab whose workers are ready to its first trial; median of five."""
    with pytest.MonkeyPatch.context() as patch:
        forked = _first_trial_seconds()
        patch.setenv(FORK_VARIABLE, "no")
        programs = _first_trial_seconds()
    return "first trial of a search", f"{forked:.2g} s", f"{programs:.2g} s"


def _first_trial_seconds() -> float:
    problem, seconds = make_problem("iris", "svm"), []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        storage = StudyStorage.open(str(folder / "lab.db"))
        executor = LocalExecutor(1)
        _warm(executor, problem)
        for _ in range(5):
            study = make_study(storage, problem)
            began = time.perf_counter()
            start_detached(storage, study, start_run(study, RunSettings(method="tpe"), Budget("trials", 5)), folder)
            while not len(study.read()):
                time.sleep(0.005)
            seconds.append(time.perf_counter() - began)
            while (run := study.runs.current()) is None or run.is_active:
                time.sleep(0.05)
        executor.shutdown()
        storage.close()
    return float(np.median(seconds))


def _four_workers() -> list[tuple[str, str, str]]:
    """What it takes until four workers are ready and have done their first fits, forked and not."""
    with pytest.MonkeyPatch.context() as patch:
        forked = _ready()
        patch.setenv(FORK_VARIABLE, "no")
        programs = _ready()
    units = ("CPU until four workers have fitted", "s"), ("memory of four workers, shares counted once", "MB")
    return [(w, f"{a:.3g} {u}", f"{b:.3g} {u}") for (w, u), a, b in zip(units, forked, programs, strict=True)]


def _ready() -> tuple[float, float]:
    """Seconds of CPU, and megabytes."""
    executor = LocalExecutor(4)
    _warm(executor, make_problem("digits", "svm"))
    while len(executor.worker_pids) < executor.n_workers:
        time.sleep(0.01)
    own = psutil.Process().children(recursive=True)
    spent = sum(sum(child.cpu_times()[:2]) for child in own)
    megabytes = sum(child.memory_full_info().pss for child in own) / 2**20
    executor.shutdown()
    return spent, megabytes


def _flag() -> Categorical:
    return Categorical(name="flag", choices=("a", "b", "c"), default="a")


def _run(folder: Path, problem: Problem, executor: LocalExecutor, budget: Budget) -> Study:
    study = make_study(StudyStorage.open(str(folder / "lab.db")), problem)
    run = study.runs.begin(RunSettings(method="random", workers=executor.n_workers), budget)
    fits = FitStore(folder / "fits.db")
    Runner(study, study.runs.claim(run.id, Owner.of_this_process()), problem, executor, fits).run()
    fits.close()
    return study


def _stop_seconds() -> float:
    """From the request to the end of the run, while a network of four wide layers is being trained."""
    problem = _wide_network()
    with tempfile.TemporaryDirectory() as name:
        executor = LocalExecutor(1)
        _warm(executor, make_problem(problem.spec.data, "linear_regression"))
        worker = psutil.Process(executor.worker_pids[0])
        study = make_study(StudyStorage.open(str(Path(name) / "lab.db")), problem)
        run = study.runs.begin(RunSettings(method="random"), Budget("trials", 5))
        fits = FitStore(Path(name) / "fits.db")
        runner = Runner(study, study.runs.claim(run.id, Owner.of_this_process()), problem, executor, fits)
        thread = threading.Thread(target=runner.run)
        thread.start()
        before = sum(worker.cpu_times()[:2])
        while sum(worker.cpu_times()[:2]) - before < 3.0:  # well within the fit
            time.sleep(0.1)
        asked = time.perf_counter()
        study.runs.ask_for("stopped")
        thread.join()
        seconds = time.perf_counter() - asked
        assert len(study.read()) == 0
        executor.shutdown()
        fits.close()
    return seconds


def _wide_network() -> Problem:
    space = make_problem("long", "neural_network").space
    fixed = {"n_layers": 4, "units_1": 512, "units_2": 512, "units_3": 512, "units_4": 512}
    for name, value in fixed.items():
        only = Int(name=name, low=value, high=value, default=value, when=space[name].when)
        space = space.with_parameter(only)
    return make_problem("long", "neural_network", space=tuple(space.to_json()))


if __name__ == "__main__":
    main()
