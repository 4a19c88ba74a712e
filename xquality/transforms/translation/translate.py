"""TranslateTrain and RoundTripTranslation: rows after a passage through an engine, with what follows their text."""

import dataclasses
import functools
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, final

from datasets import Dataset

from xquality._settings import Flag, Name, Stream, check_settings, choice, instance, names_between, optional, texts
from xquality.data._datasets import table_of
from xquality.data.rows import Change, Distinct, Rows
from xquality.errors import DataKindError, SettingError
from xquality.languages import identity
from xquality.randomness import Draw
from xquality.transforms.base import Transform
from xquality.transforms.mix import DatasetSetting, check_dataset
from xquality.transforms.translation.alignment import WordAligner
from xquality.transforms.translation.passage import OneEngine, RoundTrip, check_translator
from xquality.transforms.translation.rows import Selection, translate_rows
from xquality.transforms.translation_noise.followers import DEFAULT_ANSWERS
from xquality.translators import Translator

_NEEDS_ALL_ROWS = (
    "has an engine whose translations depend on the other texts (unless it is in Cached), so it needs all rows"
)
_Columns = Annotated[tuple[str, ...], names_between(1)]
_Tags = Annotated[tuple[str, ...] | None, optional(functools.partial(texts, least=0))]
_Lost = Annotated[str, choice("drop", "keep_original", "error")]
_Aligner = Annotated[WordAligner | None, optional(instance(WordAligner))]


@final
@dataclass(frozen=True)
class TranslateTrain(Transform):
    """Translate columns of training rows from one language to another, by a real engine.

    A column holds one text on each row; or a list of texts (the options of multiple choice), which are translated each
    alone; or the tokens of a sentence, which are those lists that tags follow. Pairs are two columns. Labels stay as
    they are, and so does a null, an empty text or one of spaces. The first values are kept in `<column>_before`.

    Answers move with their context and tags with their tokens. The parts of the text are found again in the translation
    by `aligner` where one is given; else by the engine where it has marks, as Apertium has; else by brackets that are
    written around them and translated along (EasyProject, Chen et al. 2023). A part that comes back in several pieces
    is joined where at most three words stand between them, and no more than the pieces have. Every answer is at its
    offset; tags are valid in their scheme. In a scheme of tags without spans, such as parts of speech, each token of
    the translation has the tag of the source token that it came of, and -100 where there is none.

    The rows are of the target language afterwards: a `Stage` counts it as the one it was trained in. The record holds
    the engine, its version, both languages, and how many rows were lost and why.

    Each distinct text is translated once. With an engine that is context-free (see `translators.Translator`), such as
    any in `translators.Cached`, each row is treated alone, so streams and batches are translated too; with another one
    all rows are needed.

    Attributes:
        translator: the engine.
        source: the language of the rows, in any spelling: "en", "eng", "eng_Latn".
        target: the language to translate to.
        columns: the columns of texts, of lists of texts, or of tokens.
        context: the column that `answers` point into.
        answers: a column of answers, `{text: [..], answer_start: [..]}`, which follow the context where the data have
            it and `context` is among the columns. Of answers that overlap, the first is found again; others of a row
            are dropped beside it. An answer without a text stays as it is.
        tags: the columns whose lists follow a column of tokens; None for every list of class labels, () for none.
        lost: what is done with a row none of whose answers, or not all of whose tagged spans, are found again: "drop"
            removes the row, "keep_original" leaves all of it in the source language, "error" raises.
        aligner: aligns the words of both texts by an encoder; None to use marks or brackets.
        references: rows of the target language by people, with the same uids: chrF and BLEU against them are in the
            record, of at most 2,000 rows drawn by uid. JSON does not hold them.
        round_trip: True translates these rows back, and puts chrF and BLEU against the source texts into the record.
        stream: separates the calls of several transforms of this class with one seed; nothing is drawn.

    Raises:
        SettingError: where source and target are one language, a column is named twice, tags follow no column of tokens
            or each token would have to be found again by brackets.
        DataKindError: where `translator` is none, or the rows were loaded in another language than the source.
        ColumnError: for a column that is missing, holds no text, or identifies the rows or keeps first values, and for
            offsets that would go stale.
        LabelError: for an answer that is not at its offset, a token without a class (null or -1), tags of no known
            scheme, and a lost row where `lost` is "error".
        LanguagePairError: where the engine does not translate the pair.
        NotInstalledError, TranslationError: as the engine does.

    Example:
        >>> from datasets import Dataset
        >>> from xquality.translators import FunctionTranslator
        >>> def shout(texts, source, target):
        ...     return [text.upper() for text in texts]
        >>> answers = {"text": ["red"], "answer_start": [6]}
        >>> data = Dataset.from_list([{"context": "It is red.", "question": "What is it?", "answers": answers}])
        >>> shouting = FunctionTranslator(shout, "shout", "1")
        >>> translated = TranslateTrain(shouting, "en", "es", ("context", "question"))(data, seed=0)
        >>> translated[0]["context"], translated[0]["answers"]
        ('IT IS RED.', {'text': ['RED'], 'answer_start': [6]})
    """

    needs_all_rows: ClassVar[str] = _NEEDS_ALL_ROWS

    translator: Annotated[Translator, check_translator]
    source: Name
    target: Name
    columns: _Columns = ("text",)
    context: Name = "context"
    answers: Name = DEFAULT_ANSWERS
    tags: _Tags = None
    lost: _Lost = "drop"
    aligner: _Aligner = None
    references: Annotated[Dataset | DatasetSetting | None, optional(check_dataset)] = None
    round_trip: Flag = False
    stream: Stream = 0

    def __post_init__(self) -> None:
        check_settings(self)
        _check_different("TranslateTrain", source=self.source, target=self.target)

    @property
    def per_row(self) -> bool:  # type: ignore[override]  # a class attribute of most transforms
        """Whether each row is treated alone: whether the engine is context-free."""
        return self.translator.context_free

    def apply(self, rows: Rows, draw: Draw) -> Change:
        """Translate the columns."""
        passage = OneEngine(self.translator, self.source, self.target, self.aligner)
        passage.check()
        _check_languages(rows, self.source)
        back = OneEngine(self.translator, self.target, self.source) if self.round_trip else None
        if back is not None:
            back.check()
        translated = translate_rows(rows, draw, _select(self), passage)
        languages = [self.target, self.source] if translated.kept_original else [self.target]
        details: dict[str, Any] = {
            "engine": self.translator.version_of(self.source, self.target),
            "projection": passage.projection,
            "languages": Distinct(languages),
        }
        if self.references is not None:
            references = table_of(self.references.data)
            details["quality"] = translated.sample().against_references(rows.owner, self.columns, references)
        if back is not None:
            details["round_trip"] = translated.sample().against_sources(rows.owner, self.columns, back)
        return _add_details(translated.change, details)


