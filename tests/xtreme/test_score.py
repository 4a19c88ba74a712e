"""Scoring whole folders: means, groups, and what is wrong with a folder; the official cases are in test_parity.py."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from xquality.errors import MetricError, SourceError, XqualityError
from xquality.xtreme import file_name, score_file, score_folder, write_submission
from xquality.xtreme.layout import XTREME, XTREME_R

TASKS = {**XTREME_R.languages, **XTREME.languages}


def gold(task: str) -> Any:
    """Return what a perfect prediction of one language looks like."""
    if task in ("panx", "udpos"):
        return [["B-PER", "O"], ["B-LOC"]] if task == "panx" else [["NOUN", "VERB"], ["DET"]]
    if task in ("xquad", "mlqa", "tydiqa"):
        return {"q0": "an answer", "q1": "other"}
    special = {"bucc2018": [("s1", "t1"), ("s2", "t2")], "xcopa": [0, 1], "mewslix": {"m": ["Q1"], "n": ["Q2"]}}
    return special.get(task, ["0", "1", "1"])


def label_text(task: str) -> str:
    """Return the text of a gold file that such a prediction is perfect for."""
    if task in ("xquad", "mlqa", "tydiqa"):
        questions = [{"id": name, "answers": [{"text": text}]} for name, text in gold(task).items()]
        return json.dumps({"data": [{"paragraphs": [{"qas": questions}]}]})
    if task == "mewslix":
        return json.dumps(gold(task))
    if task == "xcopa":
        return "".join(json.dumps({"label": label}) + "\n" for label in gold(task))
    if task in ("panx", "udpos"):
        return "".join("\n".join(tags) + "\n\n" for tags in gold(task))
    return "".join(("\t".join(line) if isinstance(line, tuple) else line) + "\n" for line in gold(task))


@pytest.fixture
def folders(tmp_path: Path) -> Callable[..., tuple[Path, Path]]:
    """Write perfect predictions and labels of some tasks."""

    def make(*tasks: str, version: str = "xtreme") -> tuple[Path, Path]:
        languages = {task: (XTREME_R if version == "xtreme-r" else XTREME).languages[task] for task in tasks}
        found = {task: dict.fromkeys(codes, gold(task)) for task, codes in languages.items()}
        write_submission(tmp_path / "predictions", found, version=version)
        (tmp_path / "labels").mkdir()
        for task, codes in languages.items():
            (tmp_path / "labels" / task).mkdir()
            for code in codes:
                (tmp_path / "labels" / task / file_name(task, code)).write_text(label_text(task), encoding="utf-8")
        return tmp_path / "predictions", tmp_path / "labels"

    return make


def test_a_perfect_submission_scores_100_everywhere(folders) -> None:
    scores = score_folder(*folders(*XTREME.languages))
    assert list(scores)[:5] == ["all_task", "classification", "tagging", "qa", "retrieval"]
    assert list(scores)[5:] == list(XTREME.languages)
    assert {scores[group] for group in list(scores)[:5]} == {100.0}
    assert {scores[task]["avg_metric"] for task in XTREME.languages} == {100.0}
    json.dumps(scores)


def test_xtreme_r_has_no_overall_score(folders) -> None:
    tasks = [task for task, languages in XTREME_R.languages.items() if languages]
    found, labels = folders(*tasks, version="xtreme-r")
    for folder in (found, labels):
        (folder / "lareqa").mkdir()
    scores = score_folder(found, labels, version="xtreme-r")
    assert "all_task" not in scores
    assert scores["lareqa"] == {}
    assert scores["multi_choice"] == scores["retrieval"] == 100.0


def test_a_group_needs_all_its_tasks(folders) -> None:
    found, labels = folders("pawsx", "udpos", "panx")
    scores = score_folder(found, labels)
    assert list(scores) == ["tagging", "pawsx", "panx", "udpos"]


def test_means_are_added_from_left_to_right_in_the_official_order(folders) -> None:
    found, labels = folders("pawsx")
    for place, language in enumerate(XTREME.languages["pawsx"]):
        lines = [str(int(row < place)) for row in range(7)]
        (labels / "pawsx" / f"test-{language}.tsv").write_text("\n".join(lines), encoding="utf-8")
        (found / "pawsx" / f"test-{language}.tsv").write_text("1\n" * 7, encoding="utf-8")
    scores = score_folder(found, labels)["pawsx"]
    total = 0.0
    for place in range(7):
        total += place / 7 * 100
    assert scores["avg_accuracy"] == total / 7
    assert list(scores["accuracy"]) == list(XTREME.languages["pawsx"])


def test_the_newer_seqeval_is_an_option(folders) -> None:
    found, labels = folders("udpos")
    for language in XTREME.languages["udpos"]:
        (found / "udpos" / f"test-{language}.tsv").write_text("SCONJ\n", encoding="utf-8")
        (labels / "udpos" / f"test-{language}.tsv").write_text("CCONJ\n", encoding="utf-8")
    assert score_folder(found, labels)["udpos"]["avg_f1"] == 0.0
    assert score_folder(found, labels, seqeval="1.2.2")["udpos"]["avg_f1"] == 100.0


def test_links_are_followed_as_the_official_code_does(folders, tmp_path: Path) -> None:
    found, labels = folders("pawsx")
    (tmp_path / "linked").mkdir()
    (tmp_path / "linked" / "pawsx").symlink_to(found / "pawsx")
    assert score_folder(tmp_path / "linked", labels)["pawsx"]["avg_metric"] == 100.0


def link_folder(link: Path, place: Path) -> None:
    shutil.rmtree(link.parent)
    link.parent.symlink_to(place.parent)


CHEATS: dict[str, Callable[[Path, Path], object]] = {
    "symlink": lambda link, place: (link.unlink(), link.symlink_to(place)),
    "relative": lambda link, place: (link.unlink(), link.symlink_to(Path(os.path.relpath(place, link.parent)))),
    "hard link": lambda link, place: (link.unlink(), link.hardlink_to(place)),
    "other language": lambda link, place: (link.unlink(), link.symlink_to(place.with_name("test-en.tsv"))),
    "other task": lambda link, place: (link.unlink(), link.hardlink_to(place.parents[1] / "mlqa" / "test-en.json")),
    "folder": link_folder,
    "chain": lambda link, place: (link.unlink(), link.with_name("a").symlink_to(place), link.symlink_to("a")),
}


@pytest.mark.parametrize("how", CHEATS)
def test_predictions_that_are_the_labels_are_refused(how: str, folders) -> None:
    found, labels = folders("pawsx", "mlqa")
    name = Path("pawsx") / file_name("pawsx", "de")
    CHEATS[how](found / name, labels / name)
    with pytest.raises(SourceError, match="one file"):
        score_folder(found, labels)
    if not how.startswith("other"):
        with pytest.raises(SourceError, match="one file"):
            score_file(found / name, labels / name, "pawsx", "de")


def test_labels_are_no_predictions_of_themselves(folders) -> None:
    _, labels = folders("pawsx")
    with pytest.raises(SourceError, match="one file"):
        score_folder(labels, labels)
    with pytest.raises(SourceError, match="one file"):
        score_folder(labels.parent / "labels" / "." / ".." / "labels", labels)


def test_a_copy_of_the_labels_is_a_perfect_submission(folders) -> None:
    _, labels = folders("pawsx")
    shutil.copytree(labels, labels.parent / "copy")
    (labels.parent / "elsewhere").symlink_to(labels)
    assert score_folder(labels.parent / "copy", labels)["pawsx"]["avg_metric"] == 100.0
    with pytest.raises(SourceError, match="one file"):
        score_folder(labels, labels.parent / "elsewhere")


IGNORED: list[Callable[[Path, Path], object]] = [
    lambda found, _: (found / "notes.txt").write_text("x"),
    lambda found, _: (found / "pawsx" / "test-xx.tsv").write_text("x"),
    lambda found, _: (found / "pawsx" / "test-de.json").write_text("{"),
    lambda found, _: (found / "foo").mkdir(),
    lambda found, _: (found / "XNLI").mkdir(),
    lambda found, _: (found / "xnli").mkdir(),
    lambda _, labels: (labels / "xnli").mkdir(),
    lambda found, labels: [(folder / "xnli").write_text("a file") for folder in (found, labels)],
    lambda found, labels: [(folder / "xcopa").mkdir() for folder in (found, labels)],
    lambda found, _: (found / ".." / "predictions" / "pawsx" / "..hidden").write_text("x"),
    lambda found, _: (found / "pawsx" / "test-de.tsv").write_bytes(b"0\r\n1\r\n1\r\n"),
    lambda found, _: (found / "pawsx" / "test-de.tsv").write_bytes(b"0\r1\r1"),
    lambda found, _: (found / "pawsx" / "test-de.tsv").write_text(" 0\t\n1\n\u30001", encoding="utf-8"),
]


@pytest.mark.parametrize("change", IGNORED, ids=range(len(IGNORED)))
def test_what_the_official_code_passes_over_changes_nothing(change: Any, folders) -> None:
    found, labels = folders("pawsx", "mlqa")
    change(found, labels)
    scores = score_folder(found, labels)
    assert list(scores) == ["pawsx", "mlqa"]
    assert scores["pawsx"]["avg_metric"] == scores["mlqa"]["avg_metric"] == 100.0


def put(path: Path, content: str | bytes) -> None:
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def remove(path: Path) -> None:
    path.unlink()


def into_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def into_loop(path: Path) -> None:
    path.unlink()
    path.symlink_to(path)


def into_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def question(**fields: Any) -> str:
    return json.dumps({"data": [{"paragraphs": [{"qas": [fields]}]}]})


# What is done to which file of a perfect submission, and what the error says.
BROKEN: list[tuple[str, str, str, Callable[[Path], object], str]] = [
    ("predictions", "pawsx", "de", remove, "test-de.tsv is missing"),
    ("labels", "pawsx", "zh", remove, "test-zh.tsv is missing"),
    ("predictions", "pawsx", "de", lambda file: file.rename(file.with_suffix(".txt")), "is missing"),
    ("predictions", "pawsx", "de", lambda file: file.rename(file.with_suffix(".json")), "is missing"),
    ("predictions", "xquad", "th", lambda file: file.rename(file.with_suffix(".tsv")), "is missing"),
    ("predictions", "pawsx", "de", lambda file: file.rename(file.with_name("test-DE.tsv")), "is missing"),
    ("predictions", "pawsx", "de", lambda file: file.rename(file.with_name("dev-de.tsv")), "is missing"),
    ("predictions", "pawsx", "de", lambda file: file.rename(file.with_name("test-de.tsv ")), "is missing"),
    ("predictions", "pawsx", "de", lambda file: file.rename(file.parent.parent / file.name), "is missing"),
    ("predictions", "pawsx", "de", into_folder, "is missing"),
    ("predictions", "pawsx", "de", into_loop, "is missing"),
    ("predictions", "pawsx", "de", into_pipe, "is missing"),
    ("predictions", "pawsx", "en", lambda file: put(file, "0\n1\n"), "there are 2 for 3"),
    ("predictions", "pawsx", "en", lambda file: put(file, "0\n1\n1\n1\n"), "there are 4 for 3"),
    ("predictions", "pawsx", "en", lambda file: put(file, "0\n1\n1\n\n"), "there are 4 for 3"),
    ("predictions", "pawsx", "en", lambda file: put(file, "0\n\n1\n1\n"), "there are 4 for 3"),
    ("predictions", "pawsx", "en", lambda file: put(file, "0\r\r1\r1\r"), "there are 4 for 3"),
    ("predictions", "pawsx", "en", lambda file: put(file, ""), "there are 0 for 3"),
    ("labels", "pawsx", "en", lambda file: put(file, ""), "there are 3 for 0"),
    ("predictions", "pawsx", "en", lambda file: put(file, b"\xff\xfe0\x00"), "is not UTF-8"),
    ("predictions", "pawsx", "en", lambda file: put(file, "caf\u00e9\n1\n1\n".encode("latin-1")), "is not UTF-8"),
    ("predictions", "tatoeba", "ar", lambda file: put(file, "0\n1"), "there are 2 for 3"),
    ("predictions", "panx", "ar", lambda file: put(file, "B-PER\nO\nB-LOC\n"), "1 sentences for 2"),
    ("predictions", "panx", "ar", lambda file: put(file, "B-PER\n\nO\n\nB-LOC\n"), "3 sentences for 2"),
    ("predictions", "panx", "ar", lambda file: put(file, "\nB-PER\nO\n\nB-LOC\n"), "3 sentences for 2"),
    ("predictions", "panx", "ar", lambda file: put(file, "B-PER\nO\n\n\nB-LOC\n"), "3 sentences for 2"),
    ("predictions", "udpos", "fa", lambda file: put(file, ""), "0 sentences for 2"),
    ("predictions", "udpos", "fa", lambda file: put(file, b"\x80\n"), "is not UTF-8"),
    ("predictions", "xquad", "en", lambda file: put(file, ""), "is not valid JSON"),
    ("predictions", "xquad", "en", lambda file: put(file, '{"q0": "an answer"'), "is not valid JSON"),
    ("predictions", "xquad", "en", lambda file: put(file, '\ufeff{"q0": "an answer"}'), "is not valid JSON"),
    ("predictions", "xquad", "en", lambda file: put(file, '{"q0": null}'), "None was found"),
    ("predictions", "xquad", "en", lambda file: put(file, '{"q0": 12}'), "12 was found"),
    ("predictions", "xquad", "en", lambda file: put(file, '{"q0": ["x"]}'), r"\['x'\] was found"),
    ("predictions", "mlqa", "en", lambda file: put(file, '{"q0": {"text": "x"}}'), "was found"),
    ("predictions", "mlqa", "en", lambda file: put(file, "3"), "object or a list"),
    ("predictions", "mlqa", "en", lambda file: put(file, "null"), "object or a list"),
    ("predictions", "mlqa", "en", lambda file: put(file, '{"data": 3}'), "an answer for each question's id"),
    ("predictions", "mlqa", "en", lambda file: put(file, '["q0", "q1"]'), "an answer for each question's id"),
    ("labels", "tydiqa", "ko", lambda file: put(file, '{"data": []}'), "at least one question"),
    ("labels", "tydiqa", "ko", lambda file: put(file, question(id="q0", answers=[])), "no list of right answers"),
    ("labels", "tydiqa", "ko", lambda file: put(file, question(id="q0")), "no list of right answers"),
    ("labels", "tydiqa", "ko", lambda file: put(file, question(answers=[{"text": "x"}])), "must hold articles"),
    ("labels", "tydiqa", "ko", lambda file: put(file, question(id=7, answers=[{"text": "x"}])), "must hold articles"),
    ("labels", "tydiqa", "ko", lambda file: put(file, question(id="q0", answers=["x"])), "must hold articles"),
    ("labels", "tydiqa", "ko", lambda file: put(file, question(id="q0", answers=[{"start": 0}])), "None was found"),
    ("labels", "tydiqa", "ko", lambda file: put(file, '{"q0": "x"}'), "must hold articles"),
    ("predictions", "bucc2018", "ru", remove, "is missing"),
    ("predictions", "bucc2018", "ru", lambda file: put(file, b"s1\tt\xff\n"), "is not UTF-8"),
    ("predictions", "xcopa", "ht", lambda file: put(file, '{"label": 0}\n\n{"label": 1}\n'), "is not valid JSON"),
    ("predictions", "xcopa", "ht", lambda file: put(file, '{"label": 0}\n'), "there are 1 for 2"),
    ("predictions", "xcopa", "ht", lambda file: put(file, '{"prediction": 0}\n'), "line 1 has none"),
    ("predictions", "xcopa", "ht", lambda file: file.rename(file.with_suffix(".json")), "is missing"),
    ("predictions", "mewslix", "uk", lambda file: put(file, '["Q1"]'), "a list of entities"),
    ("labels", "mewslix", "uk", lambda file: put(file, '{"m": []}'), "needs a right entity"),
]


@pytest.mark.parametrize(("side", "task", "language", "change", "said"), BROKEN, ids=range(len(BROKEN)))
def test_a_bad_folder_is_refused_with_a_sentence(
    side: str, task: str, language: str, change: Any, said: str, folders
) -> None:
    version = "xtreme" if task in XTREME.languages else "xtreme-r"
    found, labels = folders(task, version=version)
    change((found if side == "predictions" else labels) / task / file_name(task, language))
    with pytest.raises(XqualityError, match=said) as caught:
        score_folder(found, labels, version=version)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert "\n" not in sentence
    assert file_name(task, language) in sentence or language in sentence


@pytest.mark.parametrize("place", ["nowhere", "labels/pawsx/test-de.tsv", "../..", ""])
def test_predictions_and_labels_must_be_folders(place: str, folders, tmp_path: Path) -> None:
    found, labels = folders("pawsx")
    if place in ("", "../.."):
        assert score_folder(found / place, labels).keys() <= {"pawsx"}
        return
    for sides in ((tmp_path / place, labels), (found, tmp_path / place)):
        with pytest.raises(SourceError, match="is missing, or is no folder"):
            score_folder(*sides)


def test_unknown_versions_and_tasks_are_refused(folders) -> None:
    found, labels = folders("udpos")
    with pytest.raises(MetricError, match="'xtreme' or 'xtreme-r'"):
        score_folder(found, labels, version="xglue")
    with pytest.raises(MetricError, match="seqeval"):
        score_folder(found, labels, seqeval="2")
    with pytest.raises(MetricError, match="no scored task of this name"):
        score_file(found / "udpos" / "test-de.tsv", labels / "udpos" / "test-de.tsv", "qqp", "de")


@pytest.mark.parametrize("task", [task for task, languages in TASKS.items() if languages])
def test_a_file_scores_as_in_its_folder(task: str, folders) -> None:
    version = "xtreme" if task in XTREME.languages else "xtreme-r"
    found, labels = folders(task, version=version)
    language = TASKS[task][0]
    name = Path(task) / file_name(task, language)
    scores = score_folder(found, labels, version=version)[task]
    assert score_file(found / name, labels / name, task, language) == {
        metric: values[language] for metric, values in scores.items() if not metric.startswith("avg_")
    }
