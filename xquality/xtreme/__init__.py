"""XTREME's own evaluation: score a folder of predictions, write one, and put a run beside the paper's rows."""

from xquality.xtreme.baselines import beside
from xquality.xtreme.labels import write_labels
from xquality.xtreme.layout import official
from xquality.xtreme.score import score_file, score_folder
from xquality.xtreme.submission import write_submission

__all__ = ["beside", "official", "score_file", "score_folder", "write_labels", "write_submission"]
