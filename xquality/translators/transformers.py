"""Transformers: neural translation with Marian (OPUS-MT), M2M100 and NLLB checkpoints, by the transformers library."""

import copy
import functools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Final, final

import pyarrow as pa

from xquality import _settings
from xquality._settings import at_least, check_settings, choice, optional
from xquality.errors import SettingError, TranslationError
from xquality.models.model import quiet_transformers
from xquality.models.precision import FLOAT32, Precision
from xquality.randomness import Draw, hash_uids
from xquality.translators.checkpoint import load_network
from xquality.translators.neural import NeuralTranslator, list_packages

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel

_PACKAGES: Final = ("transformers", "torch", "tokenizers", "sentencepiece")
_WIDTH_STEP: Final = 8  # tokens; the widths of batches of one shape are multiples


def _temperature(owner: str, name: str, value: object) -> float:
    """Return a temperature of 0 or more."""
    number = _settings.real(owner, name, value)
    if number < 0:
        raise SettingError(f"{owner}({name}={number}) must be 0, for no sampling, or above.")
    return number


@final
@dataclass(frozen=True)
class Transformers(NeuralTranslator):
    """A neural engine: a Marian (OPUS-MT), M2M100 or NLLB checkpoint, by the transformers library.

    Languages may be spelt as the data do; they are mapped to the family's codes. Scripts are distinguished: "zho_Hant"
    is not translated by a model that has simplified Chinese alone.

    Neither the order of the texts nor the other texts of a batch decide a translation. In bfloat16 rounding depends on
    the shape of a batch, so all batches of a width have the same shape, and `batch_size` is part of the version. In
    float32 it shifts the last digits, and could change a translation only where two continuations are equal to about
    six digits; batch sizes and numbers of threads are not part of the version.

    Weights are read from safetensors alone, and code of a repository is never run. The network that was used last stays
    in memory until another one is loaded; a GPU is left when a call ends.

    Attributes:
        model: a local folder, or a Hub id with its revision: "Helsinki-NLP/opus-mt-en-es@<commit>".
        language_pairs: the pairs of languages, in any spelling. Needed for a Marian model that reads several languages
            or does not name its own; for others it limits the pairs. None: those of the checkpoint.
        beam_width: of beam search; 1 takes the most probable token at each step.
        temperature: above 0, tokens are drawn from the model's distribution, sharper below 1 and flatter above. What is
            drawn is fixed by the seed and the text. It excludes beam search.
        seed: of the draws.
        max_new_tokens: the longest translation, in tokens; longer ones are cut, and warned of.
        too_long: for a text of more tokens than the model reads: an "error", or "truncate", which loses its end.
        precision: of weights and computation.
        batch_size: texts that are translated at once. More is faster, up to the memory; texts of similar length are
            put together.
        device: "cpu" or "cuda"; None takes a GPU where there is one.

    Raises:
        SettingError: for a setting out of range, a model without a revision, or sampling with beams.

    Example:
        >>> Transformers("Helsinki-NLP/opus-mt-en-es")
        Traceback (most recent call last):
            ...
        xquality.errors.SettingError: Transformers(model='Helsinki-NLP/opus-mt-en-es') is no folder here, and names no \
revision of the Hub; write it as id@commit, so that the translations are the same later.
    """

    beam_width: Annotated[int, at_least(1)] = 1
    temperature: Annotated[float, _temperature] = 0.0
    seed: Annotated[int, _settings.integer] = 0
    max_new_tokens: Annotated[int, at_least(1)] = 256
    too_long: Annotated[str, choice("error", "truncate")] = "error"
    precision: Precision = FLOAT32
    batch_size: Annotated[int, at_least(1)] = 32
    device: Annotated[str | None, optional(choice("cpu", "cuda"))] = None

    def __post_init__(self) -> None:
        check_settings(self)
        if self.temperature and self.beam_width > 1:
            raise SettingError(
                f"Transformers(temperature={self.temperature}, beam_width={self.beam_width}) asks for sampling and for "
                "beam search; choose one."
            )

    @property
    def version(self) -> str:
        """Packages, the digest of the checkpoint, device, precision, and how translations are decoded.

        Raises:
            ModelError: where the checkpoint cannot be read.
        """
        sampling = f"temperature {self.temperature}, seed {self.seed}"
        decoding = sampling if self.temperature else f"beam width {self.beam_width}"
        shape = "" if self._any_shape else f" in batches of {self.batch_size}"
        return (
            f"{list_packages(_PACKAGES)}; checkpoint {self._checkpoint.digest}; {self.precision} on "
            f"{self._device}{shape}; {decoding}, at most {self.max_new_tokens} tokens, too long: {self.too_long}"
        )

    def run(self, texts: Sequence[str], source: str, target: str) -> list[str]:
        """Return the translations, made in batches of texts of similar length.

        Raises:
            ModelError: where the weights cannot be loaded.
            SettingError: where the device is missing.
            TranslationError: for a text that is too long, or where memory does not suffice.
        """
        import torch

        checkpoint = self._checkpoint
        sources = checkpoint.encode(texts, source, target, truncate=self.too_long == "truncate")
        network, longest = load_network(checkpoint, self.precision), checkpoint.limit(self.max_new_tokens)
        settings = self._generation(network, checkpoint.start_id(target), longest)
        keys = hash_uids(pa.array(texts, pa.large_string()))
        translated: dict[int, str] = {}
        cut = 0
        with quiet_transformers(), torch.inference_mode(), _on_device(network, self._device):
            for numbers in batches_by_length([len(ids) for ids in sources], self.batch_size, self._step):
                rows = [*numbers, *[numbers[0]] * (0 if self._any_shape else self.batch_size - len(numbers))]
                sampling = [_Sampling(Draw(self.seed, "Transformers", 0, keys[rows]), self.temperature)]
                written = self._generate(
                    network, [sources[row] for row in rows], settings, sampling if self.temperature else []
                )
                for number, ids in zip(numbers, written, strict=False):
                    translated[number] = checkpoint.decode(ids)
                    cut += len(ids) >= longest and settings.pad_token_id not in ids
        self._warn_of_cut(cut, texts, longest)
        return [translated[number] for number in range(len(texts))]

    @property
    def _any_shape(self) -> bool:
        """Whether batches may have any shape."""
        return self.precision == FLOAT32

    @property
    def _step(self) -> int:
        """The number that the widths of batches are multiples of."""
        return 1 if self._any_shape else _WIDTH_STEP

    @property
    def _device(self) -> str:
        """The device to compute on."""
        return self.device or _best_device()

    def _generation(self, network: "PreTrainedModel", start: int | None, longest: int) -> Any:
        """Return how to generate: the checkpoint's settings, such as forbidden tokens, with those given here."""
        settings: Any = copy.deepcopy(network.generation_config)
        settings.update(
            num_beams=self.beam_width,
            num_return_sequences=1,
            do_sample=False,
            temperature=None,
            top_k=None,
            top_p=None,
            max_length=None,
            max_new_tokens=longest,
            forced_bos_token_id=start,
            return_dict_in_generate=False,
        )
        return settings

    def _generate(
        self, network: "PreTrainedModel", sources: Sequence[Sequence[int]], settings: Any, sampling: Sequence[Any]
    ) -> list[list[int]]:
        """Return the token ids that a batch is translated to, without the decoder's start, padded at their end."""
        import torch

        width = -max(map(len, sources)) // self._step * -self._step  # rounded up
        padding = int(network.config.pad_token_id)
        padded = torch.tensor([[*ids, *[padding] * (width - len(ids))] for ids in sources])
        mask = torch.tensor([[1] * len(ids) + [0] * (width - len(ids)) for ids in sources])
        try:
            written: Any = network.generate(  # type: ignore[operator]  # torch's own
                input_ids=padded.to(network.device),
                attention_mask=mask.to(network.device),
                generation_config=settings,
                logits_processor=list(sampling),
            )
        except torch.OutOfMemoryError as fault:
            raise TranslationError(
                f"{self.name} needs more memory for {len(sources)} texts of {width} tokens; lower batch_size, now "
                f"{self.batch_size}."
            ) from fault
        listed: list[list[int]] = written[:, 1:].tolist()
        return listed


