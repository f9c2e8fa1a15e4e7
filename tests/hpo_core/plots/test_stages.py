"""The stages of a search: bands, what each found, and why it began."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np

from hpo_core.plots import LIVE, PLOTS
from hpo_core.studies.table import TrialTable
from tests.trial_tables import build_table

STAGES = PLOTS["stages"]


def table_of(*stages: tuple[str, str] | None, **columns: object) -> TrialTable:
    """A table whose trials recorded these stages and sentences; None where nothing was recorded."""
    thoughts = [json.dumps({"stage": pair[0], "why": pair[1]}) if pair else "" for pair in stages]
    return build_table(len(stages), thoughts=np.array(thoughts, dtype=object), arms=("tpe",), **columns)


def test_trials_in_a_row_of_one_stage_are_a_band() -> None:
    coarse, fine = ("coarse", "To begin."), ("fine", "It was found.")
    data = STAGES.compute(table_of(coarse, coarse, fine, fine, fine, coarse))
    assert [(band.stage, band.start, band.end) for band in data.bands] == [
        ("coarse", -0.5, 1.5),
        ("fine", 1.5, 4.5),
        ("coarse", 4.5, 5.5),
    ]
    assert [band.whys for band in data.bands] == [("To begin.",), ("It was found.",), ("To begin.",)]


def test_trials_without_a_stage_break_no_band() -> None:
    stage = ("coarse", "To begin.")
    (band,) = STAGES.compute(table_of(None, stage, None, None, stage)).bands
    assert (band.start, band.end, band.rows.tolist()) == (0.5, 4.5, [1, 4])


def test_sentences_inside_a_band_are_kept_each_once() -> None:
    data = STAGES.compute(table_of(("steps", "A."), ("steps", "B."), ("steps", "B."), ("steps", "A.")))
    assert data.bands[0].whys == ("A.", "B.")


def test_band_says_what_it_found_and_whether_that_was_better() -> None:
    values = np.array([0.5, 0.7, 0.6, np.nan, 0.9])
    stages = (("a", "x."), ("a", "x."), ("b", "x."), ("c", "x."), ("d", "x."))
    data = STAGES.compute(table_of(*stages, values=values))
    assert [band.best for band in data.bands] == [1, 2, None, 4]
    assert [band.is_better for band in data.bands] == [True, False, False, True]
    assert STAGES.numbers(data)["better than before"].tolist() == [True, False, False, True]


def test_sentence_of_the_latest_stage_is_on_the_chart_and_told_as_text_not_markup() -> None:
    data = STAGES.compute(table_of(("a", "Old."), ("<b>new</b>", "Because of %{x}, <i>this</i>.")))
    figure = STAGES.draw(data, LIVE)
    told = " ".join(note["text"] for note in figure["layout"]["annotations"])
    assert "Old." in told
    assert "&lt;b&gt;new&lt;/b&gt;" in told
    assert "<i>" not in told
    assert "%{x}" not in told
    assert STAGES.alt(data).endswith("<i>this</i>.")


def test_hundreds_of_alternating_stages_stay_readable() -> None:
    table = table_of(*([("first", "x."), ("second", "y.")] * 400))
    data = STAGES.compute(table)
    figure = STAGES.draw(data, LIVE)
    assert len(data.bands) == 800
    assert len(figure["layout"]["shapes"]) == len(data.drawn) < 100
    assert "longest" in STAGES.caption(data)


def test_stages_are_of_the_arm_that_has_most_of_them() -> None:
    table = table_of(*([("a", "x.")] * 3 + [("b", "y.")] * 5))
    arms = np.array(["tpe"] * 3 + ["grid"] * 5)
    data = STAGES.compute(replace(table, arms=arms))
    assert data.arm == "grid"
    assert [band.stage for band in data.bands] == ["b"]
    assert "1 other arm left out" in STAGES.caption(data)


def test_odd_thoughts_and_hidden_trials_belong_to_no_stage() -> None:
    odd = ["[]", '{"stage": 3}', '{"stage"', '"stage"', '{"stage": "a"}', '{"stage": "b", "why": null}']
    table = build_table(6, thoughts=np.array(odd, dtype=object))
    data = STAGES.compute(replace(table, hidden=frozenset({4})))
    assert [(band.stage, band.whys) for band in data.bands] == [("b", ("It does not say why.",))]


def test_study_without_stages_says_which_methods_have_some() -> None:
    assert "coarse-to-fine" in (STAGES.why_unavailable(build_table(20)) or "")
