"""BIO taggings: which tag may follow which, and the most probable valid tagging."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, final

import numpy as np

from xquality.data.arrow import Floats, Indices, Mask


@final
@dataclass(frozen=True)
class Grammar:
    """Which tag may follow which: an I needs a B or an I of its type before it, in the same sentence.

    Tags without BIO, such as parts of speech, may follow each other in any way.

    Attributes:
        names: the names of the tags.
        follows: whether tag j may follow tag i, shape (tags + 1, tags); the last row is the start of a sentence.

    Example:
        >>> Grammar.of(["O", "B-X", "I-X"]).follows.astype(int).tolist()
        [[1, 1, 0], [1, 1, 1], [1, 1, 1], [1, 1, 0]]
    """

    names: tuple[str, ...]
    follows: Mask = field(repr=False, compare=False)

    @classmethod
    def of(cls, names: Sequence[str]) -> "Grammar":
        """Return the grammar of some tags; they have BIO where one of them begins with "B-"."""
        follows = np.ones((len(names) + 1, len(names)), np.bool_)
        if any(one.startswith("B-") for one in names):
            for place, name in enumerate(names):
                if name.startswith("I-"):
                    follows[:, place] = [one in (f"B-{name[2:]}", name) for one in (*names, "")]
        return cls(tuple(names), follows)

    def fault(self, tags: Indices, starts: Mask) -> int | None:
        """Return the first token whose tag may not stand where it stands; None where all may.

        Args:
            tags: of all sentences, shape (tokens,).
            starts: which tokens begin a sentence, shape (tokens,).
        """
        before = np.concatenate([[len(self.names)], tags[:-1]])
        before[starts] = len(self.names)
        wrong = np.flatnonzero(~self.follows[before, tags])
        return int(wrong[0]) if len(wrong) else None

    def most_probable(self, tags: Indices, starts: Mask, free: Indices, probabilities: Floats) -> Indices:
        """Return the valid tagging of the highest probability in which only some tokens differ.

        The tagging as given must be valid; where nothing else fits between its neighbours a token keeps its tag.

        Args:
            tags: of all sentences, shape (tokens,).
            starts: which tokens begin a sentence, shape (tokens,).
            free: the tokens that may change, ascending.
            probabilities: of every tag for each of these, shape (free, tags).
        """
        best = tags.copy()
        if self.follows.all():
            best[free] = probabilities.argmax(axis=1)
            return best
        scores = np.log(np.maximum(probabilities, np.finfo(np.float64).tiny))
        breaks = np.flatnonzero((np.diff(free) > 1) | starts[free[1:]]) + 1
        for run, score in zip(np.split(free, breaks), np.split(scores, breaks), strict=True):
            if len(run):
                best[run] = self._run(best, starts, run, score)
        return best

    def _run(self, tags: Indices, starts: Mask, run: Indices, scores: Floats) -> list[Any]:
        """Return the best tags of neighbouring tokens between two that stay (Viterbi's algorithm)."""
        first, after, inner = int(run[0]), int(run[-1]) + 1, self.follows[:-1]
        value = np.where(self.follows[-1 if starts[first] else tags[first - 1]], scores[0], -np.inf)
        back = []
        for score in scores[1:]:
            ways = np.where(inner, value[:, None], -np.inf)
            back.append(ways.argmax(axis=0))
            value = ways.max(axis=0) + score
        if after < len(tags) and not starts[after]:
            value = np.where(inner[:, tags[after]], value, -np.inf)
        chosen = [int(value.argmax())]
        for step in reversed(back):
            chosen.append(int(step[chosen[-1]]))
        return chosen[::-1]
