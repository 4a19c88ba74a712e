"""Simulated machine-translation error: from units of text over strikes and a plan back to text."""

from xquality.transforms.translation_noise.calibration import Calibration
from xquality.transforms.translation_noise.noise import TranslationNoise
from xquality.transforms.translation_noise.vocabulary import Vocabulary

__all__ = ["Calibration", "TranslationNoise", "Vocabulary"]
