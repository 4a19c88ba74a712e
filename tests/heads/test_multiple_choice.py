"""ChoiceHead: any number of options, padding that changes nothing, what is refused."""

from pathlib import Path

import pytest
import torch
from datasets import Dataset
from torch.nn.functional import cross_entropy
from transformers.modeling_outputs import MultipleChoiceModelOutput

from xquality import toy
from xquality.errors import ColumnError, LabelError
from xquality.heads import ChoiceHead
from xquality.models import load_encoder

HEAD = ChoiceHead()
ROWS = Dataset.from_dict(
    {
        "context": ["hola", "adiós", "buenos días"],
        "question": ["¿qué?", "¿cuándo?", "¿dónde?"],
        "options": [["uno", "dos"], ["tres", "cuatro", "cinco", "seis"], ["siete", "ocho", "nueve"]],
        "label": [1, 3, 0],
    }
)


def test_each_option_is_read_with_the_context_and_the_question(encoder: Path) -> None:
    _, tokenizer = load_encoder(encoder)
    encoded = HEAD.encode(ROWS, tokenizer, 64)
    assert encoded.counts.tolist() == [2, 4, 3]
    assert len(encoded) == encoded.examples == 3
    assert encoded.input_ids[4].tolist() == tokenizer("adiós", "¿cuándo? cinco")["input_ids"]


def test_columns_of_options_are_read_like_a_list_of_them(encoder: Path) -> None:
    _, tokenizer = load_encoder(encoder)
    data = toy.choices.load("es", "test").select(range(4))
    listed = data.map(lambda row: {"options": [row["choice1"], row["choice2"]]})
    from_columns, from_list = (
        head.encode(listed, tokenizer, 64) for head in (toy.choices.head, ChoiceHead("premise", "question", "options"))
    )
    assert from_columns.digest() == from_list.digest()


def test_the_options_of_other_rows_change_nothing(encoder: Path) -> None:
    _, tokenizer = load_encoder(encoder)
    torch.manual_seed(0)
    network = HEAD.build(encoder).eval()
    encoded = HEAD.encode(ROWS, tokenizer, 64)
    losses, found = [], []
    for rows in ([0], [1], [2], [2, 0, 1]):
        batch = HEAD.batch(encoded, rows, tokenizer)
        with torch.no_grad():
            outputs = HEAD.run(network, batch)
        losses.append(float(HEAD.loss(outputs, batch)))
        found.append(HEAD.predict(outputs, batch))
    assert losses[3] == pytest.approx(sum(losses[:3]) / 3, rel=1e-5)
    assert found[3] == [*found[2], *found[0], *found[1]]


def test_the_loss_and_the_choice_are_over_the_options_of_each_row() -> None:
    logits = torch.tensor([1.0, 3.0, 0.0, 2.0, -1.0])[:, None]
    batch = {"counts": torch.tensor([2, 3]), "labels": torch.tensor([0, 1])}
    out = MultipleChoiceModelOutput(logits=logits)
    each = [cross_entropy(logits[:2].T, torch.tensor([0])), cross_entropy(logits[2:].T, torch.tensor([1]))]
    assert torch.allclose(HEAD.loss(out, batch), sum(each) / 2)
    assert torch.allclose(HEAD.loss(out, {**batch, "weights": torch.tensor([1.0, 0.0])}), each[0] / 2)
    assert HEAD.predict(out, batch) == [1, 1]


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda data: data.remove_columns("options"), ColumnError),
        (lambda data: data.remove_columns("question"), ColumnError),
        (lambda data: data.remove_columns("label").add_column("label", ["1", "3", "0"]), ColumnError),
        (lambda data: data.remove_columns("options").add_column("options", ["a", "b", "c"]), ColumnError),
        (lambda data: data.map(lambda _: {"label": 3}), LabelError),
        (lambda data: data.map(lambda _: {"label": -1}), LabelError),
        (lambda data: data.map(lambda _: {"label": None}), LabelError),
        (lambda data: data.map(lambda _: {"options": ["alone"], "label": 0}), LabelError),
    ],
)
def test_rows_it_cannot_read_are_refused(change, fault: type[Exception]) -> None:
    with pytest.raises(fault):
        HEAD.check(change(ROWS))
