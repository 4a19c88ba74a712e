"""Training: stages in a chain over one encoder, each a thin shell around transformers' Trainer."""

from xquality.train.fit import fit
from xquality.train.fitted import Fitted
from xquality.train.mixture import Mixture
from xquality.train.probe import Probe
from xquality.train.selection import Selection
from xquality.train.stage import Stage

__all__ = ["Fitted", "Mixture", "Probe", "Selection", "Stage", "fit"]
