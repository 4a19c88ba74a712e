"""tiny_encoder: a small multilingual encoder of XLM-R's architecture, trained offline in seconds.

It shows the mechanics of cross-lingual transfer on a laptop; its scores do not predict those of XLM-R. Word pieces
come from a SentencePiece model trained on the given texts. Their embeddings are aligned by contrastive learning on
parallel sentences and put under a shallow transformer that is initialised close to the identity.
"""

import hashlib
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

from xquality import _settings
from xquality._files import atomic_folder, lock_folder, write_text
from xquality._stored import check_folder, write_checksums
from xquality.errors import ModelError
from xquality.models._transformers import unigram_tokenizer
from xquality.models.alignment import align_embeddings
from xquality.models.isolation import isolate
from xquality.models.model import quiet_transformers
from xquality.randomness import derive_seed

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

Parallel = Mapping[str, Sequence[str]]

LEARNING_RATE = 2e-3  # suits an encoder of this size; the default of stages that train it
_ALGORITHM = 1  # raise it when the same arguments give another encoder than before
_EPS = 1.0  # of every layer normalisation: with XLM-R's 1e-5, zero-shot accuracy is about ten points lower
_GAIN = 30.0  # scales the mean of many small vectors back to the size that a head expects
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
    """Return the folder of a small multilingual encoder, which is built there unless it exists.

    `AutoModel.from_pretrained` and `AutoTokenizer.from_pretrained` load it.

    Args:
        texts: sentences in all languages, to train the word pieces on.
        folder: where to write; an existing encoder from the same arguments is left as it is.
        parallel: aligned sentences, `{language: sentences}` with row i of every language a translation of row i of
            the others, or several such collections; without it the languages are not aligned.
        seed: an integer.
        pieces: the size of the vocabulary; smaller where the texts do not yield that many.
        width: the size of the hidden states.
        layers: the number of transformer layers.
        steps: how many optimiser steps the alignment takes.

    Raises:
        SettingError: for a number out of range.
        ModelError: for no texts, collections whose languages differ in length, or a folder with other contents.
        DamagedError: where the folder holds this encoder, but its files were changed.

    Example:
        >>> import tempfile
        >>> from xquality import toy
        >>> german, english = (toy.sentences.load(language, "train")["source_sentence"][:] for language in ("de", "en"))
        >>> with tempfile.TemporaryDirectory() as place:
        ...     built = tiny_encoder(german + english, folder=f"{place}/tiny", pieces=500, width=16, steps=2,
        ...                          parallel={"de": german, "en": english})
        ...     (built / "model.safetensors").is_file()
        True
    """
    target = _settings.path("tiny_encoder", "folder", folder)
    sentences = list(texts)
    collections = [parallel] if isinstance(parallel, Mapping) else list(parallel or [])
    settings = {
        "seed": _settings.integer("tiny_encoder", "seed", seed),
        "pieces": _settings.integer("tiny_encoder", "pieces", pieces, least=100),
        "width": _settings.integer("tiny_encoder", "width", width, least=8),
        "layers": _settings.integer("tiny_encoder", "layers", layers, least=1),
        "steps": _settings.integer("tiny_encoder", "steps", steps, least=1),
    }
    _check_texts(sentences, collections)
    description: dict[str, Any] = {
        "digest": _arguments_digest(sentences, collections, settings),
        "settings": settings,
        "sentences": len(sentences),
        "aligned_on": [
            {"languages": sorted(collection), "rows": len(next(iter(collection.values())))}
            for collection in collections
        ],
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    with lock_folder(target.parent):  # one process builds, the others wait and find its folder
        if not target.exists():
            _build(target, description, sentences, collections)
        _check_folder(target, description["digest"])
    return target


def _build(target: Path, description: Mapping[str, Any], sentences: list[str], collections: Sequence[Parallel]) -> None:
    """Build the encoder in a new folder, completely or not at all."""
    settings, seed = description["settings"], description["settings"]["seed"]
    with isolate(threads=1), quiet_transformers(), atomic_folder(target) as unfinished:
        tokenizer = _tokenizer(sentences, settings["pieces"])
        tokenizer.save_pretrained(unfinished)
        tokens = [
            {language: tokenizer(list(rows))["input_ids"] for language, rows in collection.items()}
            for collection in collections
        ]
        align_seed, steps = derive_seed("align", seed), settings["steps"]
        embeddings = align_embeddings(tokens, len(tokenizer), settings["width"], steps, align_seed, eps=_EPS)
        _write_network(unfinished, embeddings, tokenizer, settings["layers"], derive_seed("encoder", seed))
        write_text(unfinished / _FILE, json.dumps(description, indent=1, sort_keys=True, ensure_ascii=False))
        write_checksums(unfinished, {"encoder": description["digest"]})


def _check_texts(sentences: list[str], collections: Sequence[Parallel]) -> None:
    """Raise `ModelError` where there is nothing to train on, or parallel languages differ in their numbers of rows."""
    texts = [*sentences, *(text for collection in collections for rows in collection.values() for text in rows)]
    if not all(isinstance(text, str) for text in texts) or not any(map(str.strip, sentences)):
        raise ModelError(
            "tiny_encoder needs sentences to train word pieces on, but got none, or something else than strings; give "
            "strings."
        )
    for collection in collections:
        lengths = {language: len(rows) for language, rows in collection.items()}
        if len(collection) < 2 or len(set(lengths.values())) != 1 or not all(lengths.values()):
            raise ModelError(
                f"Parallel sentences need two languages or more with as many rows each, but got {lengths}."
            )


def _check_folder(target: Path, digest: str) -> None:
    """Raise where the folder holds something other than the encoder of that digest, or its files were changed."""
    try:
        found = json.loads((target / _FILE).read_text(encoding="utf-8"))["digest"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        found = None
    if found != digest:
        raise ModelError(f"{target} holds something other than this encoder; name another folder, or delete that one.")
    check_folder(target, {"encoder": digest})


def _arguments_digest(sentences: list[str], collections: Sequence[Parallel], settings: Mapping[str, Any]) -> str:
    """Return the digest of everything that decides the encoder."""
    total = hashlib.blake2b(digest_size=16)
    versions = {package: version(package) for package in ("sentencepiece", "torch", "transformers")}
    total.update(json.dumps([settings, versions, _ALGORITHM], sort_keys=True).encode())
    total.update("\x1e".join(sentences).encode())
    for collection in collections:
        for language, rows in sorted(collection.items()):
            total.update(f"\x1d{language}\x1e".encode() + "\x1e".join(rows).encode())
    return total.hexdigest()


def _tokenizer(sentences: list[str], pieces: int) -> "PreTrainedTokenizerBase":
    """Return XLM-R's tokenizer over a SentencePiece model trained on the sentences."""
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=(sentence for sentence in sentences if sentence.strip()),
        model_writer=model,
        vocab_size=pieces,
        hard_vocab_limit=False,  # small collections do not yield as many pieces
        character_coverage=0.9999,
        num_threads=1,  # the vocabulary depends on the number of threads
        minloglevel=2,
    )
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    learnt = [(processor.id_to_piece(place), processor.get_score(place)) for place in range(3, len(processor))]
    special = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    return unigram_tokenizer([*special, *learnt, ("<mask>", 0.0)], _character_map(model.getvalue()), max_length=512)


def _character_map(model: bytes) -> bytes:
    """Return the normaliser's character map from the bytes of a SentencePiece model.

    In the model's protocol buffer, field 3 is the normaliser's settings and its field 2 is the map. Without it about
    one unusual string in fifty is cut into other pieces than SentencePiece cuts it into. sentencepiece returns these
    fields only by way of the package protobuf, which nothing else here needs.
    """
    return _protobuf_field(_protobuf_field(model, 3), 2)


def _protobuf_field(message: bytes, wanted: int) -> bytes:
    """Return the first length-delimited field of that number in a protocol buffer message; b"" without one."""

    def read_varint(position: int) -> tuple[int, int]:
        value = shift = 0
        while True:
            byte = message[position]
            value |= (byte & 0x7F) << shift
            position, shift = position + 1, shift + 7
            if not byte & 0x80:
                return value, position

    position = 0
    while position < len(message):
        tag, position = read_varint(position)
        number, wire_type = tag >> 3, tag & 7
        if wire_type == 2:
            size, position = read_varint(position)
            if number == wanted:
                return message[position : position + size]
            position += size
        elif wire_type == 0:
            _, position = read_varint(position)
        else:
            position += {1: 8, 5: 4}[wire_type]
    return b""


def _write_network(folder: Path, vectors: Any, tokenizer: "PreTrainedTokenizerBase", layers: int, seed: int) -> None:
    """Write an XLM-R encoder with the word embeddings `vectors`, shape (pieces, width), and near-identity layers."""
    import torch
    from transformers import XLMRobertaConfig, XLMRobertaModel

    pieces, width = vectors.shape
    torch.manual_seed(seed)
    configuration = XLMRobertaConfig(
        vocab_size=pieces,
        hidden_size=width,
        num_hidden_layers=layers,
        num_attention_heads=max(heads for heads in range(1, max(1, width // 32) + 1) if width % heads == 0),
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
        embeddings.word_embeddings.weight.copy_(vectors)
        embeddings.position_embeddings.weight.zero_()
        embeddings.token_type_embeddings.weight.zero_()
        # Near-zero queries and keys make the first layer's attention uniform: with these values and outputs the
        # first token, which classification heads read, is initially the mean of the sentence's pieces.
        attention: Any = network.encoder.layer[0].attention
        attention.self.value.weight.copy_(torch.eye(width))
        attention.output.dense.weight.copy_(_GAIN * torch.eye(width))
    network.save_pretrained(folder)
