"""WordAligner: which words of two texts translate each other, by an encoder's states (as SimAlign does)."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, final

import numpy as np

from xquality._settings import at_least, check_settings, choice, integer, optional, show
from xquality.data.arrow import Floats, Mask
from xquality.errors import SettingError
from xquality.heads.embedding import check_layer, official_layer
from xquality.heads.tokenisation import Frame
from xquality.models import Model, load_encoder
from xquality.models.isolation import isolate
from xquality.models.model import on_best_device
from xquality.text.words import CharacterSpan

if TYPE_CHECKING:
    import torch

_WEAKER: Final = 0.9  # of the similarities of a word that is aligned already, as in SimAlign


def _check_encoder(owner: str, name: str, value: object) -> str:
    """Return the name of an encoder as a string."""
    if not isinstance(value, str | Path) or not str(value):
        raise SettingError(f"{owner}({name}={show(value)}) must be a local folder or a Hub id of an encoder.")
    return str(value)


@final
@dataclass(frozen=True)
class WordAligner:
    """Alignment of the words of a text and its translation by an encoder's states (Jalili Sabet et al. 2020, SimAlign).

    A word's vector is the mean of its pieces' states in one layer. Two words are aligned where each is the most similar
    one to the other ("argmax"); "itermax" then aligns more words in the same way, once, of those that are left. The
    encoder must be multilingual. Each text is read alone, so that no other text changes its vectors.

    Attributes:
        encoder: a local folder, or a Hub id (`id@revision`).
        layer: the layer that is read: 0 for the embeddings, 1 for the first layer, -1 for the last; None for 8 of an
            encoder of 12 layers, 14 of one of 24, and the last of any other.
        method: "argmax" or "itermax".
        max_length: in word pieces; longer texts are read in windows of so many.

    Raises:
        SettingError: for an encoder that is no name, or a setting out of range.
        ModelError: when it is first used, where the encoder cannot be loaded, or does not have the layer.

    Example:
        >>> import tempfile
        >>> from xquality.models import tiny_encoder
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     tiny = tiny_encoder(["a red cat", "a dog"], folder=f"{folder}/tiny", pieces=100, width=16, steps=1)
        ...     WordAligner(tiny, layer=0).align([("red cat", "cat red")], [([(0, 3), (4, 7)], [(0, 3), (4, 7)])])
        [[(0, 1), (1, 0)]]
    """

    encoder: Annotated[str | Path, _check_encoder]
    layer: Annotated[int | None, optional(integer)] = None
    method: Annotated[str, choice("argmax", "itermax")] = "itermax"
    max_length: Annotated[int, at_least(8)] = 512

    def __post_init__(self) -> None:
        check_settings(self)

    def align(
        self,
        texts: Sequence[tuple[str, str]],
        words: Sequence[tuple[Sequence[CharacterSpan], Sequence[CharacterSpan]]],
    ) -> list[list[tuple[int, int]]]:
        """Return for each pair of texts the numbers of the words that are aligned, of the source and of the target.

        Args:
            texts: each text with its translation.
            words: the characters of the words of both.
        """
        if not texts:
            return []
        model = _load(str(self.encoder))
        check_layer(model.network, self.layer, "WordAligner")
        aligned = []
        with isolate(), on_best_device(model.network):
            for pair, spans in zip(texts, words, strict=True):
                (first, has_first), (second, has_second) = (
                    self._embed(model, text, of_text) for text, of_text in zip(pair, spans, strict=True)
                )
                similarities = np.where(has_first[:, None] & has_second, first @ second.T, -np.inf)
                found = align_words(similarities, iterations=2 if self.method == "itermax" else 1)
                aligned.append([(int(source), int(target)) for source, target in np.argwhere(found)])
        return aligned

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain JSON values."""
        return {
            "encoder": str(self.encoder),
            "layer": self.layer,
            "method": self.method,
            "max_length": self.max_length,
        }

    def summary(self) -> dict[str, Any]:
        """Return what a record keeps: the settings, and the digest of the encoder in place of its name."""
        return {**self.to_dict(), "encoder": _load(str(self.encoder)).digest}

    def _embed(self, model: Model, text: str, words: Sequence[CharacterSpan]) -> tuple[Floats, Mask]:
        """Return the normalised vector of each word, shape (words, width), and which words have one, shape (words,)."""
        import torch

        tokenizer: Any = model.tokenizer
        encoded = tokenizer(text, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
        pieces, offsets = encoded["input_ids"], encoded["offset_mapping"]
        frame = Frame.of(tokenizer)
        before, after = (special.tolist() for special in frame.special)
        room = frame.room(min(self.max_length, tokenizer.model_max_length))
        states = [np.empty((0, int(model.network.config.hidden_size)))]
        for start in range(0, len(pieces), room):
            window = [*before, *pieces[start : start + room], *after]
            with torch.inference_mode():
                read = self._states(model, torch.tensor([window], device=model.network.device))
            states.append(read[len(before) : len(window) - len(after)])
        total, counts = np.zeros((len(words), states[0].shape[1])), np.zeros(len(words))
        for (first, last), state in zip(offsets, np.concatenate(states), strict=True):
            for number, (start, end) in enumerate(words):
                if first < end and start < last:
                    total[number] += state
                    counts[number] += 1
        norms = np.linalg.norm(total, axis=1, keepdims=True)
        return total / np.where(norms > 0, norms, 1.0), counts > 0

    def _states(self, model: Model, ids: "torch.Tensor") -> Floats:
        """Return the states of the layer that is read of one text, shape (pieces, width)."""
        import torch

        network: Any = model.network
        outputs = network(input_ids=ids, attention_mask=torch.ones_like(ids), output_hidden_states=True)
        depth = len(outputs.hidden_states) - 1
        layer = official_layer(depth) if self.layer is None else self.layer
        return np.asarray(outputs.hidden_states[layer][0].double().cpu().numpy(), np.float64)


def align_words(similarities: Floats, *, iterations: int) -> Mask:
    """Return which words of two texts are aligned, shape (source words, target words).

    Args:
        similarities: of each word of the source to each of the target; minus infinity where a word has no vector.
        iterations: 1 aligns words that are each other's most similar ones; 2 or more repeat this with the words that
            are left, and with a weaker similarity to those that are aligned.

    Example:
        >>> align_words(np.array([[0.9, 0.8], [0.7, 0.1]]), iterations=1).astype(int).tolist()
        [[1, 0], [0, 0]]
    """
    aligned = np.zeros(similarities.shape, np.bool_)
    if not similarities.size:
        return aligned
    for iteration in range(iterations):
        of_source, of_target = aligned.any(axis=1, keepdims=True), aligned.any(axis=0, keepdims=True)
        if iteration and (of_source.all() or of_target.all() or min(similarities.shape) <= 2):
            break
        left = np.where(of_source & of_target, -np.inf, np.where(of_source | of_target, _WEAKER, 1.0) * similarities)
        best = _is_best(left, 1) & _is_best(left, 0) & (left > -np.inf)
        if not (best & ~aligned).any():
            break
        aligned |= best
    return aligned


def _is_best(similarities: Floats, axis: int) -> Mask:
    """Return where the first of the highest values along an axis is."""
    best = np.zeros(similarities.shape, np.bool_)
    np.put_along_axis(best, similarities.argmax(axis=axis, keepdims=True), True, axis)
    return best


@functools.lru_cache(maxsize=1)
def _load(encoder: str) -> Model:
    """Return an encoder, which is kept for the next call."""
    return Model(*load_encoder(encoder), 0, {})
