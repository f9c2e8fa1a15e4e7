"""The local executor with real processes: whatever a fit does to its worker, the pool goes on."""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import CancelledError, wait
from dataclasses import replace

import psutil
import pytest

from hpo_core.errors import FitError
from hpo_core.problem import make_problem
from hpo_core.protocol import Protocol
from hpo_core.search.executor import FitRequest
from hpo_core.search.local import LocalExecutor
from tests.moody_landscape import ROOT, fits_done, is_gone, pool, request, wait_until


def _fault(future):
    with pytest.raises(FitError) as caught:
        future.result(timeout=60)
    return str(caught.value)


def _running(folder, x):
    """Waits until a worker has begun the fit with this x; the worker's process id."""
    return wait_until(lambda: _pids_of(folder, x), f"a fit with x = {x}")[0]


def _pids_of(folder, x):
    """The workers that have begun the fit with this x, the first one first."""
    return [fit["pid"] for fit in fits_done(folder) if fit["x"] == x]


def test_fits_give_the_results_of_the_problem_in_whatever_order_they_end(two_workers):
    landscape, model = make_problem("branin"), make_problem("iris", "svm")
    requests = [(p, p.space.default(), fold) for fold in range(3) for p in (landscape, model) if fold < p.n_folds]
    futures = [two_workers.submit(FitRequest(spec=p.spec, configuration=c, folds=(f,))) for p, c, f in requests]
    assert [f.result(timeout=60)[0].score for f in futures] == [p.fit(c, f).score for p, c, f in requests]


def test_two_workers_work_at_the_same_time(two_workers, pool_folder):
    first, second = (two_workers.submit(request(seconds=600, x=x)) for x in (0.11, 0.12))
    _running(pool_folder, 0.11)
    _running(pool_folder, 0.12)
    for future in (first, second):
        two_workers.cancel(future)
    assert two_workers.submit(request()).result(timeout=60)[0].score == pytest.approx(0.04)


@pytest.mark.parametrize(
    ("mood", "words"),
    [
        ("angry", "broke off with RuntimeError: out of temper"),
        ("lost", "Moody has no height here"),
        ("gone", "killed during this fit, most often for want of memory"),
        ("broken", "ended by SIGSEGV during this fit"),
        ("greedy", "MemoryError"),
    ],
)
def test_fit_that_misbehaves_fails_alone_with_its_reason(two_workers, mood, words):
    neighbours = [two_workers.submit(request(x=i / 10)) for i in range(3)]
    bad = two_workers.submit(request(mood))
    neighbours += [two_workers.submit(request(x=i / 10)) for i in range(3, 6)]
    assert words in _fault(bad)
    assert [f.result(timeout=60)[0].score for f in neighbours] == pytest.approx([(i / 10 - 0.3) ** 2 for i in range(6)])


def test_wrong_configuration_and_changed_data_fail_with_their_sentence(one_worker):
    spec = make_problem("branin").spec
    assert "x must lie from" in _fault(
        one_worker.submit(FitRequest(spec=spec, configuration={"x": 99.0, "y": 0.0}, folds=(0,)))
    )
    gone = FitRequest(spec=type(spec)(data="/nowhere.csv", model="svm", target="y"), configuration={}, folds=(0,))
    assert "nowhere.csv is not there any more" in _fault(one_worker.submit(gone))
    assert one_worker.submit(request()).result(timeout=60)[0].score == pytest.approx(0.04)


def test_killed_worker_fails_its_fit_and_is_replaced(two_workers, pool_folder):
    future = two_workers.submit(request(seconds=600, x=0.21))
    busy = _running(pool_folder, 0.21)
    os.kill(busy, signal.SIGKILL)
    assert "killed during this fit" in _fault(future)
    assert two_workers.submit(request()).result(timeout=60)[0].score == pytest.approx(0.04)
    wait_until(lambda: len(two_workers.worker_pids) == 2, "a worker in its place")
    assert busy not in two_workers.worker_pids


