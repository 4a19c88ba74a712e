"""UD POS: the part of speech of every word in thirty-three languages, from Universal Dependencies.

The Hub's rows are not the official ones: they hold the syntactic words of every sentence, where XTREME keeps written
words that are fused ("du", "dámelo") as one word with one part of speech, so that scores on them are not XTREME's in
the languages that fuse (ar, de, es, fr, he, it, pt, tr and others). For the official rows put the folder
`ud-treebanks-v2.5` of the release (lindat.mff.cuni.cz, handle 11234/1-3105) below the root: it is read first, all
treebanks of a language joined as XTREME joins them; what a partial release lacks is read from the other rows. XTREME
trains on English (21,253 sentences); Kazakh, Thai, Tagalog and Yoruba have no validation split.

Where a treebank splits a written word into syntactic ones ("du" into "de" and "le"), XTREME keeps the written word and
gives it the part of speech of one of the others: of the one with the fewest ancestors in the sentence's graph, and
among equals of the first by a list of precedence, of which Spanish, French and Italian have their own. Ancestors are
counted over basic and enhanced dependencies together. This is what the ud-conversion-tools do that XTREME ships; where
they fail (a part of speech that the list does not name), such a part of speech comes last here.

Licence: per treebank, mostly CC BY-SA and CC BY-NC-SA.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Annotated, ClassVar, final

from datasets import ClassLabel, Dataset, Features, List, Value

from xquality._settings import Name, check_settings
from xquality.data.local_files import find_files, line_error, local_root, read_lines
from xquality.data.source import Source, check_source
from xquality.errors import SourceError, warn
from xquality.heads import TokenHead
from xquality.tasks.base import Task, xtreme_bundle
from xquality.tasks.shapes import to_tagged_tokens

# In the order of the classes on the Hub.
UPOS = tuple("ADJ ADP ADV AUX CCONJ DET INTJ NOUN NUM PART PRON PROPN PUNCT SCONJ SYM VERB X".split())

_NAMES = (
    "af:Afrikaans ar:Arabic bg:Bulgarian de:German el:Greek en:English es:Spanish et:Estonian eu:Basque fa:Persian "
    "fi:Finnish fr:French he:Hebrew hi:Hindi hu:Hungarian id:Indonesian it:Italian ja:Japanese kk:Kazakh ko:Korean "
    "mr:Marathi nl:Dutch pt:Portuguese ru:Russian ta:Tamil te:Telugu th:Thai tl:Tagalog tr:Turkish ur:Urdu "
    "vi:Vietnamese yo:Yoruba zh:Chinese"
)
NAMES = dict(pair.split(":") for pair in _NAMES.split())

_PRECEDENCE = {
    "es": "VERB AUX PRON ADP DET".split(),
    "fr": "VERB AUX PRON NOUN ADJ ADV ADP DET PART SCONJ CONJ".split(),
    "it": "VERB AUX ADV PRON ADP DET INTJ".split(),
}
_USUAL_PRECEDENCE = "VERB NOUN PROPN PRON ADJ NUM ADV INTJ AUX ADP DET PART CCONJ SCONJ X PUNCT".split()
# Numbers have at most 9 digits: no sentence is longer, and Python refuses to read integers of thousands of digits.
_ID = re.compile(r"(?P<word>[1-9][0-9]{0,8})(?:-(?P<last>[1-9][0-9]{0,8}))?|[0-9]{1,9}\.[1-9][0-9]{0,8}")
_NUMBER = re.compile(r"[0-9]{1,9}")
_LONGEST = 20_000  # words of a sentence with fused ones, whose ancestors are counted in memory of its square
_COLUMNS = 10
_FILE = re.compile(r"(?P<language>[a-z]+)_\w+-ud-(?P<split>train|dev|test)(-[\w-]+)?\.conllu")
_FEATURES = Features({"tokens": List(Value("string")), "pos_tags": List(ClassLabel(names=list(UPOS)))})

TaggedSentence = tuple[list[str], list[str]]  # words and their parts of speech


@final
@dataclass(frozen=True)
class TreebankSource:
    """The files of a release of Universal Dependencies below the root; what it does not hold comes from other rows.

    All treebanks of a language are read, sorted by the names of their files, as XTREME does.

    Attributes:
        rows: where rows come from without a release, or where it lacks the language or the split.
        folder: the release's folder below the root, as its archive unpacks.
    """

    names: ClassVar[Mapping[str, str]] = {"validation": "dev"}

    rows: Annotated[Source, check_source]
    folder: Name = "ud-treebanks-v2.5"

    def __post_init__(self) -> None:
        check_settings(self)

    def load(self, language: str, split: str, root: str | Path | None) -> Dataset:
        """Return `tokens` and `pos_tags` of one split.

        Raises:
            SourceError: where neither the release nor the other rows have the language and the split.
            DamagedError: where a file is no CoNLL-U, naming the line.

        Warns:
            UserWarning: where the release holds only other splits of the language, so that words may be divided
                differently in the two.
        """
        files = find_files(root, self.folder, "*/{name}_*.conllu", language)
        if files is None:
            return self.rows.load(language, split, root)
        by_split: dict[str, list[Path]] = {}
        for file in files:
            if (name := _FILE.fullmatch(file.name)) and name["language"] == language:
                by_split.setdefault(name["split"], []).append(file)
        wanted = self.names.get(split, split)
        if wanted not in by_split:
            return self._load_other(language, split, root, sorted(by_split))
        sentences = [sentence for file in by_split[wanted] for sentence in read_conllu(file, language)]
        tags = [[UPOS.index(tag) for tag in tags] for _, tags in sentences]
        return Dataset.from_dict({"tokens": [words for words, _ in sentences], "pos_tags": tags}, features=_FEATURES)

    def _load_other(self, language: str, split: str, root: str | Path | None, released: list[str]) -> Dataset:
        """Return rows that are not of the release, which holds the splits `released` of this language."""
        place = Path(local_root(root) or Path(), self.folder)
        try:
            data = self.rows.load(language, split, root)
        except SourceError as fault:
            raise SourceError(
                f"{place} has no {self.names.get(split, split)!r} files of {language!r} (there are {released}), and "
                f"other rows are not there either: {fault}"
            ) from fault
        if released:
            warn(
                f"{place} holds {', '.join(released)} of {language!r} but not {split!r}, which is read from other "
                "rows; these may divide words differently, so add the treebank's other files."
            )
        return data


@final
@dataclass(frozen=True)
class _Word:
    """A syntactic word: its form, its part of speech, and its direct ancestors (0 is above the root)."""

    form: str
    tag: str
    heads: tuple[int, ...]


@final
@dataclass
class _Sentence:
    """A sentence while it is read."""

    words: list[_Word] = field(default_factory=list)
    fused: list[tuple[int, int, str]] = field(default_factory=list)  # first word, last word, form

    def choose_word(self, first: int, last: int, ancestors: Sequence[int], precedence: Sequence[str]) -> int:
        """Return the word whose part of speech a fused word gets, given the number of ancestors of each word."""
        fewest = min(ancestors[first : last + 1])
        highest = [word for word in range(first, last + 1) if ancestors[word] == fewest]
        return min(highest, key=lambda word: _rank(self.words[word - 1].tag, precedence))  # of equals the first

    def written_words(self, precedence: Sequence[str]) -> TaggedSentence:
        """Return the written words with their parts of speech."""
        forms: list[str] = []
        tags: list[str] = []
        starts = {first: (last, form) for first, last, form in self.fused}
        ancestors = count_ancestors([(), *(word.heads for word in self.words)]) if starts else []
        word = 1
        while word <= len(self.words):
            last, form = starts.get(word, (word, self.words[word - 1].form))
            tagged = self.choose_word(word, last, ancestors, precedence) if last > word else word
            forms.append(form)
            tags.append(self.words[tagged - 1].tag)
            word = last + 1
        return forms, tags


def count_ancestors(heads: Sequence[Sequence[int]]) -> list[int]:
    """Return how many other nodes are above each node of a graph, in which there may be cycles.

    The strongly connected components come out of Tarjan's algorithm with those above first, so that the set of nodes
    above each, one bit a node, is the union of few others.

    Args:
        heads: the direct ancestors of each node, as numbers of nodes.

    Example:
        >>> count_ancestors([(), (0,), (1, 0), (2, 4), (3,)])
        [0, 1, 2, 4, 4]
    """
    above: list[int] = [0] * len(heads)  # of each node whose component is complete: its component, and all above
    counts = [0] * len(heads)
    found: dict[int, int] = {}  # when each node was first seen
    lowest: dict[int, int] = {}
    complete: set[int] = set()
    component: list[int] = []
    for start in range(len(heads)):
        path = [] if start in found else [(start, iter(heads[start]))]
        while path:
            node, waiting = path[-1]
            if node not in found:
                found[node] = lowest[node] = len(found)
                component.append(node)
            unseen = next((head for head in waiting if head not in found), None)
            if unseen is not None:
                path.append((unseen, iter(heads[unseen])))
                continue
            path.pop()
            lowest[node] = min([lowest[node], *(lowest[head] for head in heads[node] if head not in complete)])
            if lowest[node] < found[node]:
                continue
            members = [component.pop()]
            while members[-1] != node:
                members.append(component.pop())
            union = 0
            for member in members:
                union |= 1 << member
                for head in heads[member]:
                    union |= above[head]
            for member in members:
                above[member], counts[member] = union, union.bit_count() - 1
            complete.update(members)
    return counts


def _rank(tag: str, precedence: Sequence[str]) -> int:
    """Return a part of speech's place in the list, after all others where it is not named."""
    return precedence.index(tag) if tag in precedence else len(precedence)


