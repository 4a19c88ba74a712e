"""Recipe: what translation noise does to the columns that some data have."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self, final

from xquality.data.arrow import is_text, is_text_list
from xquality.data.rows import Rows
from xquality.data.uids import UID
from xquality.errors import ColumnError
from xquality.transforms.translation_noise.followers import answers_of, first_values, tags_of
from xquality.transforms.translation_noise.vocabulary import Vocabulary

DEFAULT_ANSWERS = "answers"  # moves along where it is there; any other name must be there


@final
@dataclass(frozen=True)
class Recipe:
    """What to do to a batch: the settings of the noise, met with the columns that the data have.

    Attributes:
        owner: who asks, for messages.
        severity: the probability that a unit or a row is struck.
        errors: the kinds of error.
        columns: the columns of text or tokens.
        vocabulary: where wrong words come from.
        parallel: the source text of each column, where it is needed.
        context: the column that answers point into.
        answers: the column of answers that follows; None where there is none.
        lost: what becomes of a row whose answer is lost.
        tags: the columns of tags that follow, with the names of their classes; the names of others are empty.
    """

    owner: str
    severity: float
    errors: tuple[str, ...]
    columns: tuple[str, ...]
    vocabulary: Vocabulary | None
    parallel: Mapping[str, str]
    context: str
    answers: str | None
    lost: str
    tags: Mapping[str, tuple[str, ...]]

    @classmethod
    def of(
        cls,
        rows: Rows,
        *,
        severity: float,
        errors: tuple[str, ...],
        columns: tuple[str, ...],
        vocabulary: Vocabulary | None,
        parallel: tuple[str, ...] | None,
        context: str,
        answers: str,
        lost: str,
        tags: tuple[str, ...] | None,
    ) -> Self:
        """Return what to do to the columns that the data have.

        Raises:
            ColumnError: for a column that is missing, holds something else, or may not be written.
            LabelError: for tags that cannot follow.
            SettingError: for tags without a column of tokens that they follow.
        """
        for name in (*columns, *(parallel or ())):
            kind = rows.column(name).type
            if not is_text(kind) and not is_text_list(kind):
                raise ColumnError(
                    f"{rows.owner} changes text or lists of tokens, but {name!r} holds {kind}; name others."
                )
        recipe = cls(
            owner=rows.owner,
            severity=severity,
            errors=errors,
            columns=columns,
            vocabulary=vocabulary,
            parallel=dict(zip(columns, parallel or (), strict=False)) if "untranslated" in errors else {},
            context=context,
            answers=answers_of(rows, columns, answers, context, asked=answers != DEFAULT_ANSWERS),
            lost=lost,
            tags=tags_of(rows, columns, tags),
        )
        for name in recipe.written:
            if name == UID or name in first_values(rows):
                raise ColumnError(
                    f"{rows.owner} may not change {name!r}, which says what the rows are or were; name others."
                )
            rows.check_first_values(name)
        return recipe

    @property
    def written(self) -> tuple[str, ...]:
        """The columns that get new values."""
        return (*self.columns, *self.tags, *((self.answers,) if self.answers else ()))
