"""CleanlabFilter: finds injected noise in labels of every shape, by text and by given probabilities, with every action."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cleanlab.filter import find_label_issues
from cleanlab.token_classification.filter import find_label_issues as find_token_issues
from datasets import ClassLabel, Dataset, Features, List, Value
from hypothesis import given as drawn
from hypothesis import strategies as st

import xquality as xq
from xquality import toy
from xquality.errors import ColumnError, LabelError, SettingError
from xquality.label_issues import RULES
from xquality.testing import check_transform


@pytest.fixture(scope="module")
def noisy() -> Dataset:
    return xq.LabelNoise(0.2)(toy.topics.load("es", "train"), seed=1)


def given(rows: int = 300, classes: int = 3) -> Dataset:
    """Return rows whose probabilities are highest for the right label."""
    labels = np.arange(rows) % classes
    features = Features({"label": ClassLabel(num_classes=classes), "p": List(Value("float64"))})
    sure = [[0.9 if number == label else 0.1 / (classes - 1) for number in range(classes)] for label in labels]
    return Dataset.from_dict({"label": labels, "p": sure}, features=features)


def test_it_finds_more_noise_than_chance_from_the_text_alone(noisy: Dataset) -> None:
    found = xq.audit(before=noisy, after=xq.CleanlabFilter()(noisy, seed=1))
    assert found.noisy == 200
    assert found.precision > 0.4  # chance is 0.2
    assert found.recall > 0.6


def test_right_probabilities_find_all_the_noise_and_nothing_else() -> None:
    data = xq.LabelNoise(0.2)(given(), seed=1)
    found = xq.audit(xq.CleanlabFilter(action="flag", probabilities="p")(data, seed=1))
    assert (found.precision, found.recall) == (1.0, 1.0)


def test_relabelling_restores_the_first_labels_and_keeps_the_given_ones() -> None:
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


def test_rows_with_one_text_share_a_fold_so_that_no_model_saw_a_copy() -> None:
    # Each text occurs twice with the same label: a model that saw the copy would find nothing to flag.
    data = toy.topics.load("es", "train").select(range(150))
    noise = xq.LabelNoise(0.3)(data, seed=1)
    doubled = xq.concatenate([noise, noise], names=["first", "second"])
    assert xq.audit(xq.CleanlabFilter(action="flag")(doubled, seed=1)).recall > 0.4


def test_the_record_names_where_the_probabilities_came_from(noisy: Dataset) -> None:
    record = xq.history(xq.CleanlabFilter()(noisy, seed=1))[-1]
    assert record.details["probabilities"] == "tf-idf"
    assert record.details["text_columns"] == ["text"]


@pytest.mark.parametrize(
    ("filter_", "data", "error"),
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
def test_data_that_it_cannot_read_are_refused(filter_, data: Dataset, error: type[Exception]) -> None:
    with pytest.raises(error):
        filter_(data, seed=0)


def test_a_column_without_any_text_is_passed_over(noisy: Dataset) -> None:
    empty = noisy.add_column("source_id", [""] * len(noisy))
    assert xq.history(xq.CleanlabFilter()(empty, seed=1))[-1].details["text_columns"] == ["text"]
    with pytest.raises(ColumnError, match="hold none"):
        xq.CleanlabFilter(text_columns=("source_id",))(empty, seed=1)


NAMES = ("O", "B-X", "I-X", "B-Y", "I-Y")
ACTIONS = ("drop", "relabel", "flag", "weight")


def sure(right: Any, classes: int, doubt: np.ndarray) -> list[list[float]]:
    """Return probabilities that are highest for the right classes, by different margins."""
    made = np.repeat(doubt[:, None] / (classes - 1), classes, axis=1)
    made[np.arange(len(doubt)), right] = 1 - doubt
    return made.tolist()


def choices(rows: int = 120, seed: int = 0) -> Dataset:
    """Return rows of multiple choice with two to five options and right probabilities."""
    random = np.random.default_rng(seed)
    options = random.integers(2, 6, rows)
    right = (random.random(rows) * options).astype(int)
    doubt = random.random(rows) * 0.3
    probabilities = [
        sure([answer], int(count), doubt[row : row + 1])[0]
        for row, (answer, count) in enumerate(zip(right, options, strict=True))
    ]
    features = Features({"options": List(Value("string")), "label": Value("int32"), "p": List(Value("float64"))})
    texts = [[f"option {number} of {row}" for number in range(count)] for row, count in enumerate(options)]
    return Dataset.from_dict({"options": texts, "label": right, "p": probabilities}, features=features)


def entities(rows: int = 120, seed: int = 0) -> Dataset:
    """Return tagged sentences, some of them empty, with right probabilities."""
    random = np.random.default_rng(seed)
    tags = []
    for _ in range(rows):
        spans = [[0], [1], [1, 2], [3, 4, 4], [3]]
        tags.append([tag for number in random.integers(0, 5, random.integers(0, 5)) for tag in spans[number]])
    probabilities = [sure(row, 5, random.random(len(row)) * 0.3) if row else [] for row in tags]
    tokens = [[f"w{random.integers(0, 30)}" for _ in row] for row in tags]
    features = Features(
        {
            "tokens": List(Value("string")),
            "tags": List(ClassLabel(names=list(NAMES))),
            "p": List(List(Value("float64"))),
        }
    )
    return Dataset.from_dict({"tokens": tokens, "tags": tags, "p": probabilities}, features=features)


def questions(rows: int = 80) -> Dataset:
    """Return questions with a confidence in their answers."""
    data = toy.questions.load("es", "test").select(range(rows))
    return data.add_column("p", (np.arange(rows) * 37 % rows / rows).tolist())


SHAPES = {
    "classes": (given(120), xq.LabelNoise(0.2), {}),
    "choices": (choices(), xq.ChoiceNoise(0.2, options="options"), {}),
    "tags": (entities(), xq.TagNoise(0.2, column="tags"), {"column": "tags"}),
    "answers": (questions(), xq.SpanNoise(0.2), {"column": "answers", "max_fraction": 0.25}),
}


def filter_for(shape: str, action: str, **others: Any) -> xq.CleanlabFilter:
    return xq.CleanlabFilter(action=action, probabilities="p", **{**SHAPES[shape][2], **others})


def unrecorded(data: Dataset) -> Dataset:
    """Return noisy rows without first values: the laws check those of this call alone."""
    return data.remove_columns([name for name in data.column_names if name.endswith("_before")])


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_keeps_the_laws_on_every_shape(shape: str, action: str) -> None:
    data, noise, _ = SHAPES[shape]
    if (shape, action) == ("answers", "relabel"):
        with pytest.raises(SettingError, match="cannot relabel"):
            filter_for(shape, action)(data, seed=1)
        return
    check_transform(filter_for(shape, action), unrecorded(noise(data, seed=1)))


@pytest.mark.parametrize("shape", ["classes", "choices", "tags"])
@pytest.mark.parametrize("size", [7, 1000])
def test_batches_keep_the_laws_on_every_shape(shape: str, size: int) -> None:
    data, noise, _ = SHAPES[shape]
    check_transform(filter_for(shape, "flag", batch_size=size), unrecorded(noise(data, seed=1)))


@pytest.mark.parametrize("action", ACTIONS)
def test_every_action_keeps_the_laws_with_probabilities_from_tokens(action: str) -> None:
    noisy = xq.TagNoise(0.2)(toy.entities.load("es", "train").select(range(60)), seed=1)
    check_transform(xq.CleanlabFilter(action=action, column="ner_tags", folds=3), unrecorded(noisy))


@pytest.mark.parametrize("shape", ["classes", "choices", "tags"])
def test_right_probabilities_find_and_undo_all_the_noise_on_every_shape(shape: str) -> None:
    data, noise, named = SHAPES[shape]
    column = named.get("column", "label")
    noisy = noise(data, seed=1)
    found = xq.audit(filter_for(shape, "flag", filter_by="predicted_neq_given")(noisy, seed=1), column=column)
    assert (found.precision, found.recall) == (1.0, 1.0)
    relabelled = filter_for(shape, "relabel", filter_by="predicted_neq_given")(noisy, seed=1)
    assert relabelled[column][:] == data[column][:]
    assert xq.audit(relabelled, column=column).restored == found.noisy


@pytest.mark.parametrize("shape", SHAPES)
def test_the_same_labels_are_issues_whatever_the_action(shape: str) -> None:
    data, noise, named = SHAPES[shape]
    noisy = xq.with_uid(noise(data, seed=1))
    flagged = filter_for(shape, "flag")(noisy, seed=1)
    with_issues = {row["uid"] for row in flagged if np.any(row["label_issue"])}
    assert with_issues
    dropped = filter_for(shape, "drop")(noisy, seed=1)
    assert set(dropped["uid"]) == set(noisy["uid"]) - with_issues
    weighted = filter_for(shape, "weight")(noisy, seed=1)
    assert weighted["label_issue"][:] == flagged["label_issue"][:]
    assert {row["uid"] for row in weighted if row["weight"] < 1} == with_issues
    if shape != "answers":
        relabelled = filter_for(shape, "relabel")(noisy, seed=1)
        assert relabelled["label_issue"][:] == flagged["label_issue"][:]
        column = named.get("column", "label")
        assert {row["uid"] for row in relabelled if row[f"{column}_given"] is not None} == with_issues


@drawn(st.integers(0, 10_000), st.sampled_from(RULES))
def test_tokens_are_searched_as_cleanlab_searches_them(seed: int, rule: str) -> None:
    random = np.random.default_rng(seed)
    counts = random.integers(0, 6, 50)
    probabilities = [random.dirichlet(np.full(5, 0.3), count) for count in counts]
    tags = [
        [int(tag) if random.random() < 0.8 else int(random.integers(0, 5)) for tag in row.argmax(1)] if len(row) else []
        for row in probabilities
    ]
    features = Features({"tags": List(ClassLabel(names=["A", "B", "C", "D", "E"])), "p": List(List(Value("float64")))})
    data = Dataset.from_dict({"tags": tags, "p": [row.tolist() for row in probabilities]}, features=features)
    flagged = xq.CleanlabFilter(action="flag", probabilities="p", column="tags", filter_by=rule)(data, seed=0)
    found = {
        (row, token) for row, flags in enumerate(flagged["label_issue"]) for token, issue in enumerate(flags) if issue
    }
    assert found == set(map(tuple, find_token_issues(tags, probabilities, filter_by=rule, n_jobs=1)))


@drawn(st.integers(0, 10_000), st.sampled_from(RULES), st.integers(2, 5))
def test_choices_with_equally_many_options_are_searched_as_cleanlab_searches_classes(
    seed: int, rule: str, options: int
) -> None:
    random = np.random.default_rng(seed)
    probabilities = random.dirichlet(np.full(options, 0.3), 80)
    labels = np.where(random.random(80) < 0.8, probabilities.argmax(1), random.integers(0, options, 80))
    features = Features({"label": Value("int64"), "p": List(Value("float64"))})
    data = Dataset.from_dict({"label": labels, "p": probabilities.tolist()}, features=features)
    flagged = xq.CleanlabFilter(action="flag", probabilities="p", filter_by=rule)(data, seed=0)
    assert flagged["label_issue"][:] == find_label_issues(labels, probabilities, filter_by=rule, n_jobs=1).tolist()


@drawn(st.integers(0, 10_000), st.sampled_from(["tags", "choices"]), st.sampled_from(RULES))
def test_the_order_of_rows_changes_no_issue_among_tied_probabilities(seed: int, shape: str, rule: str) -> None:
    made = entities(60, seed) if shape == "tags" else choices(60, seed)
    noisy = SHAPES[shape][1](made, seed=seed)
    tied = noisy.map(
        lambda row: (
            {"p": [1 / len(row["p"])] * len(row["p"])} if shape == "choices" else {"p": [[0.2] * 5 for _ in row["p"]]}
        )
    )
    joined = tied.select(range(0, 60, 2)).to_list() + noisy.select(range(1, 60, 2)).to_list()
    data = Dataset.from_list(joined, features=noisy.features)
    shuffled = data.shuffle(seed=seed)
    search = filter_for(shape, "flag", filter_by=rule, max_fraction=0.2)
    straight, mixed = ({row["uid"]: row["label_issue"] for row in search(rows, seed=1)} for rows in (data, shuffled))
    assert straight == mixed


def test_a_cap_on_tags_counts_tokens_and_one_on_answers_rows() -> None:
    noisy = xq.TagNoise(0.3, column="tags")(entities(), seed=1)
    tokens = sum(map(len, noisy["tags"]))
    flagged = filter_for("tags", "flag", max_fraction=0.05)(noisy, seed=1)
    assert sum(map(sum, flagged["label_issue"])) == round(0.05 * tokens)
    assert xq.history(flagged)[-1].realised_rate == round(0.05 * tokens) / tokens
    data = questions()
    dropped = filter_for("answers", "drop", max_fraction=0.3)(data, seed=1)
    assert len(dropped) == 56
    assert min(dropped["p"]) > sorted(data["p"])[23]


@pytest.mark.parametrize("action", ["drop", "flag", "weight"])
def test_a_confidence_ranks_rows_of_every_shape(action: str) -> None:
    noisy = xq.TagNoise(0.3, column="tags")(entities(), seed=1).remove_columns("p")
    wrong = [tags is not None for tags in noisy["tags_before"]]
    rated = noisy.add_column("p", [0.1 + row / 1e4 if bad else 0.9 for row, bad in enumerate(wrong)])
    share = sum(wrong) / len(wrong)
    filter_ = xq.CleanlabFilter(action, "p", column="tags", max_fraction=share)
    made = filter_(rated, seed=1)
    found = xq.audit(before=rated, after=made, column="tags") if action == "drop" else xq.audit(made, column="tags")
    inside = sum(len(tags) for tags, bad in zip(noisy["tags"], wrong, strict=True) if bad)
    assert (found.unit, found.found, found.recall) == ("tokens", inside, 1.0)  # all tokens of a row are issues
    uids = (
        set(rated["uid"]) - set(made["uid"]) if action == "drop" else {row["uid"] for row in made if row["label_issue"]}
    )
    assert uids == {uid for uid, bad in zip(rated["uid"], wrong, strict=True) if bad}
    if action == "weight":
        assert sorted(made["weight"])[: sum(wrong)] == sorted(rated["p"])[: sum(wrong)]


def test_weights_of_tags_are_means_over_tokens() -> None:
    features = Features({"tags": List(ClassLabel(names=["A", "B"])), "p": List(List(Value("float64")))})
    tags = [[0, 1], [0, 0], [1, 1], [1, 0], []] * 4
    probabilities = [[[0.9, 0.1] if tag == 0 else [0.1, 0.9] for tag in row] for row in tags]
    probabilities[3] = [[0.1, 0.9], [0.2, 0.8]]  # the second tag is an issue of quality 0.2
    data = Dataset.from_dict({"tags": tags, "p": probabilities}, features=features)
    filter_ = xq.CleanlabFilter(action="weight", probabilities="p", column="tags", filter_by="predicted_neq_given")
    weighted = filter_(data, seed=1)
    assert weighted["label_issue"][3] == [False, True]
    assert weighted["weight"][3] == pytest.approx((1 + 0.2) / 2)
    assert [weight for row, weight in enumerate(weighted["weight"]) if row != 3] == [1.0] * 19


def test_the_record_names_the_rule_that_was_used_in_batches() -> None:
    noisy = xq.LabelNoise(0.2)(given(), seed=1)
    flagged = xq.CleanlabFilter(action="flag", probabilities="p", batch_size=50)(noisy, seed=1)
    assert xq.history(flagged)[-1].details["rule"] == "low_self_confidence"
    assert xq.audit(flagged).recall == 1.0
    margin = xq.CleanlabFilter(action="flag", probabilities="p", batch_size=50, filter_by="low_normalized_margin")
    assert xq.history(margin(noisy, seed=1))[-1].details["rule"] == "low_normalized_margin"


def test_batches_need_few_bytes_a_row(run_python) -> None:
    # 300,000 rows of 40 classes: the probabilities alone take 96 MB, and the search without batches takes some 290 MB more.
    program = """