def read_conllu(file: Path, language: str) -> list[TaggedSentence]:
    """Return the sentences of a CoNLL-U file as written words and their parts of speech.

    As in XTREME, sentences whose words are (almost) all hidden behind "_" are left out, and words lose their inner
    blanks and the character U+200C (but a word of nothing else keeps it). The last sentence may lack the empty line
    that ends it.

    Args:
        file: the file.
        language: the language's code, for the order of precedence.

    Raises:
        DamagedError: for a file that is no CoNLL-U, naming the line.
    """
    precedence = _PRECEDENCE.get(language, _USUAL_PRECEDENCE)
    sentences = []
    for number, sentence in _read_sentences(file):
        forms, tags = sentence.written_words(precedence)
        hidden = forms.count("_")
        if hidden and hidden >= len(forms) - 1:
            continue
        unknown = [tag for tag in tags if tag not in UPOS]
        if unknown:
            what = f"a word of the sentence that ends here has the part of speech {unknown[0]!r}"
            raise line_error(file, number, what)
        sentences.append(([form.replace("\u200c", "").replace(" ", "") or form for form in forms], tags))
    return sentences


def _read_sentences(file: Path) -> Iterator[tuple[int, _Sentence]]:
    """Yield each sentence with the number of the line that ends it."""
    sentence = _Sentence()
    number = 0
    for number, line in enumerate(read_lines(file), start=1):
        if line.startswith("#"):
            continue
        if line:
            _add_line(sentence, line, file, number)
            continue
        if sentence.words or sentence.fused:
            _check_sentence(sentence, file, number)
            yield number, sentence
        sentence = _Sentence()
    if sentence.words or sentence.fused:
        _check_sentence(sentence, file, number)
        yield number, sentence


