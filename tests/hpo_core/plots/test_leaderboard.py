"""The leaderboard and the diagram: the right trials, ties called so, shapes as they are."""

import math

import numpy as np
from optuna.distributions import CategoricalDistribution, IntDistribution

from hpo_core.options import with_options
from hpo_core.plots import LIVE, PLOTS
from tests.trial_tables import build_table

BOARD, DIAGRAM = PLOTS["leaderboard"], PLOTS["architecture_diagram"]
STEADY = np.array([0.90, 0.91, 0.92, 0.91, 0.90])


def _board(families, folds, direction="maximize"):
    table = build_table(
        len(families),
        direction=direction,
        distributions={"family": CategoricalDistribution(("ridge", "svm", "xgboost"))},
        params={"family": np.array(families, dtype=float)},
        fold_scores=np.array(folds),
        values=np.mean(folds, axis=1),
    )
    return BOARD.compute(table)


def test_best_trial_of_each_family_is_ranked_and_ties_are_marked():
    data = _board([0, 1, 0, 1], [STEADY - 0.1, STEADY, STEADY - 0.05, STEADY - 0.2])
    assert [(p.family, p.row, p.n_trials) for p in data.places] == [("svm", 1, 2), ("ridge", 2, 2)]
    assert [p.is_tied for p in data.places] == [False, False]
    assert BOARD.alt(data) == "SVM is best with 0.9080; none of the others is tied with it."
    near = _board([0, 1], [STEADY, STEADY + np.array([0.01, -0.02, 0.0, 0.005, 0.002])])
    assert [p.is_tied for p in near.places] == [False, True]
    assert BOARD.alt(near) == "Ridge is best with 0.9080; tied with it: SVM."
    assert near.n_families == 3


def test_errors_are_ranked_from_the_lowest():
    data = _board([0, 1], [STEADY, STEADY - 0.1], direction="minimize")
    assert [p.family for p in data.places] == ["svm", "ridge"]


def test_costs_stand_beside_each_family_and_one_far_off_is_named_at_the_edge():
    data = _board([0, 1, 2], [STEADY, STEADY - 0.01, STEADY - 50])
    notes = [note["text"] for note in BOARD.draw(data, LIVE)["layout"]["annotations"]]
    assert notes[:3] == ["0.1 s a fit"] * 3
    assert notes[3].startswith("◂ -49")


def _networks(depths, widths, values, skip):
    n = len(depths)
    names = [f"units_{i}" for i in range(1, 4)]
    return build_table(
        n,
        distributions={"n_layers": IntDistribution(1, 3), **{name: IntDistribution(4, 512) for name in names},
                       "skip": CategoricalDistribution((False, True))},
        params={"n_layers": np.array(depths, float), "skip": np.array(skip, float),
                **{name: np.array([w[i] if i < len(w) else math.nan for w in widths]) for i, name in enumerate(names)}},
        values=np.array(values),
    )  # fmt: skip


def test_best_architectures_are_drawn_once_each_by_their_best_trial():
    shapes = [(8,), (8, 16), (8, 16), (4, 4, 4)]
    table = _networks([1, 2, 2, 3], shapes, [0.5, 0.8, 0.9, 0.7], [False, True, True, False])
    data = with_options(DIAGRAM, {"top": 2}).compute(table)
    assert [(n.row, n.widths, n.skip) for n in data.networks] == [(2, (8, 16), True), (3, (4, 4, 4), False)]
    assert data.n_architectures == 3
    figure = DIAGRAM.draw(data, LIVE)
    assert [len(trace["x"]) for trace in figure["data"]] == [4, 5]  # input and output with the hidden layers
    kinds = [shape["type"] for shape in figure["layout"]["shapes"]]
    assert (kinds.count("rect"), kinds.count("path")) == (9, 2)
    assert figure["data"][0]["customdata"][1] == [2, "8 neurons"]
    assert DIAGRAM.alt(data).endswith("has 2 hidden layers of 8, 16 neurons, each with a skip connection.")


def test_wider_layers_are_taller_and_those_of_a_perceptron_are_drawn_too():
    table = _networks([2], [(4, 256)], [0.5], [False])
    table.params.pop("skip")
    figure = DIAGRAM.draw(DIAGRAM.compute(table), LIVE)
    heights = [s["y1"] - s["y0"] for s in figure["layout"]["shapes"] if s["type"] == "rect"]
    assert heights[2] > heights[1]
