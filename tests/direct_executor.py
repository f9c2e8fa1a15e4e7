"""An executor that does each fit at once, in the calling thread."""

from __future__ import annotations

from concurrent.futures import Future

from hpo_core.fit_result import FitResult
from hpo_core.picture import fit_with_picture
from hpo_core.problem import Problem, open_problem
from hpo_core.search.executor import FitRequest, FitResults


class DirectExecutor:
    """Counts the requests that it was given."""

    n_workers = 1

    def __init__(self) -> None:
        self.n_requests = 0

    def submit(self, request: FitRequest) -> Future[FitResults]:
        self.n_requests += 1
        problem = open_problem(request.spec)
        future: Future[FitResults] = Future()
        future.set_result(tuple(_fit(problem, request, fold) for fold in request.folds))
        return future

    def cancel(self, future: Future[FitResults]) -> None:
        future.cancel()

    def shutdown(self) -> None:
        pass


def _fit(problem: Problem, request: FitRequest, fold: int) -> FitResult:
    if request.is_pictured:
        return fit_with_picture(problem, request.configuration, fold)
    return problem.fit(request.configuration, fold, request.schedule)
