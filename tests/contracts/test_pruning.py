"""What every pruning rule must keep, over all that discovery finds."""

import dataclasses
import json

import numpy as np
import pytest

from hpo_core.options import options_of, with_options
from hpo_core.pruning import PRUNING, FoldHistory, is_hopeless, pruning_rule
from hpo_core.studies.run import RunSettings, to_json

N_FOLDS = 10
over_rules = pytest.mark.parametrize("rule", list(PRUNING), ids=PRUNING.keys)


def history(sign, n=12, seed=0):
    """Trials at 1, 2, ... with folds that differ in difficulty, and noise; lower is better before the sign."""
    rng = np.random.default_rng(seed)
    found = FoldHistory(N_FOLDS, sign)
    rows = 1 + 0.2 * np.arange(n)[:, None] + rng.normal(0, 0.05, N_FOLDS) + rng.normal(0, 0.02, (n, N_FOLDS))
    for row in sign * rows:
        found.add(tuple(row))
    return found


def suited(rule):
    return rule.suited_to(2.0)


def test_rules_of_the_lab_are_there_and_none_comes_first():
    assert PRUNING.keys == ("none", "race", "median", "percentile", "threshold", "wilcoxon")


@over_rules
def test_what_a_rule_says_of_itself_is_complete(rule):
    assert rule.label
    assert 20 < len(rule.purpose) <= 120
    assert rule.purpose.endswith(".")
    assert rule.when_to_use.endswith(".")
    assert any(part.strip("()").isdigit() for part in rule.source.replace(",", " ").split()), "no year"
    for option in options_of(type(rule)):
        assert option.label
        assert option.explanation.endswith(".")
        assert option.why_invalid(option.default) is None
    assert set(rule.required) <= {option.name for option in options_of(type(rule))}


@over_rules
def test_options_of_a_run_go_through_json(rule):
    options = {o.name: getattr(suited(rule), o.name) for o in options_of(type(rule))}
    settings = RunSettings(method="tpe", pruning=rule.key, pruning_options=options)
    back = RunSettings(**json.loads(to_json(settings)))
    assert back == settings
    assert pruning_rule(back.pruning, back.pruning_options) == suited(rule)


@over_rules
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_terrible_trials_are_given_up_and_the_best_is_not(rule, sign):
    rule, rivals = with_options(rule, {"limit": sign * 2.0} if rule.required else {}), history(sign).snapshot()
    terrible = tuple(sign * (9.0 + 0.1 * np.arange(N_FOLDS)))
    better = tuple(sign * (rivals.incumbent - 0.5))
    verdicts = [is_hopeless(rule, terrible[:k], rivals) for k in range(N_FOLDS + 1)]
    assert any(verdicts) == (rule.key != "none")
    assert not verdicts[0]
    assert not verdicts[N_FOLDS]
    assert not any(is_hopeless(rule, better[:k], rivals) for k in range(N_FOLDS + 1))


@over_rules
def test_a_verdict_depends_on_nothing_but_its_arguments(rule):
    """Later trials do not change the verdict on one that began before them."""
    rule, known = suited(rule), history(1.0)
    before = known.snapshot()
    row = tuple(before.incumbent[:6] + 0.03)
    first = is_hopeless(rule, row, before)
    for _ in range(100):
        known.add(tuple(np.zeros(N_FOLDS)))
    assert is_hopeless(rule, row, before) == first == is_hopeless(dataclasses.replace(rule), row, before)


@over_rules
def test_too_few_rivals_are_no_ground_to_give_up(rule):
    few = history(1.0, n=max(0, rule.min_rivals - 1)).snapshot()
    if rule.min_rivals:
        assert not is_hopeless(suited(rule), (99.0,) * 8, few)


@over_rules
def test_one_fold_leaves_nothing_to_give_up(rule):
    assert bool(rule.caution(1)) == (rule.key != "none")
    assert rule.caution(50) == ""