def test_killed_idle_worker_costs_nothing(two_workers):
    two_workers.submit(request()).result(timeout=60)
    before = two_workers.worker_pids
    for pid in before:
        os.kill(pid, signal.SIGKILL)
    futures = [two_workers.submit(request(x=i / 10)) for i in range(4)]
    # A fit may have been handed to a worker before its end was noticed; it then fails, alone.
    done = [f.exception(timeout=60) for f in futures]
    assert sum(fault is None for fault in done) >= 2
    wait_until(lambda: not set(before) & set(two_workers.worker_pids), "new workers")


def test_fit_past_its_limit_is_stopped_and_others_are_not(one_worker):
    late = one_worker.submit(request(seconds=600, limit=0.3))
    within = one_worker.submit(request(seconds=0.01, limit=30.0))
    assert _fault(late) == "The fit ran past its limit of 0.3 s and was stopped."
    assert within.result(timeout=60)[0].score == pytest.approx(0.04)


def test_reading_the_data_does_not_count_against_the_limit(one_worker):
    one_worker.submit(request()).result(timeout=60)
    (pid,) = one_worker.worker_pids
    spec = make_problem("branin", noise=0.25).spec
    os.kill(pid, signal.SIGSTOP)  # as if reading took long
    try:
        future = one_worker.submit(
            FitRequest(spec=spec, configuration={"x": 0.0, "y": 1.0}, folds=(0,), seconds_limit=0.3)
        )
        assert not wait([future], timeout=1.0).done
    finally:
        os.kill(pid, signal.SIGCONT)
    assert future.result(timeout=60)[0].score
    assert one_worker.worker_pids == (pid,)


def test_queued_fit_is_cancelled_without_being_done(one_worker, pool_folder):
    long = one_worker.submit(request(seconds=600, x=0.31))
    queued = one_worker.submit(request(x=0.32))
    _running(pool_folder, 0.31)
    one_worker.cancel(queued)
    assert wait([queued], timeout=5).done == {queued}
    one_worker.cancel(long)
    assert one_worker.submit(request(x=0.33)).result(timeout=60)
    assert [f["x"] for f in fits_done(pool_folder) if f["x"] in (0.31, 0.32, 0.33)] == [0.31, 0.33]


def test_running_fit_is_cancelled_by_replacing_its_worker(one_worker, pool_folder):
    long = one_worker.submit(request(seconds=600, x=0.41))
    _running(pool_folder, 0.41)
    (busy,) = one_worker.worker_pids
    one_worker.cancel(long)
    with pytest.raises(CancelledError):
        long.result(timeout=60)
    wait_until(lambda: is_gone(busy), "end of the worker whose fit was cancelled")
    assert one_worker.submit(request()).result(timeout=60)[0].score == pytest.approx(0.04)


def test_cancelled_fit_that_ends_by_itself_keeps_its_worker(one_worker):
    one_worker.submit(request()).result(timeout=60)
    before = one_worker.worker_pids
    for _ in range(20):
        one_worker.cancel(one_worker.submit(request(seconds=0.001)))
    assert one_worker.submit(request()).result(timeout=60)[0].score == pytest.approx(0.04)
    assert one_worker.worker_pids == before


def test_callback_of_a_future_runs_once_whatever_becomes_of_it(two_workers):
    calls = []
    futures = [two_workers.submit(request(mood)) for mood in ("calm", "angry", "gone")]
    futures.append(two_workers.submit(request(seconds=600)))
    for future in futures:
        future.add_done_callback(calls.append)
    two_workers.cancel(futures[-1])
    wait(futures, timeout=60)
    two_workers.submit(request()).result(timeout=60)
    assert sorted(map(id, calls)) == sorted(map(id, futures))


def test_shutdown_leaves_no_process_and_no_open_future(tmp_path, moody_landscape):
    with pool(2, tmp_path) as executor:
        futures = [executor.submit(request(seconds=600, x=0.51 + i / 100)) for i in range(4)]
        _running(tmp_path, 0.52)
        pids = executor.worker_pids
        executor.shutdown()
        assert all(map(is_gone, pids))
        assert wait(futures, timeout=5).not_done == set()
        with pytest.raises(FitError, match="shut down"):
            executor.submit(request())
        executor.cancel(futures[0])
        executor.shutdown()


