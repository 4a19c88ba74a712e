"""CCG supertagging: the lexical category of every word of the Wall Street Journal, from CCGbank, in English.

The corpus is licensed by the Linguistic Data Consortium (LDC2005T13) and is not on the Hub. Put its sentences below the
root as `ccg/train.txt` (sections 02 to 21), `ccg/validation.txt` (section 00) and `ccg/test.txt` (section 23). Each
line is a sentence, in either of two forms. With blanks between tokens, each of them a word, a part of speech and a
category, as the C&C tools write CCGbank:

    Pierre|NNP|N/N Vinken|NNP|N

Or with a tab between the words and their categories, as jiant reads it:

    Pierre Vinken<tab>N/N N

Rows have `tokens` and `tags`. The categories are not fixed by the task: they are all those that the files hold, in
alphabetical order: `ccg_with_categories(root)` gives the task a head for them.

Licence: LDC User Agreement.
"""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import final

from datasets import ClassLabel, Dataset, Features, List, Value

from xquality.data.local_files import find_files, line_error, read_lines
from xquality.errors import SourceError
from xquality.heads import TokenHead
from xquality.tasks.base import Task

TaggedSentence = tuple[list[str], list[str]]  # words and their categories

_PARTS = 3  # of a token: word, part of speech, category


def categories(root: str | Path | None = None) -> tuple[str, ...]:
    """Return every category of the local files, in alphabetical order: the labels for a head.

    Raises:
        SourceError: where there are no files.
        DamagedError: for a line of another form, naming it.
    """
    return _category_names(_read_splits(root))


@final
@dataclass(frozen=True)
class SupertagSource:
    """CCG supertagging from text files in a local folder, of which there is no copy elsewhere."""

    def load(self, language: str, split: str, root: str | Path | None) -> Dataset:  # noqa: ARG002 (English alone)
        """Return `tokens` and `tags` of one split.

        Raises:
            SourceError: where the files do not exist, with where to get them.
            DamagedError: for a line of another form, naming it.
        """
        splits = _read_splits(root)
        if split not in splits:
            raise SourceError(f"CCG has no split {split!r} here; there are {', '.join(splits)}.")
        names = _category_names(splits)
        numbers = {name: number for number, name in enumerate(names)}
        features = Features({"tokens": List(Value("string")), "tags": List(ClassLabel(names=list(names)))})
        words = [words for words, _ in splits[split]]
        tags = [[numbers[category] for category in tagged] for _, tagged in splits[split]]
        return Dataset.from_dict({"tokens": words, "tags": tags}, features=features)


def _read_splits(root: str | Path | None) -> dict[str, list[TaggedSentence]]:
    """Return the sentences of every split that has a file."""
    files = find_files(root, "ccg", "*.txt")
    if not files:
        raise SourceError(
            "CCG supertagging is read from local files alone: order CCGbank from the Linguistic Data Consortium "
            "(LDC2005T13), write its sentences to ccg/train.txt, ccg/validation.txt and ccg/test.txt as "
            "word|POS|category tokens, and name the folder above them by root= or XQUALITY_DATA."
        )
    return {file.stem: read_supertags(file) for file in files}


def _category_names(splits: dict[str, list[TaggedSentence]]) -> tuple[str, ...]:
    """Return the categories of all sentences, in alphabetical order."""
    return tuple(sorted({name for sentences in splits.values() for _, tagged in sentences for name in tagged}))


def read_supertags(file: Path) -> list[TaggedSentence]:
    """Return the sentences of a file; empty lines are skipped.

    Raises:
        DamagedError: for a line of another form, naming it.
    """
    return [_parse_line(file, number, line) for number, line in enumerate(read_lines(file), start=1) if line.strip()]


def _parse_line(file: Path, number: int, line: str) -> TaggedSentence:
    """Return one line's words and categories."""
    if "\t" in line:
        words, _, tags = line.partition("\t")
        sentence = words.split(), tags.split()
        valid = len(sentence[0]) == len(sentence[1]) > 0 and "\t" not in tags.strip()
    else:
        tokens = [token.rsplit("|", _PARTS - 1) for token in line.split()]
        sentence = [token[0] for token in tokens], [token[-1] for token in tokens]
        valid = all(len(token) == _PARTS and all(token) for token in tokens)
    if not valid:
        what = "tokens such as word|POS|category were expected, or words, a tab and as many categories"
        raise line_error(file, number, what)
    return sentence


ccg = Task(
    name="ccg",
    languages=("en",),
    source_language="en",
    source=SupertagSource(),
    evaluation_split="validation",
    citation="Hockenmaier and Steedman 2007, CCGbank: A Corpus of CCG Derivations (Computational Linguistics)",
)


def ccg_with_categories(root: str | Path | None = None) -> Task:
    """Return the task with a head for the categories that the local files hold, which can be trained.

    Raises:
        SourceError: where there are no files.
        DamagedError: for a line of another form, naming it.
    """
    return dataclasses.replace(ccg, head=TokenHead(categories(root), tags="tags", metrics=("accuracy",)))
