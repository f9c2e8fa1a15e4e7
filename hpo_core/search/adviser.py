"""Which method when: five questions and the problem at hand, weighed by rules that each give their reason.

Every rule speaks for or against a method with a sentence, by what the method says of itself; the sum ranks them. They
are rules of thumb. What they rest on is measured in `tests/benchmarks/bench_methods.py` (regret) and told by Feurer and
Hutter (2019), Hyperparameter Optimization, and Bischl et al. (2023), Hyperparameter Optimization: Foundations,
Algorithms, Best Practices, and Open Challenges.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from hpo_core.formats import format_count, format_seconds
from hpo_core.methods import METHODS, SearchMethod
from hpo_core.options import option
from hpo_core.problem import ModelProblem, Problem
from hpo_core.search.suitability import why_not
from hpo_core.space import Categorical

_SMOOTH, _ROUGH, _UNKNOWN = "smoothly", "roughly", "not known"
_FEW_WORKERS, _SOME_WORKERS, _MANY_WORKERS = "one or two", "up to eight", "more"
_TRIALS: Final = {"up to 25": 25, "25 to 100": 60, "100 to 500": 250, "more than 500": 1000}
_NOTHING, _WHERE, _EVERY = "nothing yet", "roughly where", "try every combination"
_RESULT, _TRIAL_BY_TRIAL, _LIST = "the result", "every trial", "a list made before"
_SLOW_FIT, _QUICK_FIT = 2.0, 0.2
_MANY_PARAMETERS = 10


@dataclass(frozen=True)
class Answers:
    """The five questions, each with its usual answer."""

    surface: str = option(
        _UNKNOWN,
        "How does the score change?",
        "Complexity. Smoothly: a small move changes the score a little, and there is one good region. Roughly: it "
        "jumps, or there are several good regions.",
        choices=(_SMOOTH, _ROUGH, _UNKNOWN),
    )
    workers: str = option(
        _FEW_WORKERS,
        "How many fits at once?",
        "Compute: how many processors you can give to the search.",
        choices=(_FEW_WORKERS, _SOME_WORKERS, _MANY_WORKERS),
    )
    trials: str = option(
        "25 to 100", "How many trials can you wait for?", "Time: each trial fits all folds.", choices=tuple(_TRIALS)
    )
    known: str = option(
        _NOTHING,
        "What do you know?",
        "Expertise. Roughly where: you have seen good values before. Every combination: all of them must be seen.",
        choices=(_NOTHING, _WHERE, _EVERY),
    )
    repeats: str = option(
        _RESULT,
        "What must others repeat?",
        "Reproducibility. The result: the configuration that was found. Every trial: the same ones in the same order. "
        "A list: what will be tried must be known beforehand.",
        choices=(_RESULT, _TRIAL_BY_TRIAL, _LIST),
    )

    @property
    def n_trials(self) -> int:
        return _TRIALS[self.trials]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the problem itself says.

    Attributes:
        n_parameters: That can be moved.
        n_categories: Those of them that are categories.
        is_conditional: Whether some hang on others.
        fit_seconds: Of one whole fit; NaN where unknown.
    """

    n_parameters: int
    n_categories: int
    is_conditional: bool
    fit_seconds: float = math.nan

    @staticmethod
    def of(problem: Problem, fit_seconds: float = math.nan) -> Facts:
        moving = problem.space.varying
        return Facts(
            n_parameters=len(moving),
            n_categories=sum(isinstance(parameter, Categorical) for parameter in moving),
            is_conditional=problem.space.is_conditional,
            fit_seconds=fit_seconds if isinstance(problem, ModelProblem) else 0.0,
        )

    @property
    def in_words(self) -> str:
        """As a sentence."""
        parts = [format_count(self.n_parameters, "parameter")]
        if self.n_categories:
            parts.append(f"{self.n_categories} of them {'a category' if self.n_categories == 1 else 'categories'}")
        if self.is_conditional:
            parts.append("some hang on others")
        if self.fit_seconds > 0:
            parts.append(f"a fit takes {format_seconds(self.fit_seconds)}")
        return f"{', '.join(parts)}."


_Said = tuple[int, str] | None


@dataclass(frozen=True, slots=True)
class Advice:
    """A method with what speaks for it and against it here.

    Attributes:
        method: The method.
        points: The sum of the rules.
        reasons, doubts: Their sentences, the weightiest first.
    """

    method: SearchMethod
    points: int
    reasons: tuple[str, ...]
    doubts: tuple[str, ...]


def advise(problem: Problem, answers: Answers, fit_seconds: float = math.nan) -> tuple[Advice, ...]:
    """All methods of our own that can search the problem, the best suited first.

    Args:
        problem: What is to be tuned.
        answers: To the five questions.
        fit_seconds: Of one whole fit, if known.
    """
    facts = Facts.of(problem, fit_seconds)
    able = [m for m in METHODS if not m.strengths.is_peer and why_not(m, problem) is None]
    weighed = [_weighed(method, answers, facts) for method in able]
    return tuple(sorted(weighed, key=lambda a: (-a.points, len(a.doubts), a.method.strengths.fewest, a.method.label)))