def test_workers_that_do_not_start_are_given_up_with_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    executor = LocalExecutor(1, log_file=tmp_path / "workers.log")
    try:
        for _ in range(2):
            with pytest.raises(FitError, match="Worker processes do not start on this machine; the log says why"):
                executor.submit(request()).result(timeout=60)
    finally:
        executor.shutdown()
    assert (tmp_path / "workers.log").read_bytes()


def test_fit_is_tried_once_more_when_the_process_dies_that_its_worker_came_from(tmp_path, moody_landscape):
    with pool(1, tmp_path) as executor:
        future = executor.submit(request(seconds=600, x=0.58))
        first = _running(tmp_path, 0.58)
        os.kill(psutil.Process(first).ppid(), signal.SIGKILL)
        wait_until(lambda: len(_pids_of(tmp_path, 0.58)) == 2, "the second try")
        second = _pids_of(tmp_path, 0.58)[1]
        assert executor.worker_pids == (second,)
        nursery = psutil.Process(second).parent()
        nursery.parent().kill()  # the root that nurseries come from: nobody minds until another one is needed
        nursery.kill()
        assert "ended during this fit" in _fault(future)
        assert executor.submit(request()).result(timeout=60)[0].score == pytest.approx(0.04)
        wait_until(lambda: is_gone(first) and is_gone(second), "end of the workers")
        assert not {first, second} & set(executor.worker_pids)


def test_pool_works_where_nothing_may_be_forked(tmp_path, moody_landscape, monkeypatch):
    monkeypatch.setenv("TUNING_LAB_FORK", "no")
    with pool(2, tmp_path) as executor:
        assert executor.submit(request()).result(timeout=60)[0].score == pytest.approx(0.04)
        wait_until(lambda: len(executor.worker_pids) == 2, "both workers")
        pids = executor.worker_pids
        assert all("hpo_core.worker" in psutil.Process(pid).cmdline() for pid in pids)
        future = executor.submit(request(seconds=600, x=0.59))
        os.kill(_running(tmp_path, 0.59), signal.SIGKILL)
        assert "killed during this fit" in _fault(future)
    assert all(map(is_gone, pids))


def test_workers_that_die_by_the_dozen_are_replaced_each_time(two_workers, pool_folder):
    for i in range(12):
        future = two_workers.submit(request(seconds=600, x=0.9 + i / 1000))
        os.kill(_running(pool_folder, 0.9 + i / 1000), signal.SIGKILL)
        assert "killed during this fit" in _fault(future)
    wait_until(lambda: len(two_workers.worker_pids) == 2, "both workers")
    nursery = psutil.Process(two_workers.worker_pids[0]).parent()
    assert {child.pid for child in nursery.children()} == set(two_workers.worker_pids)  # no zombies
    assert nursery.num_fds() < 20


def test_spare_workers_stand_ready_but_do_not_work(tmp_path, moody_landscape):
    with pool(1, tmp_path, n_spare=1) as executor:
        futures = [executor.submit(request(seconds=600, x=0.6 + i / 100)) for i in range(2)]
        _running(tmp_path, 0.6)
        wait_until(lambda: [w.is_ready for w in executor._workers] == [True, True], "the spare worker")
        executor.cancel(futures[0])
        _running(tmp_path, 0.61)
        assert [f["x"] for f in fits_done(tmp_path)] == [0.6, 0.61]


_PARENT = """
import sys, time
from pathlib import Path
from hpo_core.search.local import LocalExecutor
from tests.moody_landscape import request
executor = LocalExecutor(2)
executor.submit(request(seconds=600, x=0.71))
while len(executor.worker_pids) < 2:
    time.sleep(0.05)
print(*executor.worker_pids, flush=True)
time.sleep(600)
"""


