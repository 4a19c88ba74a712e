"""CleanlabFilter: finds injected noise, by text and by given probabilities, with every action."""

import numpy as np
import pytest
from datasets import ClassLabel, Dataset, Features, List, Value

import xquality as xq
from xquality import toy
from xquality.errors import ColumnError, LabelError


@pytest.fixture(scope="module")
def noisy() -> Dataset:
    return xq.LabelNoise(0.2)(toy.topics.load("es", "train"), seed=1)


def given(rows: int = 300, classes: int = 3) -> Dataset:
    """Rows whose probabilities know the right label."""
    labels = np.arange(rows) % classes
    features = Features({"label": ClassLabel(num_classes=classes), "p": List(Value("float64"))})
    sure = [[0.9 if one == label else 0.1 / (classes - 1) for one in range(classes)] for label in labels]
    return Dataset.from_dict({"label": labels, "p": sure}, features=features)


def test_it_finds_more_noise_than_chance_from_the_text_alone(noisy: Dataset) -> None:
    found = xq.audit(before=noisy, after=xq.CleanlabFilter()(noisy, seed=1))
    assert found.noisy == 200
    assert found.precision > 0.4  # chance is 0.2
    assert found.recall > 0.6


def test_with_probabilities_that_know_the_labels_it_finds_all_and_only_the_noise() -> None:
    data = xq.LabelNoise(0.2)(given(), seed=1)
    found = xq.audit(xq.CleanlabFilter(action="flag", probabilities="p")(data, seed=1))
    assert (found.precision, found.recall) == (1.0, 1.0)


def test_relabelling_gives_the_first_label_back_and_says_what_it_saw() -> None:
    clean = given()
    data = xq.LabelNoise(0.2)(clean, seed=1)
    relabelled = xq.CleanlabFilter(action="relabel", probabilities="p")(data, seed=1)
    assert relabelled["label"][:] == clean["label"][:]
    assert xq.audit(relabelled).restored == 60
    seen = [label for label in relabelled["label_given"] if label is not None]
    assert len(seen) == 60


def test_weights_are_one_for_good_rows_and_lower_for_issues() -> None:
    data = xq.CleanlabFilter(action="weight", probabilities="p")(xq.LabelNoise(0.2)(given(), seed=1), seed=1)
    weights, issues = np.array(data["weight"][:]), np.array(data["label_issue"][:])
    assert (weights[~issues] == 1).all()
    assert (weights[issues] < 0.5).all()


def test_the_cap_acts_on_the_worst_rows_only(noisy: Dataset) -> None:
    capped = xq.CleanlabFilter(action="flag", max_fraction=0.05)(noisy, seed=1)
    everything = xq.CleanlabFilter(action="flag")(noisy, seed=1)
    assert sum(capped["label_issue"]) == 50
    assert xq.audit(capped).precision > xq.audit(everything).precision


def test_rows_with_one_text_share_a_fold_so_that_none_sees_its_twin() -> None:
    # Each text stands twice with the same label: a model that saw the twin would find nothing to flag.
    data = toy.topics.load("es", "train").select(range(150))
    noise = xq.LabelNoise(0.3)(data, seed=1)
    doubled = xq.concatenate([noise, noise], names=["one", "two"])
    assert xq.audit(xq.CleanlabFilter(action="flag")(doubled, seed=1)).recall > 0.4


def test_the_record_names_where_the_probabilities_came_from(noisy: Dataset) -> None:
    record = xq.history(xq.CleanlabFilter()(noisy, seed=1))[-1]
    assert record.details["probabilities"] == "tf-idf"
    assert record.details["text_columns"] == ["text"]


@pytest.mark.parametrize(
    ("filter_", "data", "fault"),
    [
        (xq.CleanlabFilter(), given(), ColumnError),  # no text
        (xq.CleanlabFilter(text_columns=("nothing",)), toy.topics.load("es", "validation"), ColumnError),
        (xq.CleanlabFilter(text_columns=("label",)), toy.topics.load("es", "validation"), ColumnError),
        (xq.CleanlabFilter(probabilities="nothing"), given(), ColumnError),
        (xq.CleanlabFilter(probabilities="label"), given(), ColumnError),
        (xq.CleanlabFilter(probabilities="p"), given().map(lambda _: {"p": [0.9, 0.9, 0.9]}), ColumnError),
        (xq.CleanlabFilter(probabilities="p"), given().map(lambda _: {"p": [float("nan"), 0.5, 0.5]}), ColumnError),
        (xq.CleanlabFilter(probabilities="p"), given().map(lambda _: {"p": [0.5, 0.5]}), ColumnError),
        (xq.CleanlabFilter(), toy.topics.load("es", "validation").select(range(3)), LabelError),
    ],
)
def test_what_it_cannot_read_is_refused(filter_, data: Dataset, fault: type[Exception]) -> None:
    with pytest.raises(fault):
        filter_(data, seed=0)


def test_a_column_without_any_text_is_passed_over(noisy: Dataset) -> None:
    empty = noisy.add_column("source_id", [""] * len(noisy))
    assert xq.history(xq.CleanlabFilter()(empty, seed=1))[-1].details["text_columns"] == ["text"]
    with pytest.raises(ColumnError, match="hold none"):
        xq.CleanlabFilter(text_columns=("source_id",))(empty, seed=1)
