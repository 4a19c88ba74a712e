"""The rows of `phang2020.py`: caps, text of many languages, and what stands in for data that are not at hand."""

import re
from pathlib import Path

from datasets import Dataset, concatenate_datasets

import xquality as xq
from xquality.heads import MaskedLMHead
from xquality.models import tiny_encoder
from xquality.tasks import MemorySource, Task, anli_plus, sib200, udpos

MLM_LANGUAGES = ("eng_Latn", "deu_Latn", "spa_Latn", "rus_Cyrl", "tur_Latn", "vie_Latn", "zho_Hans", "swh_Latn")
TOY_SENTENCES = 3000  # of the stand-in for CCG
TOY_CATEGORIES = {
    "ADJ": "N/N", "ADP": "PP/NP", "ADV": r"S\S", "AUX": r"(S\NP)/(S\NP)", "CCONJ": "conj", "DET": "NP/N",
    "INTJ": "S/S", "NOUN": "N", "NUM": "N/N", "PART": r"(S\NP)/(S\NP)", "PRON": "NP", "PROPN": "N", "PUNCT": ".",
    "SCONJ": "S/S/S", "SYM": "N", "VERB": r"(S\NP)/NP", "X": "N",
}  # fmt: skip


def some(data: Dataset, count: int | None) -> Dataset:
    """Return at most so many of the rows, the same ones of parallel languages."""
    return data if count is None or count >= len(data) else xq.Subsample(n=count)(data, seed=0)


def rows(task: Task, split: str, language: str, root: Path | None, *, tiny: bool) -> Dataset:
    """Return a split; with --tiny, of ANLI+ what is there: the local folder has ANLI's development rows alone."""
    if task.name != anli_plus.name or not tiny:
        return task.load(language, split, root)
    found = {}
    for part in anli_plus.source.parts:
        if part.name.startswith("anli_r"):
            data = part.load("en", "validation", root)
            found[part.name] = data.select(range(0 if split == "train" else 1, len(data), 2))
        else:
            found[part.name] = part.load("en", split, root)
    whole = xq.concatenate(list(found.values()), names=list(found))
    return whole.select_columns(["uid", *task.head.reads])


def multilingual_text(root: Path | None) -> tuple[Task, Dataset]:
    """Return masked language modelling over unlabelled sentences of several languages, as a task and its rows."""
    text = [sib200.load(one, "train", root).select_columns(["text"]) for one in MLM_LANGUAGES]
    data = concatenate_datasets(text)
    return Task("mlm", ("many",), "many", MemorySource({("many", "train"): data}), MaskedLMHead()), data


def small_encoder(folder: Path, root: Path, steps: int) -> str:
    """Build the tiny encoder from SIB-200's unlabelled training sentences, which are parallel; return its folder."""
    parallel = {one: sib200.load(one, "train", root)["text"][:] for one in MLM_LANGUAGES}
    texts = [text for sentences in parallel.values() for text in sentences]
    return str(tiny_encoder(texts, folder=folder, parallel=parallel, pieces=8000, steps=steps))


def write_toy_ccg(folder: Path, root: Path) -> Path:
    """Write files of CCGbank's form: English words of UD with one category for each part of speech; a stand-in."""
    place = folder / "ccg"
    place.mkdir(parents=True, exist_ok=True)
    names = udpos.head.labels
    for split in ("train", "validation"):
        lines = []
        data = some(udpos.load("en", split, root), TOY_SENTENCES)
        for words, tags in zip(data["tokens"], data["pos_tags"], strict=True):
            if all(word.strip() and not re.search(r"[\s|]", word) for word in words):
                parts = ((word, names[tag], TOY_CATEGORIES[names[tag]]) for word, tag in zip(words, tags, strict=True))
                lines.append(" ".join(map("|".join, parts)))
        (place / f"{split}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return folder
