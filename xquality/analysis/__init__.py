"""Analysis of finished runs: how fast a history converges, intervals, comparisons of arms, and exchange rates."""

from xquality.analysis.comparison import (
    SignFlip,
    StochasticOrder,
    adjust,
    almost_stochastic_order,
    detectable,
    interquartile_mean,
    probability_of_improvement,
    seeds_for,
    sign_flip,
)
from xquality.analysis.convergence import (
    Measure,
    area_under_curve,
    speed_up,
    speed_up_interval,
    steps_saved,
    steps_to,
    steps_to_fraction,
)
from xquality.analysis.crossed import cluster_interval, crossed_interval, wilson_interval
from xquality.analysis.curve_fit import CurveFit, FitQuality, fit_curve
from xquality.analysis.exchange import EffectiveRows, ExchangeRate, Price, exchange_rate, seeds_needed
from xquality.analysis.statistics import (
    Interval,
    Pairing,
    bootstrap,
    bootstrap_difference,
    mean_interval,
    paired_difference,
    pairing,
)
from xquality.analysis.survival import LogRank, Survival, kaplan_meier, log_rank

__all__ = [
    "CurveFit",
    "EffectiveRows",
    "ExchangeRate",
    "FitQuality",
    "Interval",
    "LogRank",
    "Measure",
    "Pairing",
    "Price",
    "SignFlip",
    "StochasticOrder",
    "Survival",
    "adjust",
    "almost_stochastic_order",
    "area_under_curve",
    "bootstrap",
    "bootstrap_difference",
    "cluster_interval",
    "crossed_interval",
    "detectable",
    "exchange_rate",
    "fit_curve",
    "interquartile_mean",
    "kaplan_meier",
    "log_rank",
    "mean_interval",
    "paired_difference",
    "pairing",
    "probability_of_improvement",
    "seeds_for",
    "seeds_needed",
    "sign_flip",
    "speed_up",
    "speed_up_interval",
    "steps_saved",
    "steps_to",
    "steps_to_fraction",
    "wilson_interval",
]
