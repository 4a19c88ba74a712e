"""Out-of-sample probabilities for `CleanlabFilter`: from an encoder's embeddings, or by fine-tuning over folds.

Both return the rows with one more column and one more record that says how it was made.
"""

from xquality.probabilities.embeddings import from_embeddings
from xquality.probabilities.fine_tuning import from_fine_tuning

__all__ = ["from_embeddings", "from_fine_tuning"]