def batches_by_length(lengths: Sequence[int], size: int, step: int = 1) -> Iterator[list[int]]:
    """Yield the numbers of texts in batches of similar length, the longest first, so that memory fails at once.

    Args:
        lengths: of each text, in tokens.
        size: of a batch at most.
        step: above 1, a batch holds only texts whose lengths are the same when rounded up to a multiple.
    """
    order = sorted(range(len(lengths)), key=lambda number: -lengths[number])
    batch: list[int] = []
    for number in order:
        mixed = step > 1 and batch and -lengths[batch[0]] // step != -lengths[number] // step
        if mixed or len(batch) == size:
            yield batch
            batch = []
        batch.append(number)
    if batch:
        yield batch


@final
class _Sampling:
    """Draws the next token of each text from the model's distribution, by a number that the text and the step fix.

    It is a logits processor of transformers: the token drawn is the only one that is left.
    """

    def __init__(self, draw: Draw, temperature: float) -> None:
        self._draw = draw
        self._temperature = temperature

    def __call__(self, input_ids: "torch.Tensor", scores: "torch.Tensor") -> "torch.Tensor":
        """Return scores that leave one token for each text, shape (texts, tokens)."""
        import torch

        cumulative = torch.softmax(scores.double() / self._temperature, dim=-1).cumsum(dim=-1)
        uniform = torch.from_numpy(self._draw.uniform(f"token {input_ids.shape[1]}")).to(scores.device)
        wanted = uniform[:, None] * cumulative[:, -1:]
        chosen = torch.searchsorted(cumulative, wanted, right=True).clamp(max=scores.shape[1] - 1)
        return torch.full_like(scores, float("-inf")).scatter(1, chosen, 0.0)


@functools.cache
def _best_device() -> str:
    """Return the device to use where none is named."""
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


@contextmanager
def _on_device(network: "PreTrainedModel", device: str) -> Iterator[None]:
    """Move a network to a device inside the block, and to the CPU when the block ends."""
    import torch

    if device == "cuda" and not torch.cuda.is_available():
        raise SettingError("Transformers(device='cuda') finds no GPU that torch can use; set device=None.")
    network.to(device)  # type: ignore[arg-type]  # torch's own
    try:
        yield
    finally:
        network.to("cpu")  # type: ignore[arg-type]  # torch's own
