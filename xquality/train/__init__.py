"""Training: chains of stages over one encoder, their data, budgets, measurements and finished results."""

from xquality.train.fit import fit
from xquality.train.fitted import Fitted
from xquality.train.mixture import Mixture
from xquality.train.probe import Probe
from xquality.train.selection import Selection
from xquality.train.stage import Stage
from xquality.train.store import Store

__all__ = ["Fitted", "Mixture", "Probe", "Selection", "Stage", "Store", "fit"]
