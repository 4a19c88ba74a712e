"""Head: what heads are made of unless they say otherwise."""

from datasets import Dataset

from xquality import toy
from xquality.heads import SequenceHead, TrainableHead


def test_a_head_gathers_one_split_and_scores_models_with_its_own_labels() -> None:
    head = toy.topics.head
    asked: list[str] = []

    def load(split: str) -> Dataset:
        asked.append(split)
        return toy.topics.load("es", "test")

    assert len(head.gather(load, "test")) == 300
    assert asked == ["test"]
    assert isinstance(head, TrainableHead)
    assert head.fits(SequenceHead(("other",), head.labels).signature())
    assert not head.fits(toy.inference.head.signature())
