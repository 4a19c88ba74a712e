"""Label issues: which labels are probably wrong, by cleanlab's rules from out-of-sample probabilities.

`CleanlabFilter` finds them and acts on them; `RULES` are the values of its `filter_by`. Everything else in this folder
is private: how labels of each shape are read (`predictions`), searched (`search`), and given probabilities from the
rows' own text (`text_models`).
"""

from xquality.label_issues._cleanlab import RULES

__all__ = ["RULES"]
