"""Simulated machine-translation error: text is split into units, errors are drawn for them and applied."""

from xquality.transforms.translation_noise.calibration import Calibration
from xquality.transforms.translation_noise.noise import TranslationNoise
from xquality.transforms.translation_noise.vocabulary import Vocabulary

__all__ = ["Calibration", "TranslationNoise", "Vocabulary"]