@final
@dataclass(frozen=True)
class RoundTripTranslation(Transform):
    """Translate columns to a pivot language and back, so that the text is a paraphrase in its own language.

    It is what is often called back-translation. Columns, answers, tags and lost rows are treated as by `TranslateTrain`
    on both ways; a part that comes back in pieces from the pivot language is marked piece by piece on the way back. The
    language of the rows stays what it was. The record holds chrF and BLEU against the texts that went in, of at most
    2,000 rows drawn by uid.

    Attributes:
        translator: the engine to the pivot language, and back where `back` is None.
        source: the language of the rows.
        pivot: the language that they are translated to and from.
        columns: the columns of texts, of lists of texts, or of tokens.
        back: the engine for the way back; None for the same one.
        context: as in `TranslateTrain`.
        answers: as in `TranslateTrain`.
        tags: as in `TranslateTrain`.
        lost: as in `TranslateTrain`.
        aligner: as in `TranslateTrain`, on both ways.
        stream: separates the calls of several transforms of this class with one seed; nothing is drawn.

    Raises:
        SettingError: where source and pivot are one language.
        XqualityError: as `TranslateTrain` does, for both ways.

    Example:
        >>> from datasets import Dataset
        >>> from xquality.translators import FunctionTranslator
        >>> def turn(texts, source, target):
        ...     return [text.swapcase() + "!" for text in texts]
        >>> trip = RoundTripTranslation(FunctionTranslator(turn, "turn", "1"), "en", "es", ("text",))
        >>> trip(Dataset.from_dict({"text": ["a cat"]}), seed=0)["text"][:]
        ['a cat!!']
    """

    needs_all_rows: ClassVar[str] = _NEEDS_ALL_ROWS

    translator: Annotated[Translator, check_translator]
    source: Name
    pivot: Name
    columns: _Columns = ("text",)
    back: Annotated[Translator | None, optional(check_translator)] = None
    context: Name = "context"
    answers: Name = DEFAULT_ANSWERS
    tags: _Tags = None
    lost: _Lost = "drop"
    aligner: _Aligner = None
    stream: Stream = 0

    def __post_init__(self) -> None:
        check_settings(self)
        _check_different("RoundTripTranslation", source=self.source, pivot=self.pivot)

    @property
    def per_row(self) -> bool:  # type: ignore[override]  # a class attribute of most transforms
        """Whether each row is treated alone: whether both engines are context-free."""
        return self.translator.context_free and self._way_back.context_free

    @property
    def _way_back(self) -> Translator:
        """The engine for the way back."""
        return self.translator if self.back is None else self.back

    def apply(self, rows: Rows, draw: Draw) -> Change:
        """Translate the columns there and back."""
        there = OneEngine(self.translator, self.source, self.pivot, self.aligner)
        back = OneEngine(self._way_back, self.pivot, self.source, self.aligner)
        passage = RoundTrip(there, back)
        passage.check()
        _check_languages(rows, self.source)
        engines = [way.translator.version_of(way.source, way.target) for way in (there, back)]
        translated = translate_rows(rows, draw, _select(self), passage)
        details = {
            "engines": engines,
            "projection": [there.projection, back.projection],
            "quality": translated.sample().against_sources(rows.owner, self.columns),
        }
        return _add_details(translated.change, details)


def _select(transform: TranslateTrain | RoundTripTranslation) -> Selection:
    """Return the columns that a transform translates, and how those that follow are found."""
    return Selection(transform.columns, transform.context, transform.answers, transform.tags, transform.lost)


def _check_different(owner: str, **languages: str) -> None:
    """Raise where two settings name one language."""
    if len({identity(language) for language in languages.values()}) == 1:
        shown = ", ".join(f"{setting}={language!r}" for setting, language in languages.items())
        raise SettingError(f"{owner}({shown}) must name two different languages.")


def _check_languages(rows: Rows, source: str) -> None:
    """Raise where the rows are known to be of another language than the one they are translated from."""
    other = [language for language in rows.languages if identity(language) != identity(source)]
    if other:
        raise DataKindError(
            f"{rows.owner} translates from {source!r}, but the rows were loaded in {list(rows.languages)}; give the "
            "rows of one language, and name it in source=."
        )


def _add_details(change: Change, details: dict[str, Any]) -> Change:
    """Return a change with further details; without the way of projection where nothing was projected."""
    if "lost" not in change.details:
        details = {name: value for name, value in details.items() if name != "projection"}
    return dataclasses.replace(change, details={**details, **change.details})
