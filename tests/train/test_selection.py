"""Selection: the best weights, the mean of the last, stopping early, and what the history keeps of it."""

import pytest
import torch

from xquality.errors import SettingError
from xquality.train import Selection
from xquality.train.selection import CheckpointSelector


def test_evaluations_are_evenly_spaced_and_the_last_step_is_one() -> None:
    assert Selection("average", every=30).steps(100) == (30, 60, 90, 100)
    assert Selection("best_source").steps(5) == (1, 2, 3, 4, 5)
    assert Selection().steps(100) == ()


def test_an_oracle_is_recorded_as_one() -> None:
    assert Selection("best_target", languages=["de", "sw"]).settings()["oracle"] is True
    assert Selection("best_source").settings()["oracle"] is False
    assert Selection().settings() == {"rule": "last"}


@pytest.mark.parametrize(
    "call",
    [
        lambda: Selection("first"),
        lambda: Selection("best_target"),
        lambda: Selection("best_source", languages=("de",)),
        lambda: Selection("best_target", languages="de"),
        lambda: Selection("average", patience=2),
        lambda: Selection("best_source", patience=0),
        lambda: Selection("best_source", every=0),
        lambda: Selection("average", count=0),
    ],
)
def test_settings_that_contradict_each_other_are_refused(call) -> None:
    with pytest.raises(SettingError):
        call()


def follow(
    selection: Selection, scores: list[float], *, higher_is_better: bool = True
) -> tuple[CheckpointSelector, torch.nn.Linear, int]:
    """Take one step after another, at which the network's weight is the number of the step."""
    network, given = torch.nn.Linear(1, 1, bias=False), iter(scores)
    score = (lambda: next(given)) if selection.needs_scores else None
    selector = CheckpointSelector(selection, len(scores), score, higher_is_better=higher_is_better)
    for step in range(1, len(scores) + 1):
        torch.nn.init.constant_(network.weight, float(step))
        if step in selector.steps and selector.evaluate(step, network):
            return selector, network, step
    return selector, network, len(scores)


def test_the_best_score_is_chosen_and_of_equal_ones_the_first() -> None:
    selector, network, last = follow(Selection("best_source", every=1), [3.0, 9.0, 9.0, 5.0])
    record = selector.finish(network, last)
    assert network.weight.item() == 2
    assert record["chosen_step"] == 2
    assert record["looks"] == [[1, 3.0], [2, 9.0], [3, 9.0], [4, 5.0]]


def test_the_lowest_score_is_chosen_where_lower_is_better() -> None:
    selection = Selection("best_source", every=1, patience=2)
    selector, network, last = follow(selection, [9.0, 3.0, 5.0, 4.0, 1.0], higher_is_better=False)
    assert last == 4
    assert selector.finish(network, last)["chosen_step"] == 2
    assert network.weight.item() == 2


def test_patience_ends_the_run() -> None:
    selector, network, last = follow(Selection("best_source", every=1, patience=2), [3.0, 9.0, 5.0, 4.0, 99.0])
    assert last == 4
    assert selector.finish(network, last)["chosen_step"] == 2


def test_the_mean_is_that_of_the_last_evaluations() -> None:
    selector, network, last = follow(Selection("average", every=1, count=3), [0.0] * 5)
    assert selector.finish(network, last)["chosen_step"] == [3, 4, 5]
    assert network.weight.item() == pytest.approx(4)


def test_the_last_weights_stay_where_nothing_is_chosen() -> None:
    selector, network, last = follow(Selection(), [0.0] * 3)
    assert selector.finish(network, last) == {"rule": "last", "chosen_step": 3}
    assert network.weight.item() == 3


def test_a_selector_continues_from_its_checkpoint() -> None:
    first, network, _ = follow(Selection("best_source", every=1), [3.0, 9.0])
    second = CheckpointSelector(Selection("best_source", every=1), 4, lambda: 1.0)
    second.restore(*first.state())
    torch.nn.init.constant_(network.weight, 7.0)
    second.evaluate(3, network)
    assert second.finish(network, 3)["chosen_step"] == 2
    assert network.weight.item() == 2
