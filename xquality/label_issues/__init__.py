"""Label issues: which labels are probably wrong, told from what a model that has not seen them thinks.

Each shape of task has its file: one label a row (`classes`, `choices`), one a token (`tags`), or only a confidence
(`confidence`). All are searched by cleanlab's rules (`search`).
"""

from xquality.label_issues.judged import Judged
from xquality.label_issues.search import RULES, Search

__all__ = ["RULES", "Judged", "Search"]
