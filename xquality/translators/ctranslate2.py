"""CTranslate2: the same checkpoints in another program, which is faster on processors; in 8-bit integers if wished."""

import functools
import importlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version as version_of_package
from pathlib import Path
from typing import Annotated, Any, Final, final

from xquality import _settings
from xquality._files import atomic_folder
from xquality._settings import at_least, check_settings, choice, optional
from xquality._stored import check_folder, digest_json, set_aside, write_checksums
from xquality.errors import (
    DamagedError,
    ModelError,
    NotInstalledError,
    SettingError,
    TranslationError,
    first_line,
)
from xquality.models.model import quiet_transformers
from xquality.translators.checkpoint import Checkpoint, load_network
from xquality.translators.neural import NeuralTranslator, list_packages

_PACKAGES: Final = ("ctranslate2", "transformers", "tokenizers", "sentencepiece")


@final
@dataclass(frozen=True)
class CTranslate2(NeuralTranslator):
    """A neural engine: a Marian (OPUS-MT), M2M100 or NLLB checkpoint, by CTranslate2, which computes faster.

    The checkpoint is that of `Transformers`. It is converted once, into a folder named after its content, beside it; a
    conversion that was damaged is set aside and made again. Languages and long texts are treated as there. There is no
    sampling, since CTranslate2's cannot be fixed for each text. Of the checkpoint's own settings of decoding, such as a
    length penalty, none is read.

    `pip install 'xquality[ctranslate2]'` installs the program.

    Attributes:
        model: a local folder, or a Hub id with its revision.
        language_pairs: the pairs of languages; None: those of the checkpoint.
        compute_type: "int8" quantises the weights, "float32" does not.
        beam_width: of beam search; 1 takes the most probable token at each step.
        max_new_tokens: the longest translation, in tokens; longer ones are cut, and warned of.
        too_long: for a text of more tokens than the model reads: an "error", or "truncate", which loses its end.
        batch_size: texts that are translated at once; texts of similar length are put together.
        threads: on a processor.
        device: "cpu" or "cuda".
        folder: where the converted model is written; None: beside the model, which must then be a local folder.

    Raises:
        SettingError: for a setting out of range, a model without a revision, or one of the Hub without a folder.

    Example:
        >>> CTranslate2("Helsinki-NLP/opus-mt-en-es@main")
        Traceback (most recent call last):
            ...
        xquality.errors.SettingError: CTranslate2(model='Helsinki-NLP/opus-mt-en-es@main') is no local folder, so say \
where the converted model is to be written: folder=...
    """

    compute_type: Annotated[str, choice("int8", "float32")] = "int8"
    beam_width: Annotated[int, at_least(1)] = 1
    max_new_tokens: Annotated[int, at_least(1)] = 256
    too_long: Annotated[str, choice("error", "truncate")] = "error"
    batch_size: Annotated[int, at_least(1)] = 32
    threads: Annotated[int, at_least(1)] = 1
    device: Annotated[str, choice("cpu", "cuda")] = "cpu"
    folder: Annotated[Path | None, optional(_settings.path)] = None

    def __post_init__(self) -> None:
        check_settings(self)
        if self.folder is None and not Path(self.model).is_dir():
            raise SettingError(
                f"CTranslate2(model={self.model!r}) is no local folder, so say where the converted model is to be "
                "written: folder=..."
            )

    @property
    def version(self) -> str:
        """Packages, the digest of the checkpoint, compute type, device, and how translations are decoded.

        Raises:
            NotInstalledError: where the package ctranslate2 is missing.
            ModelError: where the checkpoint cannot be read.
        """
        import_package()
        return (
            f"{list_packages(_PACKAGES)}; checkpoint {self._checkpoint.digest}; {self.compute_type} on {self.device}; "
            f"beam width {self.beam_width}, at most {self.max_new_tokens} tokens, too long: {self.too_long}"
        )

    def run(self, texts: Sequence[str], source: str, target: str) -> list[str]:
        """Return the translations; the model is converted first where it was not yet.

        Raises:
            NotInstalledError: where the package ctranslate2 is missing.
            ModelError: where the checkpoint cannot be converted.
            TranslationError: for a text that is too long, or where the program fails.
        """
        import_package()
        checkpoint = self._checkpoint
        sources = checkpoint.encode(texts, source, target, truncate=self.too_long == "truncate")
        folder = convert(checkpoint, self.compute_type, self.folder or Path(self.model).resolve().parent)
        names, start = checkpoint.tokenizer.convert_ids_to_tokens, checkpoint.start_id(target)
        longest = checkpoint.limit(self.max_new_tokens)
        translator = _load(folder, self.compute_type, self.device, self.threads, os.getpid())
        try:
            results = translator.translate_batch(
                [names(ids) for ids in sources],
                target_prefix=None if start is None else [names([start])] * len(sources),
                beam_size=self.beam_width,
                max_batch_size=self.batch_size,
                max_decoding_length=longest,
                max_input_length=0,
            )
        except (RuntimeError, ValueError) as fault:
            raise TranslationError(
                f"{self.name} failed on {len(texts)} texts ({first_line(fault)}); lower batch_size, now "
                f"{self.batch_size}, or translate them one by one."
            ) from fault
        written = [result.hypotheses[0] for result in results]
        cut = sum(len(tokens) >= longest for tokens in written)
        self._warn_of_cut(cut, texts, longest)
        return [checkpoint.decode(checkpoint.tokenizer.convert_tokens_to_ids(tokens)) for tokens in written]


