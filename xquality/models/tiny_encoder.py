"""tiny_encoder: the embedded default, a small encoder of XLM-R's architecture aligned on parallel text, offline.

It shows the mechanics of cross-lingual transfer in seconds on a laptop; it says nothing about what XLM-R would do.
Word pieces come from a SentencePiece model trained on the given texts. Their embeddings are aligned by contrast on
parallel sentences, and put under a shallow transformer that starts out close to the identity.
"""

import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from xquality import _settings
from xquality._files import whole_folder, write_text
from xquality.errors import ModelError
from xquality.models.alignment import align
from xquality.models.isolation import isolated
from xquality.randomness import derive_seed

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Parallel = Mapping[str, Sequence[str]]

LEARNING_RATE = 2e-3  # what suits an encoder of this size; `fit` takes it where a stage names none
_ALGORITHM = 1
_EPS = 1.0  # of every layer normalisation: with XLM-R's 1e-5 transfer is about ten points lower
_GAIN = 30.0  # brings the mean of many small vectors back to the size that a head expects
_FILE = "xquality-encoder.json"


def tiny_encoder(
    texts: Iterable[str],
    *,
    folder: str | Path,
    parallel: Parallel | Sequence[Parallel] | None = None,
    seed: int = 0,
    pieces: int = 16000,
    width: int = 128,
    layers: int = 1,
    steps: int = 1000,
) -> Path:
    """Build a small multilingual encoder in `folder`, or find it there, and return the folder.

    `AutoModel.from_pretrained` and `AutoTokenizer.from_pretrained` load it.

    Args:
        texts: sentences in all languages, to train the word pieces on.
        folder: where to write; an encoder built from the same arguments is left as it is.
        parallel: aligned sentences, `{language: sentences}` with row i of every language a translation of row i of
            the others, or several such collections; without it nothing transfers between languages.
        seed: an integer.
        pieces: the size of the vocabulary; fewer where the texts do not give as many.
        width: the size of the hidden states.
        layers: the number of transformer layers.
        steps: how many steps to align for.

    Raises:
        SettingError: for a number out of range.
        ModelError: for no texts, collections whose languages differ in length, or a folder with something else in it.

    Example:
        >>> import tempfile
        >>> from xquality import toy
        >>> german, english = (toy.sentences.load(one, "train")["source_sentence"][:] for one in ("de", "en"))
        >>> with tempfile.TemporaryDirectory() as place:
        ...     built = tiny_encoder(german + english, folder=f"{place}/tiny", pieces=500, width=16, steps=2,
        ...                          parallel={"de": german, "en": english})
        ...     (built / "model.safetensors").is_file()
        True
    """
    target = Path(folder)
    sentences = list(texts)
    collections = [parallel] if isinstance(parallel, Mapping) else list(parallel or [])
    settings = {
        "seed": _settings.integer("tiny_encoder", "seed", seed),
        "pieces": _settings.integer("tiny_encoder", "pieces", pieces, least=100),
        "width": _settings.integer("tiny_encoder", "width", width, least=8),
        "layers": _settings.integer("tiny_encoder", "layers", layers, least=1),
        "steps": _settings.integer("tiny_encoder", "steps", steps, least=1),
    }
    _check(sentences, collections)
    made: dict[str, Any] = {
        "digest": _digest(sentences, collections, settings),
        "settings": settings,
        "sentences": len(sentences),
    }
    made["aligned_on"] = [{"languages": sorted(one), "rows": len(next(iter(one.values())))} for one in collections]
    target.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(target.parent / f".{target.name}.lock"):  # of two processes one builds, the other finds
        if not target.exists():
            _build(target, made, sentences, collections)
        return _found(target, made["digest"])


def _build(target: Path, made: Mapping[str, Any], sentences: list[str], collections: Sequence[Parallel]) -> None:
    """Build the encoder in a new folder, whole or not at all."""
    settings, seed = made["settings"], made["settings"]["seed"]
    with isolated(threads=1), whole_folder(target) as unfinished:
        tokenizer = _tokenizer(sentences, settings["pieces"])
        tokenizer.save_pretrained(unfinished)
        tokens = [
            {language: tokenizer(list(rows))["input_ids"] for language, rows in one.items()} for one in collections
        ]
        rows = align(tokens, len(tokenizer), settings["width"], settings["steps"], derive_seed("align", seed), eps=_EPS)
        _write_network(unfinished, rows, tokenizer, settings["layers"], derive_seed("encoder", seed))
        write_text(unfinished / _FILE, json.dumps(made, indent=1, sort_keys=True, ensure_ascii=False))


def _check(sentences: list[str], collections: Sequence[Parallel]) -> None:
    """Raise where there is nothing to train on, or parallel sentences do not line up."""
    everything = [*sentences, *(text for one in collections for rows in one.values() for text in rows)]
    if not all(isinstance(one, str) for one in everything) or not any(map(str.strip, sentences)):
        raise ModelError(
            "tiny_encoder needs sentences to train word pieces on, but got none, or what is no text; give strings."
        )
    for one in collections:
        lengths = {language: len(rows) for language, rows in one.items()}
        if len(one) < 2 or len(set(lengths.values())) != 1 or not all(lengths.values()):
            raise ModelError(
                f"Parallel sentences need two languages or more with as many rows each, but got {lengths}."
            )


