"""The examples run, and the README's numbers of lines are true."""

import importlib.util
import re
from functools import partial
from pathlib import Path

import pytest
from cell_files import contents

from xquality.report import write_report
from xquality.study import Study

ROOT = Path(__file__).resolve().parents[1]


def load(path: str):
    spec = importlib.util.spec_from_file_location(Path(path).stem, ROOT / "examples" / path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_quickstart_runs_and_a_second_run_trains_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    quickstart = load("quickstart.py")
    report = quickstart.main(tmp_path / "q", tiny=True)
    assert "zero-shot accuracy" in report.read_text(encoding="utf-8")
    assert f"The report is in {report.resolve()}" in capsys.readouterr().out
    monkeypatch.setattr("transformers.Trainer.train", lambda *_, **__: pytest.fail("something was trained again"))
    first = report.read_bytes()
    quickstart.main(tmp_path / "q", tiny=True)
    assert report.read_bytes() == first


def test_two_fresh_runs_of_the_quickstart_write_the_same_bytes(tmp_path: Path) -> None:
    quickstart, found = load("quickstart.py"), []
    for name in ("first", "second"):
        quickstart.main(tmp_path / name, tiny=True)
        found.append(contents(tmp_path / name))
    assert found[0] == found[1]
    assert len(found[0]) == 4


def test_the_studies_have_their_arms_and_keep_target_sentences_apart(real_data: Path) -> None:
    study = load("studies/quality_vs_quantity.py")
    sizes = {}
    for name, (trial, axes, seeds, title) in study.STUDIES.items():
        sizes[name] = len(Study(partial(trial, root=real_data, encoder="x"), axes(seeds), "rows", "rate").cells())
        assert title
    assert sizes == {"pretrained": 120, "tiny": 372, "kinds": 50}
    intermediate, target = (set(found) for found in study.split_topics(real_data))
    assert (len(intermediate), len(target), intermediate & target) == (500, 200, set())
    assert set(study.target_topics(real_data)["uid"]) == target
    rows, _ = study.spanish_topics("Spanish", 100, 0.2, 3, real_data, real_data)
    assert set(rows["uid"]) < intermediate
    assert sum(label is not None for label in rows["label_before"]) == 20
    assert not {study.SPANISH, study.ENGLISH} & set(study.ZERO_SHOT)


@pytest.mark.parametrize("part", ["pretrained", "tiny", "kinds"])
def test_the_studies_train_a_cell_on_real_rows(
    part: str, real_data: Path, encoder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = load("studies/quality_vs_quantity.py")
    smaller = {
        "INTERMEDIATE_STEPS": 2,
        "TARGET_STEPS": 2,
        "TINY_STEPS": 2,
        "TINY_TARGET_STEPS": 2,
        "ZERO_SHOT": ("deu_Latn", "swh_Latn"),
        "PROBED": ("deu_Latn",),
        "TINY_PROBED": ("deu_Latn",),
        "PAIR_LANGUAGES": ("swh",),
    }
    for name, value in smaller.items():
        monkeypatch.setattr(study, name, value)
    arms = {"pretrained": study.FILTERED, "tiny": "hin_Deva", "kinds": "parts of speech"}
    result = study.STUDIES[part][0](arms[part], 0, rows=100, rate=0.2, root=real_data, encoder=encoder)
    assert {"deu_Latn", "swh_Latn", "eng_Latn"} <= {score.language for score in result.scores}
    first = result.history.stages[0]
    transforms = {
        "pretrained": ["Subsample", "LabelNoise", "from_embeddings", "CleanlabFilter"],
        "kinds": ["Subsample", "TagNoise"],
    }
    expected = transforms.get(part, ["Subsample", "LabelNoise"])
    assert ([record["transform"] for record in first["records"]], first["steps"]) == (expected, 2)
    assert "zero-shot macro_f1" in result.measures
    assert ("retrieval accuracy" in result.measures) == (part == "kinds")


def test_the_xtreme_example_trains_scores_and_submits_and_a_second_run_trains_nothing(
    real_data: Path, encoder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import json

    example = load("xtreme.py")
    given = ["--data", str(real_data), "--model", str(encoder), "--out", str(tmp_path / "out")]
    chosen = example.parse_arguments([*given, "--tasks", "udpos,mlqa,tatoeba", "--rows", "60", "--steps", "4"])
    table = example.run(chosen)
    assert table == (tmp_path / "out" / "table.md").read_text(encoding="utf-8")
    kept = json.loads((tmp_path / "out" / "scores.json").read_text(encoding="utf-8"))
    counts = {line["task"]: line["languages"] for line in kept["table"]}
    assert counts == {"udpos": 19, "mlqa": 6, "tatoeba": 32}
    assert f"{19 * 3 + 6 * 2 + 32} scores were written as a submission and read back; all are the same." in table
    assert (tmp_path / "out" / "submission" / "tatoeba" / "test-ja.tsv").is_file()
    stages = {entry.name for entry in (tmp_path / "out" / "stages").iterdir()}
    capsys.readouterr()
    assert example.run(chosen) == table
    assert {entry.name for entry in (tmp_path / "out" / "stages").iterdir()} == stages


def test_the_xtreme_example_puts_all_nine_tasks_beside_the_papers_rows() -> None:
    from xquality.evaluation import Output
    from xquality.records import Score
    from xquality.tasks import XTREME

    example = load("xtreme.py")
    questions = ("xquad", "mlqa", "tydiqa")
    names = {task.name: ("f1", "exact_match") for task in XTREME if task.name in questions}
    names |= dict.fromkeys(("udpos", "panx", "bucc"), ("f1", "precision"))
    found = {
        task.name: [
            Output(
                language,
                tuple(Score(task.name, language, name, value, 9) for name in names.get(task.name, ("accuracy",))),
                [],
                [],
            )
            for language, value in (("xx", 40.0), ("yy", 60.0))
        ]
        for task in XTREME
    }
    table = example.make_report(found, [], [])
    own = next(line for line in table.splitlines() if line.startswith("| this run"))
    assert own.split(" | ")[1:] == ["50.0"] * 12 + ["50.0 |"]
    assert "| no intermediate task |" in table


def test_the_xtreme_example_has_a_budget_for_every_trained_task_and_refuses_others(real_data: Path) -> None:
    from xquality.errors import SettingError
    from xquality.heads import TrainableHead
    from xquality.tasks import XTREME

    example = load("xtreme.py")
    assert set(example.BUDGETS) == {task.name for task in XTREME if isinstance(task.head, TrainableHead)}
    assert example.parse_arguments(["--data", str(real_data)]).tasks == [task.name for task in XTREME]
    with pytest.raises(SettingError, match="xcopa"):
        example.parse_arguments(["--data", str(real_data), "--tasks", "xnli,xcopa"])


def test_the_papers_table_has_a_row_for_every_arm_and_a_second_run_trains_nothing(
    real_data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    phang = load("phang2020.py")
    monkeypatch.setattr(phang, "MLM_LANGUAGES", ("eng_Latn", "deu_Latn"))
    monkeypatch.setattr(phang, "TOY_SENTENCES", 300)
    monkeypatch.setitem(phang.TINY_LANGUAGES, "UD POS", ("en", "de"))
    settings = {
        "plan": phang.Plan(steps=3, multi_steps=20, target_steps=2, rows=60, scored=20, length=32),
        "intermediates": [phang.NONE, "CCG", "SQuAD v1.1 + MLM"],
        "targets": ["UD POS"],
        "alignment": 5,
    }
    text = phang.main(tmp_path, real_data, **settings)
    assert (tmp_path / "table.md").read_text(encoding="utf-8") == text
    lines = {line.split(" | ")[0].removeprefix("| "): line for line in text.splitlines() if line.startswith("| ")}
    assert "paper -2.0?" in lines["CCG"]
    assert lines["SQuAD v1.1 + MLM"].split(" | ")[1] == "2 + 1"
    assert lines["this study"].split(" | ")[1:4] == ["6", "6", "12"]
    kept = sorted(entry.name for entry in (tmp_path / "store").iterdir() if entry.is_dir())
    assert len([name for name in kept if name not in ("locks", "under-way")]) == 2 + 3  # each intermediate once
    monkeypatch.setattr("transformers.Trainer.train", lambda *_, **__: pytest.fail("something was trained again"))
    assert phang.main(tmp_path, real_data, **settings) == text


def test_the_readmes_example_has_twelve_lines() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", readme, re.DOTALL)
    lines = [line for line in example.splitlines() if line.strip() and not line.startswith(("import", "from"))]
    assert len(lines) <= 12


COMMITTED = sorted((ROOT / "docs" / "studies").glob("*/*/study.json"))


@pytest.mark.parametrize("settings", COMMITTED, ids=lambda path: path.parent.name)
def test_the_committed_cells_are_those_of_the_studies_and_make_their_reports(settings: Path, tmp_path: Path) -> None:
    import shutil

    example = load(f"studies/{settings.parent.parent.name.replace('-', '_')}.py")
    trial, axes, seeds, title = example.STUDIES[settings.parent.name]
    folder = Path(shutil.copytree(settings.parent, tmp_path / "s"))
    study = Study(partial(trial, root=Path("data"), encoder=Path("encoder")), axes(seeds), "rows", "rate")
    status = study.status(folder)
    assert status.finished == len(list((folder / "cells").glob("*.json")))  # all of them are believed
    assert (status.finished + status.missing, status.failed) == (len(study.cells()), 0)
    page = write_report(folder, title=title).read_text(encoding="utf-8")
    assert title in page
    assert len(page) < 1_000_000


def test_the_committed_cells_are_small() -> None:
    files = list((ROOT / "docs" / "studies").rglob("*.json"))
    assert sum(file.stat().st_size for file in files) < 5_000_000
    assert not list((ROOT / "docs" / "studies").rglob("*.html"))