import resource, numpy as np, pyarrow as pa, tempfile
from datasets import ClassLabel, Dataset, Features, List, Value
import xquality as xq
rows, classes = 300_000, 40
with tempfile.TemporaryDirectory() as folder:
    features = Features({"label": ClassLabel(num_classes=classes), "p": List(Value("float64"))})
    with pa.OSFile(f"{folder}/rows.arrow", "wb") as file, pa.ipc.new_stream(file, features.arrow_schema) as out:
        for start in range(0, rows, 10_000):
            p = np.random.default_rng(start).dirichlet(np.full(classes, 0.2), 10_000)
            labels = np.where(np.arange(10_000) % 5, p.argmax(1), 0)
            lists = pa.ListArray.from_arrays(pa.array(np.arange(0, p.size + 1, classes, dtype=np.int32)), pa.array(p.ravel()))
            out.write_batch(pa.record_batch([pa.array(labels), lists], schema=features.arrow_schema))
    data = Dataset.from_file(f"{folder}/rows.arrow")
    small = data.select(range(1000))
    for size in (100, None):
        xq.CleanlabFilter(action="flag", probabilities="p", batch_size=size)(small, seed=1)
    def anonymous():
        return int(next(line for line in open("/proc/self/status") if line.startswith("RssAnon")).split()[1]) // 1024
    import threading
    peak, done = [anonymous()], threading.Event()
    def watch():
        while not done.wait(0.005):
            peak.append(anonymous())
    thread = threading.Thread(target=watch)
    thread.start()
    before = anonymous()
    xq.CleanlabFilter(action="flag", probabilities="p", batch_size=10_000)(data, seed=1)
    done.set()
    thread.join()
    print(max(peak) - before)
