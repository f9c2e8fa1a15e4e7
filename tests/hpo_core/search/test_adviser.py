"""The adviser: what it recommends in plain cases, and that each word for or against a method is true of it."""

import pytest

from hpo_core.methods import METHODS
from hpo_core.options import options_of
from hpo_core.problem import make_problem
from hpo_core.search.adviser import Answers, Facts, advise


@pytest.fixture(scope="module")
def svm():
    return make_problem("digits", "svm")


def _best(problem, seconds=0.05, **answers):
    return advise(problem, Answers(**answers), seconds)[0]


def test_usual_answers_give_auto_without_a_doubt(svm):
    best = _best(svm)
    assert (best.method.key, best.doubts) == ("auto", ())


def test_few_trials_over_a_smooth_surface_call_for_a_gaussian_process(svm):
    assert _best(svm, surface="smoothly", trials="up to 25").method.key == "gaussian_process"


def test_slow_fits_on_many_workers_call_for_partial_fits():
    network = make_problem("digits", "neural_network")
    advice = advise(network, Answers(workers="more", trials="100 to 500"), 5.0)
    assert advice[0].method.strengths.is_partial
    quick = advise(network, Answers(workers="more", trials="100 to 500"), 0.01)
    assert not quick[0].method.strengths.is_partial


def test_a_list_made_before_is_one_that_learns_nothing(svm):
    best = _best(svm, repeats="a list made before")
    assert not best.method.capabilities.learns
    assert "learns nothing" in " ".join(best.doubts)


def test_every_combination_of_few_parameters_is_a_grid():
    ridge = make_problem("diabetes", "ridge")
    assert _best(ridge, known="try every combination").method.key == "grid"


def test_many_cheap_trials_over_a_rough_surface_call_for_evolution(svm):
    assert _best(svm, surface="roughly", trials="more than 500").method.strengths.fewest >= 100


def test_every_method_of_our_own_that_can_is_weighed_and_no_peer(svm):
    keys = {one.method.key for one in advise(svm, Answers())}
    peers = {m.key for m in METHODS if m.strengths.is_peer}
    assert {"optuna_gp", "smac", "hyperopt_tpe", "sklearn_grid", "flaml_cfo", "deap_genetic", "nevergrad"} <= peers
    assert not keys & peers
    assert "automl_portfolio" not in keys  # it works on its own model only
    assert {"grid", "random", "tpe", "genetic", "hyperband"} <= keys


def test_any_answer_is_given_reasons_in_whole_sentences(svm):
    for option in options_of(Answers):
        for choice in option.choices:
            for one in advise(svm, Answers(**{option.name: choice})):
                assert all(not text[0].islower() and text.endswith(".") for text in (*one.reasons, *one.doubts))


def test_what_the_problem_says_is_counted():
    facts = Facts.of(make_problem("digits", "svm"), 0.5)
    assert facts.is_conditional
    assert facts.in_words == "6 parameters, 2 of them categories, some hang on others, a fit takes 0.5 s."
    assert Facts.of(make_problem("branin")).in_words == "2 parameters."
