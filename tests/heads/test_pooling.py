"""Pooling: as the official code pools."""

import json
from pathlib import Path

import numpy as np
import torch

from xquality.heads.pooling import pooled


def test_it_pools_as_the_official_code(parity: Path) -> None:
    arrays = np.load(parity / "pooling.npz")
    cases = [json.loads(line) for line in (parity / "pooling.jsonl").read_text(encoding="utf-8").split("\n") if line]
    assert len(cases) == 7
    for case in cases:
        expected = case["expected"]
        mask = torch.tensor(expected["pool_mask"]).bool()
        for layer, hidden in enumerate(arrays[case["inputs"]["hidden"]]):
            states = torch.from_numpy(hidden)
            assert np.allclose(pooled(states, mask, "cls"), arrays[expected["cls"]][layer], atol=1e-6)
            mean = pooled(states, mask, "mean").numpy()
            known = [row for row in range(len(mean)) if row not in expected["nan_rows"]]
            assert np.allclose(mean[known], arrays[expected["mean"]][layer][known], atol=1e-6)
            assert not mean[expected["nan_rows"]].any()  # the official code gives no number for them


def test_half_precision_is_widened_before_the_mean() -> None:
    states = torch.full((1, 3000, 1), 100.0, dtype=torch.float16)  # the sum would be infinite in float16
    assert float(pooled(states, torch.ones(1, 3000).bool(), "mean")) == 100.0