def test_workers_end_when_their_parent_is_killed(tmp_path, monkeypatch):
    monkeypatch.setenv("MOODY_FITS", str(tmp_path / "fits"))
    parent = subprocess.Popen([sys.executable, "-c", _PARENT], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    pids = []
    try:
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert len(pids) == 2
        _running(tmp_path, 0.71)
        parent.kill()
        wait_until(lambda: all(map(is_gone, pids)), "end of the workers", seconds=20)
    finally:
        parent.kill()
        parent.communicate()
        for pid in filter(lambda p: not is_gone(p), pids):
            os.kill(pid, signal.SIGKILL)


def test_interrupt_of_the_terminal_does_not_reach_the_workers(one_worker):
    one_worker.submit(request()).result(timeout=60)
    (pid,) = one_worker.worker_pids
    assert os.getpgid(pid) != os.getpgid(0)


def test_workers_use_one_thread_for_linear_algebra(one_worker):
    one_worker.submit(request()).result(timeout=60)
    (pid,) = one_worker.worker_pids
    environment = psutil.Process(pid).environ()
    assert {environment[f"{library}_NUM_THREADS"] for library in ("OMP", "OPENBLAS", "MKL")} == {"1"}
    problem = make_problem("digits", "neural_network")
    small = problem.space.completed({"max_iter": 10})
    one_worker.submit(FitRequest(spec=problem.spec, configuration=small, folds=(0,))).result(timeout=120)
    # Main and watching thread; a pool of a numerical library would add to them.
    assert psutil.Process(pid).num_threads() <= 2 + 1


def test_many_threads_may_submit_and_cancel_at_the_same_time(two_workers):
    scores = []

    def work(i):
        two_workers.cancel(two_workers.submit(request(seconds=0.005, x=i / 100)))
        scores.append(two_workers.submit(request(x=i / 100)).result(timeout=60)[0].score)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(scores) == pytest.approx(sorted((i / 100 - 0.3) ** 2 for i in range(12)))


def _looks(x, folds=(0, 1, 2, 3), **fixed):
    """Several looks at one configuration of the misbehaving landscape, in one request."""
    problem = make_problem("moody", noise=0.1, protocol=Protocol(folds=4))
    return problem, FitRequest(
        spec=problem.spec, configuration={"x": x, "mood": "calm", "seconds": 0.0, **fixed}, folds=folds
    )


def test_quick_fits_of_one_request_come_back_together(one_worker):
    problem, looks = _looks(0.81)
    results = one_worker.submit(looks).result(timeout=60)
    assert [r.score for r in results] == [problem.fit(looks.configuration, fold).score for fold in range(4)]


def test_slow_fits_come_back_one_by_one(one_worker):
    problem, looks = _looks(0.82, folds=(2, 3), seconds=0.1)
    (result,) = one_worker.submit(looks).result(timeout=60)
    assert result.score == problem.fit(looks.configuration, 2).score


def test_worker_that_dies_of_one_of_several_fits_fails_the_first_alone(one_worker, pool_folder):
    _, looks = _looks(0.83, seconds=600)
    future = one_worker.submit(looks)
    first = _running(pool_folder, 0.83)
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: len(_pids_of(pool_folder, 0.83)) == 2, "another worker to try")
    os.kill(_pids_of(pool_folder, 0.83)[1], signal.SIGKILL)
    assert "killed during this fit" in _fault(future)
    assert len([f for f in fits_done(pool_folder) if f["x"] == 0.83]) == 2


def test_requests_of_a_lower_rank_are_done_first(one_worker, pool_folder):
    long = one_worker.submit(request(seconds=600, x=0.84))
    _running(pool_folder, 0.84)
    queued = [
        one_worker.submit(replace(request(x=x), rank=rank)) for x, rank in ((0.85, 1), (0.86, 0), (0.87, 1), (0.88, 0))
    ]
    one_worker.cancel(long)
    wait(queued, timeout=60)
    assert [f["x"] for f in fits_done(pool_folder) if 0.84 < f["x"] < 0.89] == [0.86, 0.88, 0.85, 0.87]
