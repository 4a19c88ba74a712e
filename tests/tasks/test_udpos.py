"""UD POS on real rows."""

from pathlib import Path

from datasets import ClassLabel, Features, List, Value
from task_rows import everything, sizes

from xquality.tasks import udpos
from xquality.tasks.udpos import NAMES

TAGS = "ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X".split()
# The rows of the shared treebanks, as their description counts them: validation and test, or test alone.
COUNTED = (
    "af 194 425, ar 1000, de 799 977, en 2001 2077, es 1400 427, fa 599 600, fi 1364 1555, fr 1476 416, hi 1000, "
    "id 559 557, ja 507 543, mr 46 47, ru 579 601, ta 534, th 1000, tr 979 979, vi 1123 800, yo 317, zh 500 500"
)


def test_every_language_of_the_folder_loads_with_seventeen_tags(real_data: Path) -> None:
    rows = everything(udpos, real_data)
    wanted = {one.split()[0]: tuple(map(int, one.split()[1:])) for one in COUNTED.split(", ")}
    assert sizes(rows, "validation", "test") == wanted
    assert len(rows["en", "train"]) == 10000
    tokens, tags = List(Value("string")), List(ClassLabel(names=TAGS))
    assert rows["th", "test"].features == Features({"tokens": tokens, "pos_tags": tags, "uid": Value("int64")})
    for data in rows.values():
        assert [len(one) for one in data["tokens"]] == [len(one) for one in data["pos_tags"]]


def test_a_tag_means_what_it_says(real_data: Path) -> None:
    row = udpos.load("af", "test", real_data)[0]
    assert row["tokens"] == "Verlede jaar het ons ons eerste resessie in 17 jaar ervaar .".split()
    named = [TAGS[tag] for tag in row["pos_tags"]]
    assert named == "ADJ NOUN AUX PRON PRON ADJ NOUN ADP SYM NOUN VERB PUNCT".split()


def test_the_task_has_the_thirty_three_languages_of_xtreme_each_with_its_name_on_the_hub() -> None:
    assert len(set(udpos.languages)) == 33
    assert len(set(NAMES.values())) == 33
    assert (NAMES["eu"], NAMES["fa"], NAMES["tl"]) == ("Basque", "Persian", "Tagalog")
