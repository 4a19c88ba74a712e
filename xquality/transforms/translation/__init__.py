"""Translation of training data by a real engine: `TranslateTrain` and `RoundTripTranslation`."""

from xquality.transforms.translation.alignment import WordAligner
from xquality.transforms.translation.translate import RoundTripTranslation, TranslateTrain

__all__ = ["RoundTripTranslation", "TranslateTrain", "WordAligner"]
