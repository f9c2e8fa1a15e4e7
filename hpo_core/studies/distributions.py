"""One distribution for a parameter that trials of other programs may have drawn from several."""

from __future__ import annotations

from collections.abc import Mapping

from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution


def joined_distributions(
    first: Mapping[str, BaseDistribution], second: Mapping[str, BaseDistribution]
) -> dict[str, BaseDistribution]:
    """Both by parameter; for a parameter of both, the range that covers the two."""
    joined = dict(first)
    for name, distribution in second.items():
        joined[name] = covering(joined[name], distribution) if name in joined else distribution
    return joined


def covering(first: BaseDistribution, second: BaseDistribution) -> BaseDistribution:
    """The numeric range that covers both; the first where they are equal, categorical or of different kinds."""
    if first == second:
        return first
    if isinstance(first, FloatDistribution) and isinstance(second, FloatDistribution):
        step = first.step if first.step == second.step else None
        low, high = min(first.low, second.low), max(first.high, second.high)
        return FloatDistribution(low, high, log=first.log and second.log, step=step)
    if isinstance(first, IntDistribution) and isinstance(second, IntDistribution):
        step_ = first.step if first.step == second.step else 1
        low_, high_ = min(first.low, second.low), max(first.high, second.high)
        return IntDistribution(low_, high_, log=first.log and second.log, step=step_)
    return first