def _add_line(sentence: _Sentence, line: str, file: Path, number: int) -> None:
    """Add one line to a sentence."""
    columns = line.split("\t")
    if len(columns) != _COLUMNS:
        raise line_error(file, number, f"{_COLUMNS} columns were expected, but there are {len(columns)}")
    name, form, tag, head, dependencies = (columns[place] for place in (0, 1, 3, 6, 8))
    found = _ID.fullmatch(name)
    if not found:
        raise line_error(file, number, f"{name!r:.40} is no word's number")
    if found["word"] is None:  # an empty node, which is not written
        return
    if not form.strip():
        raise line_error(file, number, f"the word {name} has no form")
    first, expected = int(found["word"]), len(sentence.words) + 1
    if first != expected:
        raise line_error(file, number, f"the word {expected} was expected, but it is {name!r}")
    if found["last"]:
        last = int(found["last"])
        if last <= first or (sentence.fused and sentence.fused[-1][1] >= first):
            raise line_error(file, number, f"{name!r} is no range of words, or overlaps the one before")
        sentence.fused.append((first, last, form))
        return
    if head != "_" and not _NUMBER.fullmatch(head):
        raise line_error(file, number, f"the head {head!r:.40} is no word's number")
    # Heads that are empty nodes, such as 5.1, do not count.
    heads = [head, *(dependency.split(":")[0] for dependency in dependencies.split("|"))]
    if any(name.isdigit() and not _NUMBER.fullmatch(name) for name in heads):
        raise line_error(file, number, "a dependency has a head that is no word's number")
    numbers = dict.fromkeys(int(name) for name in heads if _NUMBER.fullmatch(name))
    sentence.words.append(_Word(form, tag, tuple(numbers)))


def _check_sentence(sentence: _Sentence, file: Path, number: int) -> None:
    """Raise where a sentence points outside itself."""
    length = len(sentence.words)
    if sentence.fused and length > _LONGEST:
        raise line_error(file, number, f"the sentence that ends here has {length} words, more than {_LONGEST}")
    if any(head > length for word in sentence.words for head in word.heads):
        raise line_error(file, number, f"a head in the sentence that ends here is not among its {length} words")
    if sentence.fused and sentence.fused[-1][1] > length:
        raise line_error(file, number, f"a range in the sentence that ends here goes beyond its {length} words")


udpos = Task(
    name="udpos",
    languages=tuple(NAMES),
    source_language="en",
    source=TreebankSource(xtreme_bundle("udpos/{language}", "udpos.{language}", NAMES)),
    head=TokenHead(UPOS, tags="pos_tags", metrics=("f1", "precision", "recall", "accuracy")),
    normalise=partial(to_tagged_tokens, tags="pos_tags", names=UPOS),
    citation="Nivre et al. 2020, Universal Dependencies v2: An Evergrowing Multilingual Treebank Collection (LREC)",
)
