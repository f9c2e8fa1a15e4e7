"""Gaussian-process regression over search spaces."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpo_core.cube import Cube
from hpo_core.errors import UsageError
from hpo_core.gaussian_process import GaussianProcess, HyperPosterior, fit
from hpo_core.space import Categorical, Condition, Float, Int, SearchSpace


def _floats(n: int) -> SearchSpace:
    return SearchSpace(tuple(Float(name=f"x{i}", low=0.0, high=1.0, default=0.5) for i in range(n)))


CONDITIONAL = SearchSpace(
    (
        Categorical(name="kernel", choices=("linear", "rbf", "poly"), default="rbf"),
        Float(name="c", low=1e-3, high=1e3, default=1.0, log=True),
        Float(name="gamma", low=1e-4, high=1.0, default=0.1, log=True, when=Condition("kernel", ("rbf", "poly"))),
        Int(name="degree", low=2, high=5, default=3, when=Condition("kernel", ("poly",))),
        Categorical(name="shape", choices=("a", "b"), default="a", when=Condition("kernel", ("poly",))),
    )
)


def _points(space: SearchSpace, n: int, seed: int = 0) -> np.ndarray:
    return Cube(space).snap(np.random.default_rng(seed).random((n, len(space))))


def _conditional_height(units: np.ndarray) -> np.ndarray:
    """A different function of different parameters for each kernel."""
    kernel = np.round(units[:, 0] * 3 - 0.5).astype(int)
    gamma, degree = np.nan_to_num(units[:, 2]), np.nan_to_num(units[:, 3])
    branches = [units[:, 1], 2 + np.sin(4 * gamma) + units[:, 1] ** 2, -1 + gamma * degree]
    return np.choose(kernel, branches)


def _drawn(process: GaussianProcess, units: np.ndarray, seed: int) -> np.ndarray:
    """One function of the prior of a process, at these points; by a fit of no data in particular."""
    distances = np.sqrt((((units[:, None] - units[None]) / process.length_scales) ** 2).sum(axis=2) * 5)
    covariance = (1 + distances + distances**2 / 3) * np.exp(-distances)
    return np.random.default_rng(seed).multivariate_normal(np.zeros(len(units)), covariance, method="eigh")


@pytest.mark.parametrize("space", [_floats(3), CONDITIONAL], ids=["floats", "conditional"])
def test_gradient_agrees_with_finite_differences(space: SearchSpace) -> None:
    rng = np.random.default_rng(1)
    posterior = HyperPosterior.of(space, _points(space, 25), rng.standard_normal(25))
    for _ in range(5):
        theta = rng.normal(scale=0.7, size=len(space) + 2)
        steps = 1e-6 * np.eye(len(theta))
        differences = [(posterior(theta + h)[0] - posterior(theta - h)[0]) / 2e-6 for h in steps]
        np.testing.assert_allclose(posterior(theta)[1], differences, rtol=1e-5, atol=1e-6)


def test_interpolates_noiseless_values() -> None:
    units = _points(_floats(2), 60)
    values = np.sin(6 * units[:, 0]) + units[:, 1] ** 2
    process = fit(_floats(2), units, values)
    np.testing.assert_allclose(process.predict(units).mean, values, atol=0.02 * values.std())
    unseen = _points(_floats(2), 200, seed=9)
    np.testing.assert_allclose(
        process.predict(unseen).mean, np.sin(6 * unseen[:, 0]) + unseen[:, 1] ** 2, atol=0.1 * values.std()
    )
    assert process.noise < 0.02 * values.std()


def test_finds_the_noise_and_its_intervals_hold_what_they_promise() -> None:
    space, rng = _floats(2), np.random.default_rng(3)
    units, unseen = _points(space, 80), _points(space, 150, seed=7)
    template = fit(space, units, units[:, 0])
    covered, noises, scores = [], [], []
    for seed in range(12):
        truth = _drawn(_with_lengths(template, 0.4), np.vstack([units, unseen]), seed)
        values = truth[:80] + 0.3 * rng.standard_normal(80)
        process = fit(space, units, values, seed=seed)
        mean, sd = process.predict(unseen)
        covered.append(np.mean(np.abs(mean - truth[80:]) < 1.96 * sd))
        noises.append(process.noise)
        left_out = process.leave_one_out()
        scores.extend((values - left_out.mean) / left_out.sd)
    assert 0.88 < np.mean(covered) < 0.995
    assert np.mean(noises) == pytest.approx(0.3, rel=0.15)
    assert np.std(scores) == pytest.approx(1.0, abs=0.15)


def _with_lengths(process: GaussianProcess, length: float) -> GaussianProcess:
    theta = np.append(np.full(len(process.space), np.log(length)), process.theta[-2:])
    return GaussianProcess(process.space, process.units, process.targets, process.warp, theta)


def test_leave_one_out_is_what_a_process_without_that_point_predicts() -> None:
    space, units = _floats(2), _points(_floats(2), 12)
    process = fit(space, units, np.sin(5 * units[:, 0]) + units[:, 1])
    left_out = process.leave_one_out()
    for i in range(12):
        rest = np.arange(12) != i
        without = GaussianProcess(space, units[rest], process.targets[rest], process.warp, process.theta)
        mean, sd = without.predict(units[[i]])
        assert left_out.mean[i] == pytest.approx(mean[0], abs=1e-6)
        assert left_out.sd[i] == pytest.approx(np.hypot(sd[0], process.noise), rel=1e-3)


def test_a_parameter_without_effect_gets_the_longest_length_scale() -> None:
    units = _points(_floats(3), 60)
    process = fit(_floats(3), units, np.sin(8 * units[:, 1]) + 0.3 * units[:, 0])
    assert process.length_scales.argmin() == 1
    assert process.length_scales.argmax() == 2


def test_conditional_branches_are_learned_apart_and_together() -> None:
    units, unseen = _points(CONDITIONAL, 90), _points(CONDITIONAL, 300, seed=5)
    values = _conditional_height(units)
    process = fit(CONDITIONAL, units, values)
    error = process.predict(unseen).mean - _conditional_height(unseen)
    assert np.sqrt(np.mean(error**2)) < 0.1 * values.std()


def test_what_an_inactive_parameter_would_be_makes_no_difference() -> None:
    points = np.random.default_rng(0).random((40, len(CONDITIONAL)))
    other = np.where(np.isnan(Cube(CONDITIONAL).snap(points)), np.random.default_rng(1).random(points.shape), points)
    np.testing.assert_array_equal(Cube(CONDITIONAL).snap(points), Cube(CONDITIONAL).snap(other))


def test_any_two_categories_are_equally_far_apart() -> None:
    space = SearchSpace((Categorical(name="c", choices=tuple("abcd"), default="a"),))
    corners = Cube(space).all_points(10)
    assert corners is not None
    predictions = fit(space, corners[:1], np.array([2.0])).predict(corners[1:])
    assert np.ptp(predictions.mean) < 1e-9
    assert np.ptp(predictions.sd) < 1e-9


@pytest.mark.parametrize("scale", [1e6, 1e-6])
@pytest.mark.parametrize("warp", ["none", "yeo_johnson"])
def test_unit_of_the_values_does_not_matter(scale: float, warp: str) -> None:
    units = _points(_floats(2), 30)
    values = np.exp(3 * units[:, 0]) + units[:, 1]
    plain = fit(_floats(2), units, values, warp=warp)
    scaled = fit(_floats(2), units, 100 * scale + scale * values, warp=warp)
    unseen = _points(_floats(2), 50, seed=4)
    # atol: subtracting a hundred times the scale costs digits, the optimiser amplifies what is left of them
    np.testing.assert_allclose(
        scaled.predict(unseen).mean / scale - 100, plain.predict(unseen).mean, atol=1e-2 * values.std()
    )
    assert scaled.noise / scale == pytest.approx(plain.noise, rel=0.1)


@pytest.mark.parametrize("value", [0.0, 0.93, -1e6])
@pytest.mark.parametrize("n", [1, 2, 20])
def test_constant_values_are_predicted_with_a_doubt(n: int, value: float) -> None:
    units = _points(_floats(2), n)
    process = fit(_floats(2), units, np.full(n, value), warp="yeo_johnson")
    mean, sd = process.predict(_points(_floats(2), 20, seed=3))
    np.testing.assert_allclose(mean, value, atol=1e-9)
    assert (sd > 0).all()
    assert np.isfinite(process.noise)
    assert np.isfinite(process.leave_one_out().sd).all()


def test_same_point_measured_again_shows_as_noise() -> None:
    units = np.repeat(_points(_floats(2), 15), 4, axis=0)
    rng = np.random.default_rng(0)
    values = 3 * units[:, 0] + 0.5 * rng.standard_normal(60)
    process = fit(_floats(2), units, values)
    assert process.noise == pytest.approx(0.5, rel=0.25)
    assert (process.predict(units).sd < process.noise).all()


def test_warp_helps_where_values_have_a_long_tail() -> None:
    units, unseen = _points(_floats(2), 60), _points(_floats(2), 300, seed=2)

    def truth(points: np.ndarray) -> np.ndarray:
        return np.exp(6 * np.hypot(points[:, 0] - 0.4, points[:, 1] - 0.6))

    def rank_correlation(warp: str) -> float:
        mean = fit(_floats(2), units, truth(units), warp=warp).predict(unseen).mean
        return float(np.corrcoef(mean.argsort().argsort(), truth(unseen).argsort().argsort())[0, 1])

    assert rank_correlation("yeo_johnson") > rank_correlation("none")


def test_believing_lowers_the_doubt_near_a_running_trial_and_no_prediction() -> None:
    space, units = _floats(2), _points(_floats(2), 12)
    process = fit(space, units, np.sin(7 * units[:, 0]) * np.cos(7 * units[:, 1]))
    running = np.array([[0.9, 0.1]])
    imagined = process.believing(running)
    assert imagined.predict(running).sd[0] < 0.3 * process.predict(running).sd[0]
    unseen = _points(space, 50, seed=8)
    np.testing.assert_allclose(imagined.predict(unseen).mean, process.predict(unseen).mean, atol=1e-6)
    assert process.believing(np.empty((0, 2))) is process


def test_start_from_a_previous_process_ends_near_the_same_place() -> None:
    units = _points(_floats(3), 60)
    values = np.sin(6 * units[:, 0]) + units[:, 1] * units[:, 2]
    previous = fit(_floats(3), units[:50], values[:50])
    warm, cold = fit(_floats(3), units, values, previous=previous), fit(_floats(3), units, values)
    unseen = _points(_floats(3), 100, seed=6)
    np.testing.assert_allclose(warm.predict(unseen).mean, cold.predict(unseen).mean, atol=0.1 * values.std())


def test_previous_process_of_another_space_is_ignored() -> None:
    units = _points(_floats(3), 20)
    other = fit(_floats(2), units[:, :2], units[:, 0])
    np.testing.assert_array_equal(
        fit(_floats(3), units, units[:, 0], previous=other).theta.shape, fit(_floats(3), units, units[:, 0]).theta.shape
    )


def test_same_seed_gives_the_same_process() -> None:
    units = _points(CONDITIONAL, 30)
    values = _conditional_height(units)
    first, second = (fit(CONDITIONAL, units, values, seed=5) for _ in range(2))
    np.testing.assert_array_equal(first.theta, second.theta)


def test_input_arrays_are_left_as_they_were() -> None:
    units, values = _points(CONDITIONAL, 10), np.arange(10.0)
    copies = units.copy(), values.copy()
    fit(CONDITIONAL, units, values, warp="yeo_johnson").predict(units)
    np.testing.assert_array_equal(units, copies[0])
    np.testing.assert_array_equal(values, copies[1])


def test_arrays_that_do_not_fit_are_refused() -> None:
    with pytest.raises(UsageError, match=r"got points of shape \(3, 3\)"):
        fit(_floats(2), np.zeros((3, 3)), np.zeros(3))
    with pytest.raises(UsageError, match="at least one point"):
        fit(_floats(2), np.zeros((0, 2)), np.zeros(0))
    with pytest.raises(UsageError, match="finite"):
        fit(_floats(2), np.zeros((2, 2)), np.array([0.0, np.nan]))


@settings(max_examples=40)
@given(
    values=st.lists(st.floats(-1e9, 1e9, allow_subnormal=False), min_size=1, max_size=25),
    warp=st.sampled_from(["none", "yeo_johnson"]),
)
def test_any_finite_values_give_finite_predictions(values: list[float], warp: str) -> None:
    units = _points(CONDITIONAL, len(values))
    process = fit(CONDITIONAL, units, np.array(values), warp=warp)
    mean, sd = process.predict(_points(CONDITIONAL, 20, seed=1))
    assert np.isfinite(mean).all()
    assert np.isfinite(sd).all()
    assert np.isfinite(process.noise)


@pytest.mark.parametrize("space", [_floats(3), CONDITIONAL], ids=["floats", "conditional"])
def test_average_over_points_is_the_mean_of_their_predictions_and_surer(space: SearchSpace) -> None:
    units = _points(space, 40)
    process = fit(space, units, np.nan_to_num(units[:, 1]) + 0.1 * np.random.default_rng(0).standard_normal(40))
    groups = np.stack([_points(space, 12, seed) for seed in range(1, 5)])
    average = process.predict_average(groups)
    single = [process.predict(group) for group in groups]
    np.testing.assert_allclose(average.mean, [p.mean.mean() for p in single], atol=1e-9)
    assert (average.sd < [p.sd.mean() for p in single]).all()


def test_average_over_one_point_again_and_again_is_no_surer() -> None:
    units = _points(CONDITIONAL, 30)
    process = fit(CONDITIONAL, units, np.nan_to_num(units[:, 1]))
    points = _points(CONDITIONAL, 6, seed=9)
    average, single = process.predict_average(np.repeat(points[:, None], 5, axis=1)), process.predict(points)
    np.testing.assert_allclose(average.mean, single.mean, atol=1e-9)
    np.testing.assert_allclose(average.sd, single.sd, rtol=1e-4, atol=1e-6)


def test_expected_value_is_the_mean_of_the_prediction() -> None:
    units = _points(CONDITIONAL, 30)
    process = fit(CONDITIONAL, units, np.nan_to_num(units[:, 1]))
    points = _points(CONDITIONAL, 50, seed=4)
    np.testing.assert_allclose(process.expected(points), process.predict(points).mean, atol=1e-12)


def test_functions_drawn_have_the_predicted_moments_and_hang_together() -> None:
    units = _points(CONDITIONAL, 30)
    process = fit(CONDITIONAL, units, _conditional_height(units))
    places = np.vstack([_points(CONDITIONAL, 6, seed=3), units[:1], units[:1]])
    drawn = process.draws(places, 4000, np.random.default_rng(0))
    expected = process.predict(places)
    assert drawn.shape == (4000, 8)
    assert np.abs(drawn.mean(axis=0) - expected.mean).max() < 5 * expected.sd.max() / np.sqrt(4000)
    np.testing.assert_allclose(drawn.std(axis=0), expected.sd, rtol=0.1, atol=1e-4)
    np.testing.assert_allclose(drawn[:, 6], drawn[:, 7], atol=1e-4)
