"""What the kinds of label noise share: a wrong label is wrong, and drawn apart from the rate."""

import numpy as np

from xquality.transforms import Draw
from xquality.transforms.flipping import other_class


def test_a_wrong_label_is_never_the_right_one_and_each_other_is_as_likely() -> None:
    labels = np.arange(30_000) % 5
    wrong = other_class(labels, 5, Draw(1, "LabelNoise", 0, np.arange(30_000, dtype=np.uint64)))
    assert (wrong != labels).all()
    assert ((wrong >= 0) & (wrong < 5)).all()
    counts = np.bincount((wrong - labels) % 5, minlength=5)[1:]
    assert np.abs(counts / 30_000 - 0.25).max() < 0.01