def import_package() -> Any:
    """Return the package ctranslate2.

    Raises:
        NotInstalledError: where it is missing.
    """
    try:
        return importlib.import_module("ctranslate2")
    except ImportError as fault:
        raise NotInstalledError(
            "CTranslate2 needs the package ctranslate2; install it with: pip install 'xquality[ctranslate2]'."
        ) from fault


def convert(checkpoint: Checkpoint, compute_type: str, parent: Path) -> Path:
    """Return the folder of a checkpoint's converted model, after converting it where that was not done yet.

    Args:
        checkpoint: the checkpoint.
        compute_type: "int8" or "float32".
        parent: the folder to write it into.

    Raises:
        ModelError: where it cannot be converted, or the program would compute something else.
        WriteError: where the folder cannot be written.
    """
    identity = {
        "checkpoint": checkpoint.digest,
        "compute_type": compute_type,
        "ctranslate2": version_of_package("ctranslate2"),
    }
    folder = parent / f"{checkpoint.name}-ctranslate2-{compute_type}-{digest_json(identity)[:16]}"
    if folder.exists():
        try:
            check_folder(folder, identity)
        except DamagedError as fault:
            set_aside(folder, fault, "the model is converted again")
        else:
            return folder
    try:
        with atomic_folder(folder) as unfinished:
            _convert(checkpoint, compute_type, unfinished)
            write_checksums(unfinished, identity)
    except SettingError:  # another process has converted it meanwhile
        check_folder(folder, identity)
    return folder


def _convert(checkpoint: Checkpoint, compute_type: str, folder: Path) -> None:
    """Write a checkpoint in CTranslate2's format into an empty folder."""
    from ctranslate2.converters import TransformersConverter

    network = load_network(checkpoint, "float32")
    start = network.config.decoder_start_token_id
    embeddings: Any = network.get_input_embeddings()
    if checkpoint.family == "marian" and bool(embeddings.weight[start].any()):
        raise ModelError(
            f"The decoder of {checkpoint.name} starts from an embedding that is not zero, but CTranslate2 starts every "
            "Marian model from zero, so it would translate otherwise; use Transformers for this model."
        )

    class Converter(TransformersConverter):  # type: ignore[misc]  # the package has no types
        """Converts what was loaded and checked here; nothing is loaded a second time, in another way."""

        def load_model(self, *_: object, **__: object) -> Any:
            return network

        def load_tokenizer(self, *_: object, **__: object) -> Any:
            return _WholeVocabulary(checkpoint)

    settings = network.config.to_dict()
    try:
        with quiet_transformers():
            Converter(str(checkpoint.folder)).convert(
                str(folder), quantization=None if compute_type == "float32" else compute_type, force=True
            )
    except (KeyError, NotImplementedError, RuntimeError, ValueError) as fault:
        raise ModelError(
            f"{checkpoint.name} cannot be converted ({first_line(fault)}); use Transformers for this model."
        ) from fault
    finally:
        for name, value in settings.items():  # the converter adds its own to the configuration
            setattr(network.config, name, value)


@final
class _WholeVocabulary:
    """A tokenizer for the converter, with a name for each row of the network's embeddings.

    M2M100's own vocabulary leaves out the codes of its languages and the words that it was padded with.
    """

    num_madeup_words = 0

    def __init__(self, checkpoint: Checkpoint) -> None:
        self._tokenizer = checkpoint.tokenizer
        self._size = int(checkpoint.configuration.vocab_size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tokenizer, name)

    def get_vocab(self) -> dict[str, int]:
        """Return the id of each token."""
        known = self._tokenizer.get_vocab()
        tokens = {number: token for token, number in known.items()}
        codes: dict[str, int] = getattr(self._tokenizer, "lang_token_to_id", {})
        tokens |= {number: token for token, number in codes.items()}
        return {tokens.get(number, f"madeupword{number}"): number for number in range(self._size)}


@functools.lru_cache(maxsize=1)
def _load(folder: Path, compute_type: str, device: str, threads: int, process: int) -> Any:
    """Return the loaded model of a process: its threads do not follow into a forked one. The last one is kept."""
    del process
    return import_package().Translator(
        str(folder), device=device, compute_type=compute_type, inter_threads=1, intra_threads=threads
    )
