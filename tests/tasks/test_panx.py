"""PAN-X on real rows."""

from pathlib import Path

from datasets import ClassLabel, Features, List, Value
from task_rows import load_splits, row_counts

from xquality.tasks import panx

# The rows of the shared sample, as its description counts them.
COUNTED = (
    "af 248/497, ar 229/459, bg 246/493, bn 238/478, de 252/505, es 252/505, et 248/497, eu 260/521, fa 237/474, "
    "fi 262/525, fr 262/524, he 216/433, hi 234/468, hu 281/563, id 232/465, it 273/546, ja 254/508, jv 33/66, "
    "kk 152/306, mr 249/498, ms 200/401, my 32/64, nl 252/505, pt 245/492, ru 271/544, sw 180/361, ta 272/545, "
    "th 239/480, tl 253/508, tr 268/537, vi 227/456, yo 31/62, zh 255/511, en 120/160"
)
TAGS = ["O", "B-PER", "I-PER", "B-ORG", "I-ORG", "B-LOC", "I-LOC"]


def test_every_language_of_the_folder_loads_with_seven_tags(real_data: Path) -> None:
    rows = load_splits(panx, real_data)
    wanted = {counted.split()[0]: tuple(map(int, counted.split()[1].split("/"))) for counted in COUNTED.split(", ")}
    assert row_counts(rows, "validation", "test") == wanted
    assert len(rows["en", "train"]) == 400
    tokens, tags = List(Value("string")), List(ClassLabel(names=TAGS))
    assert rows["de", "test"].features == Features({"tokens": tokens, "ner_tags": tags, "uid": Value("int64")})
    for data in rows.values():
        assert [len(values) for values in data["tokens"]] == [len(values) for values in data["ner_tags"]]


def test_a_tag_means_what_it_says(real_data: Path) -> None:
    row = panx.load("af", "test", real_data)[0]
    named = [TAGS[tag] for tag in row["ner_tags"]]
    assert list(zip(row["tokens"], named, strict=True))[5:] == [("Kinshasa", "B-LOC"), (",", "O"), ("Zaïre", "B-ORG")]


def test_the_task_has_the_forty_languages_of_xtreme() -> None:
    assert len(set(panx.languages)) == 40
    assert {"my", "yo", "te", "ur", "ka"} < set(panx.languages)
