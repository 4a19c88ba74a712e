"""Answers: spans of a text that move along when the text is written anew."""

from dataclasses import dataclass
from typing import Self, final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from xquality.data.arrow import Indices, Mask, list_lengths, make_lists_like
from xquality.errors import LabelError
from xquality.transforms.translation_noise.pieces import cells
from xquality.transforms.translation_noise.segmentation import Bytes, Units, bytes_of
from xquality.transforms.translation_noise.texts import Written


@final
@dataclass(frozen=True)
class Answers:
    """The answers of some rows, found in the bytes of their texts; those without a text are left out.

    Attributes:
        given: structs of `text` and `answer_start`, shape (rows,); offsets count code points.
        row: the row of each answer, shape (answers,).
        place: where among all offsets its own stands, shape (answers,).
        start: its first byte, counted from the first row's, shape (answers,).
        end: the byte after its last, shape (answers,).
    """

    given: pa.StructArray
    row: Indices
    place: Indices
    start: Indices
    end: Indices

    @classmethod
    def of(cls, owner: str, given: pa.StructArray, units: Units, uids: pa.Array) -> Self:
        """Find every answer in its text.

        Args:
            owner: who asks, for messages.
            given: structs of `text` and `answer_start`, shape (rows,).
            units: the units of the texts.
            uids: the rows' uids, for messages.

        Raises:
            LabelError: for an answer without an offset, or one that does not stand at its offset.
        """
        texts, starts = pc.struct_field(given, "text"), pc.struct_field(given, "answer_start")
        counts, others = list_lengths(texts), list_lengths(starts)
        if (counts != others).any():
            row = int(np.argmax(counts != others))
            raise LabelError(
                f"{owner} moves each answer by its offset, but there are {counts[row]} texts and {others[row]} offsets "
                f"in the row with the uid {uids[row].as_py()!r}; mend or drop such rows."
            )
        row_of = np.repeat(np.arange(len(given)), counts)
        said, begin = texts.flatten().cast(pa.large_string()), starts.flatten().cast(pa.int64())
        if said.null_count or begin.null_count:
            row = int(row_of[np.argmax(pc.or_(said.is_null(), begin.is_null()))])
            raise LabelError(
                f"{owner} moves each answer by its offset, but one of them is null in the row with the uid "
                f"{uids[row].as_py()!r}; mend or drop such rows."
            )
        size, offset = (np.asarray(one.to_numpy(), np.int64) for one in (pc.binary_length(said), begin))
        place = np.flatnonzero(size > 0)
        row_of, size, offset, said = row_of[place], size[place], offset[place], said.take(pa.array(place))
        heads = _characters(units.data)
        first = np.searchsorted(heads, units.bounds)
        inside = (offset >= 0) & (offset + pc.utf8_length(said).to_numpy() <= np.diff(first)[row_of])
        start = np.append(heads, len(units.data))[first[row_of] + np.where(inside, offset, 0)]
        end = np.minimum(start + size, units.bounds[row_of + 1])
        right = inside & pc.equal(cells(units.data, start, end), said).to_numpy(zero_copy_only=False)
        if not right.all():
            wrong = int(np.argmin(right))
            raise LabelError(
                f"{owner} found the answer {said[wrong].as_py()!r}, which does not stand at {offset[wrong]} of its "
                f"context, in the row with the uid {uids[int(row_of[wrong])].as_py()!r}; mend or drop such rows."
            )
        return cls(given, row_of, place, start, end)

    def followed(self, written: Written, new: pa.Array) -> tuple[pa.StructArray, Mask, Mask]:
        """Return the answers with the offsets they have in the new texts.

        Args:
            written: the pieces of the new texts.
            new: the new texts, shape (rows,).

        Returns:
            The answers, which rows' offsets moved, and which rows' answers are not whole any more; theirs stay as
            they were.
        """
        lost, moved = np.zeros(len(new), np.bool_), np.zeros(len(new), np.bool_)
        if not len(self.row):
            return self.given, moved, lost
        found = written.moved(self.start, self.end)
        lost[self.row[found < 0]] = True
        data, bounds = bytes_of(new)
        heads = _characters(data)
        fresh = np.searchsorted(heads, found) - np.searchsorted(heads, bounds)[self.row]
        starts = pc.struct_field(self.given, "answer_start")
        offsets = np.array(starts.flatten().to_numpy(), np.int64)
        fresh = np.where(lost[self.row], offsets[self.place], fresh)
        moved[self.row[fresh != offsets[self.place]]] = True
        offsets[self.place] = fresh
        values = make_lists_like(starts, pa.array(offsets).cast(starts.type.value_type), list_lengths(starts))
        fields = list(self.given.type)
        parts = [values if one.name == "answer_start" else pc.struct_field(self.given, one.name) for one in fields]
        return pa.StructArray.from_arrays(parts, fields=fields, mask=self.given.is_null()), moved, lost


def _characters(data: Bytes) -> Indices:
    """Return the first byte of every character, in order."""
    return np.flatnonzero((data & 0xC0) != 0x80)
