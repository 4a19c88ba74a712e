"""FunctionTransform: a transform made of a plain function of a row, or of a table."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from datasets import Value

from xquality import _settings
from xquality._settings import Flag, Stream, at_least, check_settings, optional
from xquality.data.arrow import Indices, read_integers, replace_column
from xquality.data.rows import Change, Count, Rows
from xquality.data.uids import UID
from xquality.errors import ColumnError, SerialisationError, SettingError, TransformError
from xquality.randomness import Draw, row_draws
from xquality.transforms.base import Named, Transform

Pairs = tuple[tuple[str, Any], ...]


@final
@dataclass(frozen=True, repr=False)
class NamedFunction:
    """A function as the setting of a transform: its name is written, its code is not.

    Example:
        >>> NamedFunction(len), NamedFunction(len)("four")
        (len, 4)
    """

    function: Callable[..., Any]

    @property
    def name(self) -> str:
        """The name under which the function was defined."""
        return str(self.function.__qualname__)

    def __call__(self, *arguments: Any, **settings: Any) -> Any:
        """Return what the function returns."""
        return self.function(*arguments, **settings)

    def __repr__(self) -> str:
        return self.name

    def to_dict(self) -> dict[str, Any]:
        """Return the name of the function, by which `xq.from_dict` finds it among those it is given.

        Raises:
            SerialisationError: where the function has no name.
        """
        if "<lambda>" in self.name:
            raise SerialisationError("A lambda has no name to be written with; define the function with def.")
        return self.summary()

    def summary(self) -> dict[str, Any]:
        """Return what a record keeps of the function."""
        return {"function": self.name}


def _check_function(owner: str, name: str, value: object) -> NamedFunction:
    """Return a function that has a name."""
    if isinstance(value, NamedFunction):
        return value
    if isinstance(value, Mapping) and "function" in value:
        raise SerialisationError(
            f"JSON names the function {value['function']!r} but does not hold its code; give the function in known=."
        )
    if not callable(value) or not hasattr(value, "__qualname__"):
        raise SettingError(
            f"{owner}({name}={value!r}) must be a function that was defined with def; what it is called with besides "
            "the row comes in settings=."
        )
    return NamedFunction(value)


def _check_columns(owner: str, name: str, value: object) -> tuple[str, ...]:
    """Return names of columns as a tuple, none of which is the uid."""
    names = _settings.texts(owner, name, value, least=0)
    if UID in names:
        raise SettingError(f"{owner}({name}={names!r}) cannot change {UID!r}, which identifies the rows.")
    return names


def _check_pairs(owner: str, name: str, value: Any) -> Pairs:
    """Return a mapping from names to plain values as sorted pairs, so that equal settings are equal values."""
    listed = value.items() if isinstance(value, Mapping) else value
    try:
        return tuple(sorted((_settings.text(owner, name, key), _freeze(item)) for key, item in listed))
    except (TypeError, ValueError) as fault:
        raise SettingError(
            f"{owner}({name}={value!r}) must map names to None, booleans, numbers, strings and lists of them."
        ) from fault


def _freeze(value: object) -> Any:
    """Return a plain value with tuples for lists."""
    if isinstance(value, list | tuple):
        return tuple(_freeze(item) for item in value)
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise TypeError(type(value).__name__)


def _check_adds(owner: str, name: str, value: Any) -> Pairs:
    """Return the names and the types of added columns as pairs."""
    pairs = _check_pairs(owner, name, value)
    for column, kind in pairs:
        try:
            Value(kind)
        except (TypeError, ValueError, AttributeError) as fault:
            raise SettingError(
                f"{owner}({name}={value!r}) must map columns to types such as 'string' or 'int64', but {column!r} has "
                f"{kind!r}."
            ) from fault
    return pairs


@final
@dataclass(frozen=True)
class FunctionTransform(Transform, Named):
    """A transform made of a plain function.

    The function takes a row as a dict and returns a dict with the values to change, or None to drop the row; columns
    that it leaves out stay as they are. First values are kept in `<column>_before`, as by every transform. Records and
    draws are named after the function.

    The function's code is not part of the value: give it another `version` when it starts to return other rows. JSON
    holds the function's name; `xq.from_dict(data, known=[function])` puts the function back.

    Attributes:
        function: defined with `def`, in a module where rows are to be transformed in other processes.
        columns: the columns that it may change; None for all but `uid` and those that keep first values. Name them:
            each gets a column `<column>_before`. An empty tuple is right for a function that only drops rows.
        settings: further keyword arguments of the function by name, plain JSON values; they are recorded.
        adds: columns that it adds, with their types, such as `{"length": "int64"}`.
        random: True gives the function a second argument, the random numbers of the row: `draw.uniform("purpose")` in
            [0, 1), `draw.integers("purpose", high)` below `high`, and `draw.generator("purpose")`, a numpy generator.
        per_row: False gives the function all rows at once as a `pyarrow.Table`, and with `random` a `Draw` for columns
            of random numbers. It returns a table with the column `uid`, no rows that were not there, and the columns
            that it changes.
        name: the name in records and draws; None for the function's.
        version: raise it when the function returns other rows than before.
        stream: separates the draws of several calls with one seed.

    Raises:
        SettingError: for a function without a name, or settings and types that are no plain values.
        ColumnError: for a missing column, a value that does not fit its column, or a null replaced by a value.
        TransformError: where the function returns no dict (or table), changes a column that is not among `columns`,
            adds one that is not among `adds`, or invents or repeats rows.

    Example:
        >>> from xquality import toy
        >>> def mask_digits(row, draw, rate):
        ...     return {"text": row["text"].replace("1", "#")} if draw.uniform("mask") < rate else {}
        >>> masked = FunctionTransform(mask_digits, columns=("text",), settings={"rate": 0.5}, random=True)
        >>> len(masked(toy.topics.load("es", "test"), seed=1))
        300
    """

    needs_all_rows: ClassVar[str] = "is a function of all rows (per_row=False)"

    function: Annotated[Callable[..., Any], _check_function]
    columns: Annotated[Sequence[str] | None, optional(_check_columns)] = None
    settings: Annotated[Mapping[str, Any] | Pairs, _check_pairs] = ()
    adds: Annotated[Mapping[str, str] | Pairs, _check_adds] = ()
    random: Flag = False
    per_row: Flag = True
    name: Annotated[str | None, optional(_settings.text)] = None
    version: Annotated[int, at_least(1)] = 1
    stream: Stream = 0

    def __post_init__(self) -> None:
        check_settings(self)
        if self.name is None and "<lambda>" in repr(self.function):
            raise SettingError(
                "FunctionTransform records the name of its function, but a lambda has none; define the function with "
                "def, or give name=."
            )

    @property
    def record_name(self) -> str:
        """The name in records and the scope of the draws."""
        return self.name or repr(self.function).rpartition(".")[2]

    def apply(self, rows: Rows, draw: Draw) -> Change:
        """Call the function, and write what it returned."""
        columns = self._columns(rows)
        if not len(rows):
            numbers, values = np.empty(0, np.int64), dict[str, Any]()
        else:
            numbers, values = self._call_on_rows(rows, draw) if self.per_row else self._call_on_table(rows, draw)
        table = rows.table if len(numbers) == len(rows) else rows.take(numbers)
        features, changed = dict[str, Any](), 0
        acted = np.zeros(len(numbers), np.bool_)
        for name in rows.features:
            current = Rows(table, rows.features, rows.owner, rows.num_proc, rows.start, rows.whole)
            present = current.column(name)
            new = self._cast(values[name], present.type, name) if name in values else present
            cells = current.changed_cells(name, new) if name in values else np.zeros(len(numbers), np.bool_)
            if name in columns:
                table, added = current.replace(name, new, cells)
                features.update(added)
            elif cells.any():
                raise TransformError(f"{self} changed {name!r}, which it does not declare; name it in columns.")
            changed, acted = changed + int(cells.sum()), acted | cells
        for name, kind in dict(self.adds).items():
            features[name] = Value(kind)
            new = values.get(name, [None] * len(numbers))
            table = replace_column(table, name, self._cast(new, features[name].pa_type, name))
        dropped = len(rows) - len(numbers)
        return Change(
            table, features, changed=changed, acted=dropped + int(acted.sum()), details={"dropped": Count(dropped)}
        )

    def _columns(self, rows: Rows) -> tuple[str, ...]:
        """Return the columns that the function may change, after checking that they are there and the added not."""
        there = [name for name in dict(self.adds) if name in rows.features]
        if there:
            raise ColumnError(f"{self} adds {there}, which the data have; name them in columns, or rename them.")
        if self.columns is None:
            kept = {UID, *(f"{name}_before" for name in rows.features)}
            return tuple(name for name in rows.features if name not in kept)
        for name in self.columns:
            rows.column(name)
        return tuple(self.columns)

    def _call_on_rows(self, rows: Rows, draw: Draw) -> tuple[Indices, dict[str, Any]]:
        """Return the numbers of the rows that the function keeps, and by column the values of these rows."""
        settings, before = dict(self.settings), rows.table.to_pylist()
        after = []
        for row, row_draw in zip(rows.table.to_pylist(), row_draws(draw), strict=True):  # a copy, which may be changed
            after.append(self.function(row, row_draw, **settings) if self.random else self.function(row, **settings))
        wrong = [result for result in after if result is not None and not isinstance(result, dict)]
        if wrong:
            raise TransformError(f"{self} returned {wrong[0]!r:.100} for a row; return a dict, or None to drop it.")
        numbers = np.array([number for number, result in enumerate(after) if result is not None], np.int64)
        names = dict.fromkeys(name for number in numbers for name in after[number])
        self._check_names(rows, names)
        return numbers, {
            name: [after[number].get(name, before[number].get(name)) for number in numbers] for name in names
        }

    def _call_on_table(self, rows: Rows, draw: Draw) -> tuple[Indices, dict[str, Any]]:
        """Return the numbers of the rows in the table that the function returns, and the columns of this table."""
        settings = dict(self.settings)
        after = self.function(rows.table, draw, **settings) if self.random else self.function(rows.table, **settings)
        if not isinstance(after, pa.Table) or UID not in after.column_names:
            raise TransformError(f"{self} returned {type(after).__name__}; return a pyarrow.Table with a uid column.")
        self._check_names(rows, after.column_names)
        uids = rows.column(UID).combine_chunks()
        found = pc.index_in(self._cast(after.column(UID), uids.type, UID), uids)
        if found.null_count or len(found.unique()) < len(found):
            raise TransformError(f"{self} returned rows that were not there, or some twice; keep each uid once.")
        numbers = read_integers(found)
        order = np.argsort(numbers)
        ordered = after.take(pa.array(order))
        return numbers[order], {name: ordered.column(name) for name in ordered.column_names}

    def _check_names(self, rows: Rows, names: Sequence[str] | dict[str, None]) -> None:
        """Raise where the function returns a column that is neither there nor declared."""
        known = {*rows.features, *dict(self.adds)}
        unknown = [name for name in names if name not in known]
        if unknown:
            raise TransformError(f"{self} returned {unknown}, which are no columns; declare their types in adds.")

    def _cast(self, values: Any, kind: pa.DataType, name: str) -> Any:
        """Return values of a column as an Arrow array of its type."""
        try:
            return values.cast(kind) if isinstance(values, pa.ChunkedArray) else pa.array(values, kind)
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as fault:
            raise ColumnError(f"{self} returned values for {name!r} that are no {kind}: {fault}.") from fault
