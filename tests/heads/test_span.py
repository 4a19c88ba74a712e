"""SpanHead: windows as rows, questions as examples, answers by offsets, no answer, scores, what is refused."""

from pathlib import Path

import pytest
import torch
from datasets import Dataset
from torch.nn.functional import cross_entropy
from transformers.modeling_outputs import QuestionAnsweringModelOutput

from xquality import toy
from xquality.errors import ColumnError, LabelError, SettingError
from xquality.heads import PredictedAnswer, SpanHead
from xquality.metrics import question_answering
from xquality.models import load_encoder
from xquality.train import Stage, fit

HEAD = toy.questions.head


def row(context: str, answer: str | None, start: int = 0) -> dict[str, object]:
    answers = {"text": [], "answer_start": []} if answer is None else {"text": [answer], "answer_start": [start]}
    return {"id": "x", "context": context, "question": "wo?", "answers": answers}


def rows(*several: dict[str, object]) -> Dataset:
    return Dataset.from_list(list(several), features=toy.questions.load("de", "test").remove_columns("uid").features)


def as_predicted(encoded) -> list[tuple[float, list[tuple[float, int, int]]]]:
    """Return the gold spans in the form in which `predict` gives spans; no span for a window without the answer."""
    return [(0.0, [] if target == (0, 0) else [(1.0, *target)]) for target in encoded.targets]


@pytest.mark.parametrize("max_length", [24, 40, 128])
@pytest.mark.parametrize("language", ["es", "zh"])
def test_each_question_is_one_example_and_its_answer_comes_back_from_its_windows(
    encoder: Path, by_character, max_length: int, language: str
) -> None:
    data = toy.questions.load(language, "test").select(range(30))
    tokenizer = by_character if language == "zh" else load_encoder(encoder)[1]
    encoded = HEAD.encode(data, tokenizer, max_length)
    assert encoded.examples == 30
    assert len(encoded) > 30 or max_length == 128
    assert encoded.lengths().max() <= max_length
    found = HEAD.join_rows(as_predicted(encoded), encoded)
    for (best, *_), texts, context in zip(found, encoded.references_or_targets, data["context"], strict=True):
        assert texts[0] in best.text
        assert context[best.start : best.start + len(best.text)] == best.text


def test_a_window_without_the_answer_points_to_the_first_token(encoder: Path) -> None:
    _, tokenizer = load_encoder(encoder)
    encoded = HEAD.encode(toy.questions.load("de", "test").select(range(10)), tokenizer, 24)
    assert (0, 0) in encoded.targets
    assert all(
        target == (0, 0) or window.start <= target[0] <= target[1] < window.start + len(window.offsets)
        for target, window in zip(encoded.targets, encoded.places, strict=True)
    )


def test_only_tokens_of_the_context_can_be_answers(encoder: Path) -> None:
    _, tokenizer = load_encoder(encoder)
    encoded = HEAD.encode(toy.questions.load("de", "test").select(range(4)), tokenizer, 128)
    batch = HEAD.batch(encoded, [3, 0], tokenizer)
    assert batch["context"].sum(1).tolist() == [len(encoded.places[row].offsets) for row in (3, 0)]
    logits = torch.zeros(batch["input_ids"].shape)
    logits[:, 0] = 50.0  # the first token is ahead of all
    for null, spans in HEAD.predict(QuestionAnsweringModelOutput(start_logits=logits, end_logits=logits), batch):
        assert null == 100.0
        assert all(score == 0.0 for score, _, _ in spans)
        assert len(spans) == HEAD.n_best


def test_the_loss_is_that_of_start_and_end_over_tokens_that_are_there() -> None:
    begin, end = torch.randn(2, 5), torch.randn(2, 5)
    batch = {
        "attention_mask": torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]]),
        "starts": torch.tensor([1, 0]),
        "ends": torch.tensor([3, 0]),
    }
    out = QuestionAnsweringModelOutput(start_logits=begin, end_logits=end)
    each = [
        (cross_entropy(begin[row, :size], batch["starts"][row]) + cross_entropy(end[row, :size], batch["ends"][row]))
        / 2
        for row, size in ((0, 5), (1, 3))
    ]
    assert torch.allclose(HEAD.loss(out, batch), (each[0] + each[1]) / 2)
    weights = torch.tensor([0.0, 2.0])
    assert torch.allclose(HEAD.loss(out, {**batch, "weights": weights}), each[1])


def test_answers_of_all_windows_are_ranked_together_and_listed_once(encoder: Path) -> None:
    _, tokenizer = load_encoder(encoder)
    encoded = HEAD.encode(toy.questions.load("de", "test").select([0]), tokenizer, 24)
    first, second = encoded.places[:2]
    shared = second.start  # the first token of the second window, which the first window has too
    again = first.start + next(
        place for place, token in enumerate(first.offsets) if token.tolist() == second.offsets[0].tolist()
    )
    predictions = [(0.0, [(1.0, again, again), (3.0, first.start, first.start)]), (0.0, [(5.0, shared, shared)])]
    predictions += [(0.0, [])] * (len(encoded) - 2)
    (found,) = HEAD.join_rows(predictions, encoded)
    assert [answer.score for answer in found] == [5.0, 3.0]


