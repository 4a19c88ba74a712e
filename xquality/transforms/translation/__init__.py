"""Translation of training data by a real engine: `TranslateTrain`."""

from xquality.transforms.translation.translate import TranslateTrain

__all__ = ["TranslateTrain"]