def _found(target: Path, digest: str) -> Path:
    """Return the folder where it holds the encoder that was asked for."""
    file = target / _FILE
    if file.is_file() and json.loads(file.read_text(encoding="utf-8"))["digest"] == digest:
        return target
    raise ModelError(f"{target} holds something other than this encoder; name another folder, or delete that one.")


def _digest(sentences: list[str], collections: Sequence[Parallel], settings: Mapping[str, Any]) -> str:
    """Return the digest of everything that decides the encoder."""
    whole = hashlib.blake2b(digest_size=16)
    versions = {one: version(one) for one in ("sentencepiece", "torch", "transformers")}
    whole.update(json.dumps([settings, versions, _ALGORITHM], sort_keys=True).encode())
    whole.update("\x1e".join(sentences).encode())
    for one in collections:
        for language, rows in sorted(one.items()):
            whole.update(f"\x1d{language}\x1e".encode() + "\x1e".join(rows).encode())
    return whole.hexdigest()


def _tokenizer(sentences: list[str], pieces: int) -> "PreTrainedTokenizerBase":
    """Return XLM-R's tokenizer over a SentencePiece model trained on the sentences."""
    import sentencepiece
    from transformers import XLMRobertaTokenizer

    written = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(one for one in sentences if one.strip()),
        model_writer=written,
        vocab_size=pieces,
        hard_vocab_limit=False,  # small collections do not give as many pieces
        character_coverage=0.9999,
        num_threads=1,  # the vocabulary depends on the number of threads
        minloglevel=2,
    )
    processor = sentencepiece.SentencePieceProcessor(model_proto=written.getvalue())
    learnt = [(processor.id_to_piece(one), processor.get_score(one)) for one in range(processor.get_piece_size())]
    special = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    made: PreTrainedTokenizerBase = XLMRobertaTokenizer(
        vocab=[*special, *learnt[3:], ("<mask>", 0.0)],
        _spm_precompiled_charsmap=_charsmap(written.getvalue()),  # type: ignore[arg-type]  # bytes are what works
        model_max_length=512,
    )
    return made


def _charsmap(model: bytes) -> bytes:
    """Return the normaliser's character map from the bytes of a SentencePiece model.

    In the model's protocol buffer, field 3 is the normaliser's settings and its field 2 is the map. Without it about
    one odd string in fifty is cut into other pieces than SentencePiece cuts it into.
    """
    return _field(_field(model, 3), 2)


def _field(message: bytes, wanted: int) -> bytes:
    """Return the first length-delimited field of that number in a protocol buffer message."""

    def number(at: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            byte = message[at]
            value |= (byte & 0x7F) << shift
            at, shift = at + 1, shift + 7
            if not byte & 0x80:
                return value, at

    at = 0
    while at < len(message):
        tag, at = number(at)
        if tag & 7 == 2:
            size, at = number(at)
            if tag >> 3 == wanted:
                return message[at : at + size]
            at += size
        elif tag & 7 == 0:
            _, at = number(at)
        else:
            at += {1: 8, 5: 4}[tag & 7]
    return b""


def _write_network(folder: Path, rows: Any, tokenizer: "PreTrainedTokenizerBase", layers: int, seed: int) -> None:
    """Write an XLM-R encoder whose word embeddings are `rows` and whose layers let them pass."""
    import torch
    from transformers import XLMRobertaConfig, XLMRobertaModel

    pieces, width = rows.shape
    torch.manual_seed(seed)
    configuration = XLMRobertaConfig(
        vocab_size=pieces,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=max(one for one in range(1, max(1, width // 32) + 1) if width % one == 0),
        intermediate_size=2 * width,
        max_position_embeddings=514,
        type_vocab_size=1,
        layer_norm_eps=_EPS,
        hidden_dropout_prob=0.0,
        attention_probs_dropout_prob=0.0,
        initializer_range=0.02,
        bos_token_id=tokenizer.bos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    configuration.recommended_learning_rate = LEARNING_RATE
    network = XLMRobertaModel(configuration)
    with torch.no_grad():
        embeddings = network.embeddings
        embeddings.word_embeddings.weight.copy_(rows)
        embeddings.position_embeddings.weight.zero_()
        embeddings.token_type_embeddings.weight.zero_()
        # Near-zero queries and keys make the first layer's attention uniform; with these values and outputs the
        # first token, which the stock head reads, starts out as the mean of the sentence's pieces.
        attention: Any = network.encoder.layer[0].attention
        attention.self.value.weight.copy_(torch.eye(width))
        attention.output.dense.weight.copy_(_GAIN * torch.eye(width))
    network.save_pretrained(folder)
