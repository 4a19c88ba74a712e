"""Digests and weights are the recorded ones: see unchanged.py, which also compares whole studies."""

import pytest
import unchanged


def test_every_transform_gives_the_recorded_digests() -> None:
    assert unchanged.differences("transforms") == []


def test_three_chains_end_with_the_recorded_weights() -> None:
    recorded, here = unchanged.recorded()["fits"]["machine"], unchanged.machine()
    if recorded != here:
        pytest.skip(f"the weights were recorded on {recorded}, and this is {here}")
    assert unchanged.differences("fits") == []
