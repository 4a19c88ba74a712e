"""Scores print themselves as a table, stay a list, and become data frames and LaTeX."""

import copy

from xquality.evaluation import Scores, table
from xquality.records import Score

FEW = Scores(
    [
        Score("xnli", "de", "accuracy", 61.54, 300, {"split": "test", "model": "0123456789ab"}),
        Score("xnli", "de", "macro_f1", 60.0, 300, {"split": "test", "model": "0123456789ab"}),
        Score("xnli", "sw", "accuracy", 50.0, 300, {"split": "test", "model": "0123456789ab"}),
    ]
)


def test_scores_print_a_line_a_language_and_never_a_screen() -> None:
    assert repr(FEW).split("\n") == [
        "3 scores of xnli, 300 rows in each language",
        "          accuracy  macro_f1",
        "language",
        "de            61.5      60.0",
        "sw            50.0",
    ]
    many = Scores(Score("sib200", f"l{number}", "accuracy", 1.0, 9) for number in range(205))
    assert len(repr(many).split("\n")) == 24
    assert "and 185 more" in repr(many)
    assert len(repr(FEW[0])) < 120
    assert "\n" not in str(FEW[0])
    assert repr(Scores()) == "no scores"


def test_several_tasks_and_several_models_have_lines_of_their_own() -> None:
    several = Scores([*FEW, Score("pawsx", "de", "accuracy", 80.0, 9), Score("xnli", "de", "accuracy", 1.0, 300)])
    lines = repr(several).split("\n")
    assert lines[0] == "5 scores of xnli, pawsx, 9 to 300 rows in each language"
    assert sum("de" in line for line in lines) == 3


def test_scores_stay_a_list() -> None:
    assert isinstance(FEW[1:], Scores)
    assert list(FEW) == FEW == copy.deepcopy(FEW)
    assert [*FEW, *FEW] == FEW + FEW


def test_scores_become_html_data_frames_and_latex() -> None:
    nasty = Scores([Score("<b>", "de_&", "f1", 5.0, 9)])
    assert "<b>" not in nasty._repr_html_().replace("<b>", "", 0).split("<table")[0]
    assert "de_&amp;" in nasty._repr_html_()
    assert "de\\_\\&" in nasty.to_latex()
    frame = FEW.to_pandas()
    assert frame["value"].tolist() == [score.value for score in FEW]
    assert set(frame.columns) == {"task", "language", "metric", "value", "rows", "split", "model"}
    assert FEW.to_latex(by="script").split("\n")[2] == r"script & languages & accuracy & macro\_f1 \\"
    assert r"\begin{tabular}" in table(FEW).to_latex()