def _weighed(method: SearchMethod, answers: Answers, facts: Facts) -> Advice:
    said = [found for rule in _RULES if (found := rule(method, answers, facts)) is not None]
    said.sort(key=lambda found: -abs(found[0]))
    reasons = tuple(sentence for points, sentence in said if points > 0)
    doubts = tuple(sentence for points, sentence in said if points < 0)
    return Advice(method, sum(points for points, _ in said), reasons, doubts)


# The rules: points with their sentence, or None where there is nothing to say


def _learning(method: SearchMethod, answers: Answers, facts: Facts) -> _Said:
    if method.capabilities.learns:
        return 2, "Each trial is chosen by what was found before."
    return -1, "It learns nothing from the results."


def _modelling(method: SearchMethod, answers: Answers, facts: Facts) -> _Said:
    if method.strengths.has_model and answers.n_trials <= _TRIALS["100 to 500"]:
        return 1, "It models the whole space, which needs the fewest trials."
    return None


def _ending(method: SearchMethod, answers: Answers, facts: Facts) -> _Said:
    if method.n_finalists:
        return 1, "It ends with a finalists round on fresh folds."
    return None


def _budget(method: SearchMethod, answers: Answers, facts: Facts) -> _Said:
    fewest, most, n = method.strengths.fewest, method.strengths.most, answers.n_trials
    if n < fewest:
        return -3 if 2 * n < fewest else -2, f"It takes some {fewest} trials before it pays."
    if most is not None and n > most:
        return -3, f"Beyond some {most} trials others are as good and quicker to decide."
    if fewest >= _TRIALS["25 to 100"] and method.capabilities.learns:
        return 1, "There are trials enough for it to get going."
    return None


def _size(method: SearchMethod, answers: Answers, facts: Facts) -> _Said:
    most = method.strengths.most_parameters
    if most is None:
        return None
    if facts.n_parameters > most:
        return -4, f"{facts.n_parameters} parameters are more than it is good for: up to {most}."
    return (1, "There are few parameters, which it is made for.") if most < _MANY_PARAMETERS else None


def _conditions(method: SearchMethod, answers: Answers, facts: Facts) -> _Said:
    if not facts.is_conditional:
        return None
    if method.capabilities.is_conditional:
        return 1, "It knows which parameters hang on others."
    return -2, "It does not know that some parameters hang on others, and spends trials on what has no effect."


def _categories(method: SearchMethod, answers: Answers, facts: Facts) -> _Said:
    if facts.n_categories and "categorical" not in method.capabilities.kinds:
        return -3, "It draws categories at random."
    return None


def _surface(method: SearchMethod, answers: Answers, facts: Facts) -> _Said:
    own = method.strengths.surface
    if answers.surface == _UNKNOWN or own == "any":
        return None
    if (own == "smooth") == (answers.surface == _SMOOTH):
        return 2, "It is made for smooth scores." if own == "smooth" else "It is not misled by jumps and side valleys."
    if own == "smooth":
        return -2, "Jumps and several good regions mislead it."
    return -1, "Where scores change smoothly, others need fewer trials."


def _fits(method: SearchMethod, answers: Answers, facts: Facts) -> _Said:
    if not method.strengths.is_partial or math.isnan(facts.fit_seconds):
        return None
    if facts.fit_seconds >= _SLOW_FIT:
        return 3, f"A fit takes {format_seconds(facts.fit_seconds)}: most of its fits are partial ones."
    if facts.fit_seconds < _QUICK_FIT:
        return -3, "A fit takes a blink: partial fits save little."
    return None


def _parallel(method: SearchMethod, answers: Answers, facts: Facts) -> _Said:
    strengths = method.strengths
    if answers.workers == _FEW_WORKERS:
        return None
    weight = 2 if answers.workers == _MANY_WORKERS else 1
    if strengths.waits:
        return -weight, "Workers wait for each other at the end of each of its rounds."
    if not method.capabilities.learns:
        return weight, "As many workers as you like make it that much faster."
    if strengths.is_partial:
        return weight, "No worker ever waits for another."
    return 1 - weight, "With many fits at once, each is chosen without knowing those under way."


def _expertise(method: SearchMethod, answers: Answers, facts: Facts) -> _Said:
    if answers.known == _WHERE and method.strengths.goes_on:
        return 2, "It goes on from what you have tried: put the sliders there first, or narrow the ranges."
    if answers.known == _EVERY:
        if method.capabilities.is_finite:
            return 4, "It tries every combination of its steps, and ends."
        return -1, "It does not try every combination."
    return None


def _repeating(method: SearchMethod, answers: Answers, facts: Facts) -> _Said:
    learns = method.capabilities.learns
    if answers.repeats == _LIST:
        if learns:
            return -5, "What it tries hangs on results, so that no list can be made before."
        return 4, "All that it tries follows from its seed, before any result."
    if answers.repeats == _TRIAL_BY_TRIAL and learns and answers.workers != _FEW_WORKERS:
        return -2, "With several workers, what comes back first changes what is tried next: take one worker."
    return None


_RULES: Final[tuple[Callable[[SearchMethod, Answers, Facts], _Said], ...]] = (
    _learning,
    _modelling,
    _ending,
    _budget,
    _size,
    _conditions,
    _categories,
    _surface,
    _fits,
    _parallel,
    _expertise,
    _repeating,
)