def test_no_answer_is_predicted_where_it_is_ahead(encoder: Path) -> None:
    _, tokenizer = load_encoder(encoder)
    data = rows(row("In Lima ist es schön.", None), row("Sie wohnt in Lima.", "Lima", 13))
    head = SpanHead(unanswerable=True)
    encoded = head.encode(data, tokenizer, 128)
    assert encoded.targets[0] == (0, 0)
    place = encoded.places[0].start
    first = encoded.places[0].text[slice(*encoded.places[0].offsets[0])]
    for null, expected in ((4.0, ""), (2.0, first)):
        found = head.join_rows([(null, [(3.0, place, place)]), (0.0, [(1.0, *encoded.targets[1])])], encoded)
        assert found[0][0].text == expected
        assert {answer.text for answer in found[0]} == {"", first}
        assert found[1][0].text == "Lima"
        values = {value.metric: value.value for value in head.score(found, encoded.references_or_targets, "de")}
        assert values == dict.fromkeys(("f1", "exact_match"), 100.0 if null == 4.0 else 50.0)
    with pytest.raises(LabelError, match="unanswerable"):
        HEAD.check(data)


def test_an_empty_context_has_an_answer_all_the_same(encoder: Path) -> None:
    _, tokenizer = load_encoder(encoder)
    encoded = SpanHead(unanswerable=True).encode(rows(row("", None)), tokenizer, 128)
    assert len(encoded) == 1
    (found,) = HEAD.join_rows([(0.5, [])], encoded)
    assert found == [PredictedAnswer("", -1, 0.5)]


def test_scores_are_the_official_ones_and_add_up_from_the_questions() -> None:
    found = [[PredictedAnswer(text, 0, 0.0)] for text in ("the red house", "Lima", "nothing")]
    gold = [["red house"], ["Quito", "Lima Peru"], ["all"]]
    values = {value.metric: value for value in HEAD.score(found, gold, "en")}
    expected = question_answering.squad(
        {str(number): answers[0].text for number, answers in enumerate(found)},
        {str(number): texts for number, texts in enumerate(gold)},
    )
    assert {name: value.value for name, value in values.items()} == expected
    assert list(values) == ["f1", "exact_match"]
    for value in values.values():
        assert 100 * value.statistics[:, 0, 0].mean() == pytest.approx(value.value)


@pytest.mark.parametrize("language", ["de", "de.en", "mlqa.de.en"])
def test_the_normalisation_of_mlqa_is_that_of_the_contexts_language(language: str) -> None:
    found, gold = [[PredictedAnswer("das Haus", 0, 0.0)]], [["ein Haus"]]
    assert SpanHead(metric="mlqa").score(found, gold, language)[1].value == 100.0
    assert HEAD.score(found, gold, language)[1].value == 0.0


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        (lambda data: data.remove_columns("answers"), ColumnError),
        (lambda data: data.remove_columns("context"), ColumnError),
        (lambda data: data.remove_columns("answers").add_column("answers", ["x"] * len(data)), ColumnError),
        (lambda data: data.map(lambda row: {"context": "x" + row["context"]}), LabelError),
    ],
)
def test_rows_it_cannot_read_are_refused(change, fault: type[Exception]) -> None:
    with pytest.raises(fault):
        HEAD.check(change(toy.questions.load("es", "test").select(range(5))))


def test_questions_are_submitted_by_their_ids() -> None:
    data = rows(row("In Lima ist es schön.", "Lima", 3), row("Sie wohnt in Lima.", "Lima", 13))
    with pytest.raises(ColumnError, match="an id twice"):
        HEAD.references(data)
    with pytest.raises(ColumnError, match="'id'"):
        HEAD.references(data.remove_columns("id"))
    named = data.remove_columns("id").add_column("id", ["a", "b"])
    assert HEAD.references(named) == {"a": ["Lima"], "b": ["Lima"]}
    found = [[PredictedAnswer(text, 0, 0.0)] for text in ("In", "Sie")]
    assert HEAD.submission(found, [], named) == {"a": "In", "b": "Sie"}


@pytest.mark.parametrize("settings", [{"metric": "bleu"}, {"stride": 0}, {"n_best": 0}, {"null_threshold": "no"}])
def test_settings_out_of_range_are_refused(settings: dict[str, object]) -> None:
    with pytest.raises(SettingError):
        SpanHead(**settings)


def test_a_question_head_may_follow_one_of_three_labels(encoder: Path) -> None:
    chain = [Stage(toy.inference, steps=1, batch_size=4), Stage(toy.questions, steps=1, batch_size=4, max_length=64)]
    fitted = fit(chain, model=encoder, seed=1, threads=1)
    assert fitted.model.network.config.num_labels == 2