"""
    if not Path("/proc/self/status").is_file():
        pytest.skip("the memory of a process is read from /proc")
    assert int(run_python(program)) < 60


@pytest.mark.parametrize("language", ["en", "fi", "zh"])
def test_wrong_parts_of_speech_are_found_from_the_tokens(real_data: Path, language: str) -> None:
    split = "train" if language == "en" else "test"
    data = Dataset.from_parquet(str(real_data / "udpos" / language / f"{split}.parquet")).select(range(400))
    noisy = xq.TagNoise(0.2, column="pos_tags")(data, seed=1)
    flagged = xq.CleanlabFilter(action="flag", column="pos_tags")(noisy, seed=1)
    found = xq.audit(flagged, column="pos_tags")
    assert found.noisy == round(0.2 * found.rows)
    assert found.precision > 0.5  # chance is 0.2
    assert found.recall > 0.7


def test_flags_of_tags_are_added_to_those_of_an_earlier_filter() -> None:
    noisy = xq.TagNoise(0.3, column="tags")(entities(), seed=1)
    first = filter_for("tags", "flag", max_fraction=0.02)(noisy, seed=1)
    second = filter_for("tags", "flag", max_fraction=0.05, stream=1)(first, seed=1)
    earlier, both = (np.concatenate(data["label_issue"][:]) for data in (first, second))
    assert (both >= earlier).all()
    assert both.sum() > earlier.sum()


SPANS = questions()


@pytest.mark.parametrize(
    ("filter_", "data", "error", "message"),
    [
        (xq.CleanlabFilter(column="answers"), SPANS, ColumnError, "from_fine_tuning"),
        (xq.CleanlabFilter(column="answers", probabilities="p"), SPANS, SettingError, "max_fraction"),
        (xq.CleanlabFilter(column="answers", probabilities="question"), SPANS, ColumnError, "confidence"),
        (xq.CleanlabFilter(), choices(), LabelError, "where the integers number the options of each row"),
        (xq.CleanlabFilter(column="tags", text_columns=("p",)), entities(), ColumnError, "one string for each tag"),
        (xq.CleanlabFilter(column="tags"), entities().remove_columns("tokens"), ColumnError, "one string for each tag"),
        (xq.CleanlabFilter(column="tags", probabilities="tokens"), entities(), ColumnError, "list for each token"),
        (xq.CleanlabFilter(probabilities="p"), given().filter(lambda row: row["label"] == 1), LabelError, "2 classes"),
        (xq.CleanlabFilter("weight", "p"), given().add_column("weight", [1.0] * 300), ColumnError, "'weight'"),
        (xq.CleanlabFilter("flag", "p"), given().add_column("label_issue", [1.0] * 300), ColumnError, "'label_issue'"),
    ],
)
def test_settings_that_do_not_fit_the_shape_are_refused(
    filter_, data: Dataset, error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        filter_(data, seed=0)


def test_a_rule_without_batches_is_refused() -> None:
    with pytest.raises(SettingError, match="has no batches"):
        xq.CleanlabFilter(filter_by="both", batch_size=10)


@pytest.mark.parametrize("blank", [None, "", " "])
def test_rows_without_a_text_and_tokens_without_one_are_warned_of(blank: str | None) -> None:
    topics = toy.topics.load("es", "test")
    spoilt = topics.map(lambda row, number: {"text": blank if number == 3 else row["text"]}, with_indices=True)
    with pytest.warns(UserWarning, match="1 rows have no text in text, the first of them row 3; nothing is known"):
        xq.CleanlabFilter(action="flag")(spoilt, seed=1)
    entities = toy.entities.load("es", "validation")
    spoilt = entities.map(
        lambda row, number: {"tokens": [blank, *row["tokens"][1:]] if number == 2 else row["tokens"]}, with_indices=True
    )
    with pytest.warns(UserWarning, match="1 tokens are null or blank in tokens, the first in row 2; nothing"):
        xq.CleanlabFilter(action="flag", column="ner_tags")(spoilt, seed=1)


def flagged_rows(data: Dataset, name: str = "label_issue") -> int:
    """Return how many rows are flagged; a null flag would fail."""
    return sum(bool(np.any(flags)) for flags in data[name])


@pytest.mark.parametrize("shape", ["class", "tags"])
@pytest.mark.parametrize("action", ["flag", "relabel"])
def test_a_second_filter_sees_the_rows_that_the_first_did_not(shape: str, action: str) -> None:
    noisy = {
        "class": lambda: xq.LabelNoise(0.2)(toy.topics.load("es", "test"), seed=1),
        "tags": lambda: xq.TagNoise(0.2)(toy.entities.load("es", "test"), seed=1),
    }[shape]()
    column = {"class": "label", "tags": "ner_tags"}[shape]
    noisy = xq.with_uid(noisy)
    half = len(noisy) // 2
    part = xq.CleanlabFilter(action, column=column)(noisy.select(range(half)), seed=1)
    rest = noisy.select(range(half, len(noisy)))
    joined = xq.concatenate([part, rest])
    both = xq.CleanlabFilter(action, column=column, stream=1)(joined, seed=1)
    alone = xq.CleanlabFilter("flag", column=column, stream=1)(joined.remove_columns("label_issue"), seed=1)
    new = [np.any(flags) for flags in alone["label_issue"]]
    old = [bool(np.any(flags)) if flags is not None else False for flags in joined["label_issue"]]
    assert all(flags is not None for flags in both["label_issue"])
    assert [bool(np.any(flags)) for flags in both["label_issue"]] == [a or b for a, b in zip(old, new, strict=True)]
    assert xq.history(both)[-1].details["issues"] <= sum(np.sum(flags) for flags in both["label_issue"])


def two_labels() -> Dataset:
    """Return rows with two columns of labels, each with its own noise."""
    data = given()
    second = data.features["label"]
    data = data.add_column("topic", data["label"][:], feature=second)
    return xq.LabelNoise(0.1, column="topic", stream=1)(xq.LabelNoise(0.2)(data, seed=1), seed=1)


@pytest.mark.parametrize("columns", [("label", "topic"), ("topic", "label")])
def test_flags_of_two_label_columns_are_kept_apart(columns: tuple[str, str]) -> None:
    first, second = columns
    data = two_labels()
    once = xq.CleanlabFilter("flag", "p", column=first)(data, seed=1)
    twice = xq.CleanlabFilter("flag", "p", column=second, stream=1)(once, seed=1)
    assert twice["label_issue"][:] == once["label_issue"][:]
    for column in columns:
        found = xq.audit(twice, column=column)
        assert (found.found, found.correct) == (found.noisy, found.noisy)
        assert found.noisy == {"label": 60, "topic": 30}[column]
    again = xq.CleanlabFilter("flag", "p", column=second, stream=2)(twice, seed=1)
    assert again[f"{second}_label_issue"][:] == twice[f"{second}_label_issue"][:]
    with pytest.raises(ColumnError, match=f"'label_issue' holds those of \\['{first}'\\]; run CleanlabFilter"):
        xq.audit(once, column=second)


def test_flags_without_a_history_are_not_united_with_others() -> None:
    data = given().add_column("label_issue", [False] * 300)
    with pytest.raises(ColumnError, match="no filter in the history wrote it; rename"):
        xq.CleanlabFilter("flag", "p")(data, seed=1)
    flagged = xq.CleanlabFilter("flag", "p")(two_labels(), seed=1)
    other = xq.CleanlabFilter("flag", "p", column="topic")(two_labels(), seed=1)
    joined = xq.concatenate([flagged, other], ["a", "b"])
    with pytest.raises(ColumnError, match=r"holds flags of \['label', 'topic'\]"):
        xq.CleanlabFilter("flag", "p", stream=1)(joined, seed=1)


def test_an_audit_of_dropped_rows_names_what_would_flag_them() -> None:
    noisy = xq.LabelNoise(0.2)(given(), seed=1)
    with pytest.raises(ColumnError, match=r"write CleanlabFilter\(action='flag'\), or xq.audit\(before="):
        xq.audit(xq.CleanlabFilter(probabilities="p")(noisy, seed=1))


@pytest.mark.parametrize("batch_size", [None, 1, 8, 1000])
@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("singles", [1, 3])
def test_the_only_label_of_a_class_is_never_flagged(rule: str, batch_size: int | None, singles: int) -> None:
    if batch_size is not None and rule not in (RULES[0], "low_normalized_margin", "low_self_confidence"):
        return
    classes = 2 + singles
    labels = [0] * 30 + [1] * 29 + [*range(2, classes)]
    sure = np.random.default_rng(0).dirichlet(np.ones(classes), len(labels))
    sure[-singles:] = [0.9, *[0.1 / (classes - 1)] * (classes - 1)]
    features = Features({"label": ClassLabel(num_classes=classes), "p": List(Value("float64"))})
    data = Dataset.from_dict({"label": labels, "p": sure.tolist()}, features=features)
    flags = xq.CleanlabFilter("flag", "p", filter_by=rule, batch_size=batch_size)(data, seed=1)["label_issue"][:]
    assert any(flags)
    assert not any(flags[-singles:])


def test_more_classes_than_linear_models_can_be_trained_for_are_refused_at_once() -> None:
    features = Features({"label": ClassLabel(num_classes=10_000), "text": Value("string")})
    rows = [{"label": row % 10_000, "text": f"text {row}"} for row in range(20_000)]
    data = Dataset.from_list(rows, features=features)
    with pytest.raises(LabelError, match=r"10,000 classes on 20,000 rows, which would take hours; name a column of"):
        xq.CleanlabFilter()(data, seed=1)


def test_of_a_huge_text_the_beginning_is_read() -> None:
    topics = toy.topics.load("es", "test").select(range(40))
    huge = topics.map(
        lambda row, number: {"text": "palabra " * 200_000 if number == 3 else row["text"]}, with_indices=True
    )
    with pytest.warns(UserWarning, match="1 texts are longer than 100,000 characters, the first of them number 3"):
        xq.CleanlabFilter("flag")(huge, seed=1)
