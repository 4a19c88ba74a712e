"""The laws of a transform, as functions to import: run them on transforms of your own."""

from xquality.testing.laws import LAWS, check_transform

__all__ = ["LAWS", "check_transform"]
