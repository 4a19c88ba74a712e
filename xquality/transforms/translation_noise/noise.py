"""TranslationNoise: simulated machine-translation error in text columns."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar, Self, final

from datasets import Dataset

from xquality import _settings
from xquality.data.rows import Change, Rows
from xquality.errors import SettingError
from xquality.randomness import Draw
from xquality.transforms.base import Transform
from xquality.transforms.translation_noise.batch import cut, joined, noised
from xquality.transforms.translation_noise.calibration import Calibration, calibrated
from xquality.transforms.translation_noise.recipe import DEFAULT_ANSWERS, Recipe
from xquality.transforms.translation_noise.strikes import ROW_KINDS, WORD_KINDS
from xquality.transforms.translation_noise.vocabulary import Vocabulary

_DEFAULT = ("omission", "repetition", "reordering", "entity", "truncation", "hallucination")


@final
@dataclass(frozen=True)
class TranslationNoise(Transform):
    """Make the errors of a poor machine translation in text columns, keyed by row and position.

    Units are words, or written characters in Chinese, Japanese, Thai and other scripts without spaces; in a column of
    tokens each token is one. Each unit is struck with probability `severity`, and then by one of the kinds for units
    that can strike it, each as likely; each row is struck alike by the kinds for rows. What strikes at a low severity
    strikes alike at a higher one; it need not do more damage there, since moving all units brings some of them back to
    their neighbours. Edits are spans of the original text: every byte between them stays as it was. Punctuation keeps
    its place, but an omitted unit takes the gap before it along (the first one, the gap after it). No text loses all
    its units.

    For units: "omission"; "repetition"; "reordering" by up to three places (Lample et al. 2018); "wrong_word", one
    about as frequent, from a `vocabulary`; "untranslated", the unit at the same share of a `parallel` column; "entity",
    a digit of a number changed or two letters of a name swapped (scripts without capitals show only numbers).
    For rows: "truncation" of up to half of the units, "hallucination" of a tail that says a phrase of the row two or
    three times more (the oscillation that Raunak et al. 2021 describe).

    The record counts the errors in what comes out; its rate is that of the units struck, or of the texts where all
    kinds are for rows. It names the columns that `followed`.

    Attributes:
        severity: the probability that a unit, and that a row, is struck.
        columns: the columns of text, or of lists of tokens.
        errors: the kinds of error.
        vocabulary: `Vocabulary.fit(...)` on the full data, for "wrong_word".
        parallel: for "untranslated", the column with the source text of each column.
        context: the column that `answers` point into.
        answers: a column of answers, `{text: [..], answer_start: [..]}`, whose offsets move along with the context,
            where the data have it and `context` is among the columns. An answer without a text stays as it is.
        lost: what becomes of a row whose answer is not whole after the edits: "keep_original" leaves its context as it
            was, "drop" removes the row, "error" raises. A row that is lost at one severity need not be at a higher one,
            so these rows do not nest.
        tags: the columns whose lists follow a column of tokens; None for every list of class labels, () for none. BIO
            stays valid where tokens move; a token tagged -100 stands outside every span.
        calibration: what `calibrate` found; it changes nothing.
        stream: tells apart several calls with one seed.

    Raises:
        SettingError: for a severity outside [0, 1], unknown kinds, a kind without the vocabulary or the column that it
            needs, or tags without one column of tokens that they follow.
        ColumnError: for a column that is missing, holds no text or says what the rows are (`uid`, first values), for
            tags of other lengths than the tokens, and for offsets that would go stale.
        LabelError: for an answer that does not stand at its offset, one that is lost where `lost` is "error", a token
            without a class (null or -1), or tags of another scheme than BIO.

    Example:
        >>> from xquality import toy
        >>> data = toy.topics.load("es", "train")
        >>> noisy = TranslationNoise(0.3, columns=("text",), errors=("omission",))(data, seed=1)
        >>> data["text"][2]
        'La lista de Tokio incluía hotel, campeonato y guitarra.'
        >>> noisy["text"][2]
        'La lista de Tokio incluía, campeonato y guitarra.'
    """

    per_row = True
    strength: ClassVar[tuple[str, ...]] = ("severity",)
    partial: ClassVar[bool] = True

    severity: float
    columns: tuple[str, ...] = ("text",)
    errors: tuple[str, ...] = _DEFAULT
    vocabulary: Vocabulary | None = None
    parallel: tuple[str, ...] | None = None
    context: str = "context"
    answers: str = DEFAULT_ANSWERS
    lost: str = "keep_original"
    tags: tuple[str, ...] | None = None
    calibration: Calibration | None = None
    stream: int = 0

    def __post_init__(self) -> None:
        owner = "TranslationNoise"
        object.__setattr__(self, "severity", _settings.rate(owner, "severity", self.severity))
        for name in ("columns", "errors", "parallel", "tags"):
            object.__setattr__(self, name, self._names(name))
        for one in self.errors:
            _settings.one_of(owner, "errors", one, WORD_KINDS + ROW_KINDS)
        for name in ("context", "answers"):
            _settings.text(owner, name, getattr(self, name))
        _settings.one_of(owner, "lost", self.lost, ("keep_original", "drop", "error"))
        object.__setattr__(self, "stream", _settings.integer(owner, "stream", self.stream, least=0))
        for name, kind in (("vocabulary", Vocabulary), ("calibration", Calibration)):
            value = getattr(self, name)
            if isinstance(value, Mapping):  # as `to_dict` wrote it
                try:
                    object.__setattr__(self, name, kind(**value))
                except TypeError as fault:
                    raise SettingError(
                        f"{owner}({name}=...) cannot be made of {list(value)}; give a {kind.__name__}."
                    ) from fault
            elif value is not None and not isinstance(value, kind):
                raise SettingError(f"{owner}({name}=...) must be a {kind.__name__}, not {type(value).__name__}.")
        self._check_together()

    def _names(self, name: str) -> tuple[str, ...] | None:
        """Return a setting that holds names as a tuple; None where it is left out."""
        given = getattr(self, name)
        if given is None and name in ("parallel", "tags"):
            return None
        if isinstance(given, list | tuple) and not given and name == "tags":
            return ()  # no tags follow
        names = _settings.texts("TranslationNoise", name, given)
        if len(set(names)) < len(names) and name != "parallel":
            raise SettingError(f"TranslationNoise({name}={names!r}) must name each once.")
        return names

    def _check_together(self) -> None:
        """Raise where a kind lacks what it needs."""
        if "wrong_word" in self.errors and self.vocabulary is None:
            raise SettingError(
                "TranslationNoise chooses a 'wrong_word' from a vocabulary, but got none; give "
                "vocabulary=Vocabulary.fit(data, columns)."
            )
        if "untranslated" in self.errors and self.parallel is None:
            raise SettingError(
                "TranslationNoise leaves a word 'untranslated' by taking it from the source text, but got none; name "
                "its column in parallel=."
            )
        if self.parallel is not None and len(self.parallel) != len(self.columns):
            raise SettingError(
                f"TranslationNoise(parallel={self.parallel!r}) must name one column for each of {self.columns!r}."
            )
        both = [one for one in self.columns if one in (self.tags or ())]
        if both:
            raise SettingError(f"TranslationNoise makes errors in {both}, which cannot be tags as well; name others.")

    @classmethod
    def calibrate(
        cls,
        data: Dataset,
        columns: Sequence[str] = ("text",),
        *,
        chrf: float | None = None,
        bleu: float | None = None,
        seed: int = 0,
        rows: int = 500,
        **settings: object,
    ) -> Self:
        """Return the noise whose severity gives a wanted score against the clean text, to within one point.

        The score is sacrebleu's for the whole sample, with the noisy text as the hypothesis and the clean text as its
        reference; rows that are dropped for a lost answer are left out of both. BLEU counts characters where most units
        are written characters, else words. Where several severities give the score, it is the lowest: the search goes
        up by eighths to the first that falls to the score, and halves the step below it.

        Args:
            data: the clean data, best all of them: the sample is keyed by uid.
            columns: the columns to make errors in.
            chrf: the wanted chrF, in (0, 100).
            bleu: instead, the wanted BLEU.
            seed: the seed of the sample and of the errors while searching.
            rows: how many rows to search on, at most.
            settings: the other fields of the noise, such as `errors` and `vocabulary`.

        Raises:
            SettingError: for neither or both scores, one out of range, or one that these errors cannot reach; for a
                field that the noise has not, or that calibration itself finds.

        Example:
            >>> from xquality import toy
            >>> noise = TranslationNoise.calibrate(toy.topics.load("es", "train"), chrf=70)
            >>> abs(noise.calibration.reached - 70) <= 1
            True
        """
        owner = "TranslationNoise.calibrate"
        others = {one.name for one in dataclasses.fields(cls)} - {"severity", "columns", "calibration"}
        if not set(settings) <= others:
            raise SettingError(
                f"{owner} finds the severity, and takes {sorted(others)} besides; it got {sorted(settings)}."
            )
        base = cls(1.0, _settings.texts(owner, "columns", columns), **settings)  # type: ignore[arg-type]  # checked by the class itself
        found, calibration = calibrated(
            lambda severity: dataclasses.replace(base, severity=severity), data, base.columns, chrf, bleu, seed, rows
        )
        return dataclasses.replace(base, severity=found, calibration=calibration)

    def apply(self, rows: Rows, draw: Draw) -> Change:
        """Make the errors, one batch after the other."""
        recipe = Recipe.of(
            rows,
            severity=self.severity,
            errors=self.errors,
            columns=self.columns,
            vocabulary=self.vocabulary,
            parallel=self.parallel,
            context=self.context,
            answers=self.answers,
            lost=self.lost,
            tags=self.tags,
        )
        batches = [
            noised(
                recipe,
                dataclasses.replace(rows, table=rows.table.slice(start, end - start)),
                draw.of(draw.uids[start:end]),
            )
            for start, end in cut(rows.table.select([*recipe.written, *recipe.parallel.values()]))
        ]
        return joined(rows, batches, recipe)
