"""Out-of-sample probabilities for `CleanlabFilter`: from an encoder's embeddings, or by fine-tuning over folds.

Both functions return the rows with one more column of probabilities and one more record of how it was made.
"""

from xquality.probabilities.embeddings import from_embeddings
from xquality.probabilities.fine_tuning import from_fine_tuning

__all__ = ["from_embeddings", "from_fine_tuning"]
