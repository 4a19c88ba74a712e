"""CheckpointSelector: the best weights, the mean of the last, and stopping early."""

import pytest
import torch

from xquality.train import Selection
from xquality.train.checkpoint_selector import CheckpointSelector


def followed(
    selection: Selection, scores: list[float], *, stop_at: int | None = None
) -> tuple[CheckpointSelector, torch.nn.Linear, int]:
    """Take one step after another, at which the network's weight is the step."""
    network, given = torch.nn.Linear(1, 1, bias=False), iter(scores)
    chooser = CheckpointSelector(selection, len(scores), (lambda: next(given)) if selection.scores else None)
    for step in range(1, len(scores) + 1):
        torch.nn.init.constant_(network.weight, float(step))
        if step in chooser.at and chooser.look(step, network):
            return chooser, network, step
    return chooser, network, len(scores)


def test_the_best_look_is_chosen_and_of_equals_the_first() -> None:
    chooser, network, last = followed(Selection("best_source", every=1), [3.0, 9.0, 9.0, 5.0])
    record = chooser.finish(network, last)
    assert network.weight.item() == 2
    assert record["chosen_step"] == 2
    assert record["looks"] == [[1, 3.0], [2, 9.0], [3, 9.0], [4, 5.0]]


def test_patience_ends_the_run() -> None:
    chooser, network, last = followed(Selection("best_source", every=1, patience=2), [3.0, 9.0, 5.0, 4.0, 99.0])
    assert last == 4
    assert chooser.finish(network, last)["chosen_step"] == 2


def test_the_mean_is_that_of_the_last_looks() -> None:
    chooser, network, last = followed(Selection("average", every=1, count=3), [0.0] * 5)
    assert chooser.finish(network, last)["chosen_step"] == [3, 4, 5]
    assert network.weight.item() == pytest.approx(4)


def test_the_last_weights_stay_where_nothing_is_chosen() -> None:
    chooser, network, last = followed(Selection(), [0.0] * 3)
    assert chooser.finish(network, last) == {"rule": "last", "chosen_step": 3}
    assert network.weight.item() == 3


def test_it_goes_on_from_what_was_kept() -> None:
    first, network, _ = followed(Selection("best_source", every=1), [3.0, 9.0])
    second = CheckpointSelector(Selection("best_source", every=1), 4, lambda: 1.0)
    second.restore(*first.state())
    torch.nn.init.constant_(network.weight, 7.0)
    second.look(3, network)
    assert second.finish(network, 3)["chosen_step"] == 2
    assert network.weight.item() == 2
