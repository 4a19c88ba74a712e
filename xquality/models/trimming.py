"""Trimming a pretrained encoder: only the word pieces that some texts need, and only some of its layers.

Most of a multilingual encoder is its table of word pieces, and a study in a few languages reads a small part of it
(Abdaoui et al. 2020, arXiv 2010.05609, trim mBERT in this way).
"""

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, final

from xquality import _settings
from xquality._files import atomic_folder, lock_folder, write_text
from xquality._stored import check_folder, write_checksums
from xquality.errors import ModelError
from xquality.models.model import load_encoder, quiet_transformers, weights_digest

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

_FILE: Final = "xquality-trimmed.json"
_TOKENIZER: Final = "tokenizer.json"
_STALE: Final = ("sentencepiece.bpe.model", "vocab.txt", "added_tokens.json", "special_tokens_map.json")
_BATCH: Final = 4096  # texts tokenised at a time


def trim_encoder(
    model: str | Path, texts: Iterable[str], *, folder: str | Path, layers: Sequence[int] | None = None
) -> Path:
    """Write an encoder that keeps only what the texts need of another one's word pieces, and some of its layers.

    The kept pieces keep their order and get new ids. Texts among `texts` are cut into the same pieces as before and,
    with all layers, give the same outputs. All pieces of a single character are kept, and those longer ones without
    which a character would be lost, so that nothing becomes unknown that was not; other texts may be cut into more
    pieces than before.

    Args:
        model: a local folder or a Hub id (`id@revision`): an encoder whose tokenizer is Unigram (XLM-R, E5) or
            WordPiece (mBERT, LaBSE).
        texts: every text that the study will read, with its prefixes.
        folder: where to write it. A folder that holds the same trimmed encoder is returned as it is.
        layers: which transformer layers to keep, by number from 0 and ascending; None for all of them. Alternate
            layers of a pretrained encoder keep more than its first ones.

    Returns:
        The folder; `transformers.AutoModel` and `AutoTokenizer` load it, and its configuration says what it was
        trimmed from, under `trimmed`.

    Raises:
        ModelError: where the model cannot be loaded, its tokenizer is of another kind, there are no texts, a layer is
            not there, or the folder holds something else.

    Example:
        >>> from tempfile import mkdtemp
        >>> from xquality import toy
        >>> from xquality.models import tiny_encoder
        >>> place, texts = mkdtemp(), toy.sentences.load("de", "train")["source_sentence"][:]
        >>> whole = tiny_encoder(texts, folder=f"{place}/whole", pieces=500, width=16, steps=1)
        >>> small = trim_encoder(whole, texts[:20], folder=f"{place}/small")
        >>> (small / "model.safetensors").stat().st_size < (whole / "model.safetensors").stat().st_size
        True
    """
    target, sentences = _settings.path("trim_encoder", "folder", folder), list(texts)
    if not sentences or not all(isinstance(text, str) for text in sentences):
        raise ModelError(
            "trim_encoder needs the texts whose word pieces are kept, but got none, or something else; give a list "
            "of strings."
        )
    network, tokenizer = load_encoder(model)
    chosen = _check_layers(network, layers)
    provenance = {
        "model": Path(model).name if Path(model).is_dir() else str(model),
        "weights": weights_digest(network),
        "texts": _digest_texts(sentences),
        "layers": list(chosen),
    }
    target.parent.mkdir(parents=True, exist_ok=True)
    with lock_folder(target.parent):  # of two processes one trims, the other finds
        if not target.exists():
            vocabulary = _Vocabulary.of(tokenizer)
            kept = vocabulary.keep(_used_ids(tokenizer, sentences))
            with atomic_folder(target) as unfinished, quiet_transformers():
                _write_tokenizer(tokenizer, vocabulary, kept, unfinished)
                _trim_network(network, kept, chosen)
                network.config.trimmed = provenance
                network.save_pretrained(unfinished)
                write_text(unfinished / _FILE, json.dumps(provenance, indent=1, ensure_ascii=False))
                write_checksums(unfinished, {"texts": provenance["texts"]})
        return _check_found(target, provenance)


@final
@dataclass(frozen=True)
class _Vocabulary:
    """The model of a fast tokenizer, read from its JSON.

    Attributes:
        kind: "Unigram" or "WordPiece".
        pieces: all pieces, by id.
        special: the ids of special and added tokens.
        weakest: the id of the piece with the lowest score, from which Unigram takes the score of unknown characters.
        prefix: what WordPiece writes before a piece inside a word; empty for Unigram.
    """

    kind: str
    pieces: tuple[str, ...]
    special: frozenset[int]
    weakest: int | None
    prefix: str

    @classmethod
    def of(cls, tokenizer: "PreTrainedTokenizerBase") -> "_Vocabulary":
        """Return the vocabulary of a tokenizer, or raise where pieces cannot be left out of its kind."""
        written = json.loads(tokenizer.backend_tokenizer.to_str())
        settings, special = written["model"], frozenset(token["id"] for token in written["added_tokens"])
        kind = settings.get("type")
        if kind == "Unigram":
            scores = [score if at not in special else 0.0 for at, (_, score) in enumerate(settings["vocab"])]
            weakest = min(range(len(scores)), key=scores.__getitem__)
            return cls(kind, tuple(piece for piece, _ in settings["vocab"]), special, weakest, "")
        if kind == "WordPiece":
            pieces = tuple(sorted(settings["vocab"], key=settings["vocab"].__getitem__))
            return cls(kind, pieces, special, None, settings["continuing_subword_prefix"])
        raise ModelError(
            f"trim_encoder takes tokenizers of the kinds Unigram and WordPiece, but {type(tokenizer).__name__} is "
            f"{kind}; use the whole encoder."
        )

    def characters(self, at: int) -> tuple[str, ...]:
        """Return the one-character pieces that a piece is made of."""
        piece = self.pieces[at]
        if self.kind == "Unigram":
            return tuple(piece)
        inside = piece.startswith(self.prefix) and len(piece) > len(self.prefix)
        letters = piece.removeprefix(self.prefix) if inside else piece
        return tuple(f"{self.prefix}{letter}" if inside or place else letter for place, letter in enumerate(letters))

    def keep(self, used: set[int]) -> list[int]:
        """Return the ids to keep, ascending: used, special, of one character, or not made of such pieces."""
        single = {
            self.pieces[at]
            for at in range(len(self.pieces))
            if at not in self.special and len(self.characters(at)) == 1
        }
        needed = {
            at
            for at in range(len(self.pieces))
            if at not in self.special and (self.pieces[at] in single or not single.issuperset(self.characters(at)))
        }
        weakest = set() if self.weakest is None else {self.weakest}
        return sorted(used | self.special | needed | weakest)


def _check_layers(network: "PreTrainedModel", layers: Sequence[int] | None) -> tuple[int, ...]:
    """Return the numbers of the layers to keep, or raise."""
    count = len(_layers_of(network))
    if layers is None:
        return tuple(range(count))
    chosen = tuple(_settings.integer("trim_encoder", "layers", layer, least=0) for layer in layers)
    if not chosen or list(chosen) != sorted(set(chosen)) or chosen[-1] >= count:
        raise ModelError(
            f"trim_encoder(layers={list(layers)}) must name some of the layers 0 to {count - 1}, ascending, each once."
        )
    return chosen


def _layers_of(network: "PreTrainedModel") -> Any:
    """Return the list of transformer layers, or raise where the encoder does not keep them as BERT does."""
    encoder: Any = getattr(network, "encoder", None)
    layers = getattr(encoder, "layer", None)
    if layers is None:
        raise ModelError(
            f"trim_encoder takes encoders with the layers of BERT or XLM-R, but got {type(network).__name__}; use the "
            "whole encoder."
        )
    return layers


def _used_ids(tokenizer: "PreTrainedTokenizerBase", sentences: Sequence[str]) -> set[int]:
    """Return the ids of the pieces that the texts are cut into."""
    whole, used = tokenizer.backend_tokenizer, set[int]()
    for start in range(0, len(sentences), _BATCH):
        for encoded in whole.encode_batch(list(sentences[start : start + _BATCH]), add_special_tokens=False):
            used.update(encoded.ids)
    return used


def _write_tokenizer(
    tokenizer: "PreTrainedTokenizerBase", vocabulary: _Vocabulary, kept: Sequence[int], folder: Path
) -> None:
    """Write the tokenizer with the kept pieces only, renumbered."""
    new = {old: at for at, old in enumerate(kept)}
    tokenizer.save_pretrained(folder)
    for name in _STALE:
        (folder / name).unlink(missing_ok=True)
    written = json.loads((folder / _TOKENIZER).read_text(encoding="utf-8"))
    model = written["model"]
    if vocabulary.kind == "Unigram":
        model["vocab"] = [model["vocab"][old] for old in kept]
        model["unk_id"] = new[model["unk_id"]]
    else:
        model["vocab"] = {vocabulary.pieces[old]: at for old, at in new.items()}
    for token in written["added_tokens"]:
        token["id"] = new[token["id"]]
    written["post_processor"] = _renumber(written["post_processor"], new)
    write_text(folder / _TOKENIZER, json.dumps(written, ensure_ascii=False))
    file = folder / "tokenizer_config.json"
    settings = json.loads(file.read_text(encoding="utf-8"))
    added = settings.get("added_tokens_decoder")
    if added:
        settings["added_tokens_decoder"] = {str(new[int(old)]): token for old, token in added.items()}
        write_text(file, json.dumps(settings, indent=1, ensure_ascii=False))


def _renumber(processor: Any, new: Mapping[int, int]) -> Any:
    """Return a post-processor's JSON with the new ids: `ids` in templates, pairs of token and id elsewhere."""
    if isinstance(processor, dict):
        return {
            name: [new[old] for old in value] if name == "ids" else _renumber(value, new)
            for name, value in processor.items()
        }
    if isinstance(processor, list) and [type(part) for part in processor] == [str, int]:
        return [processor[0], new[processor[1]]]
    return [_renumber(part, new) for part in processor] if isinstance(processor, list) else processor


def _trim_network(network: "PreTrainedModel", kept: Sequence[int], layers: Sequence[int]) -> None:
    """Keep some rows of the word embeddings and some layers, in place."""
    import torch

    table: Any = network.get_input_embeddings()
    padding = None if table.padding_idx is None else list(kept).index(table.padding_idx)
    rows = table.weight.detach()[torch.tensor(list(kept))].clone()
    network.set_input_embeddings(torch.nn.Embedding.from_pretrained(rows, freeze=False, padding_idx=padding))  # type: ignore[no-untyped-call]  # torch
    all_layers = _layers_of(network)
    network.encoder.layer = torch.nn.ModuleList(all_layers[layer] for layer in layers)  # type: ignore[union-attr]
    config, new = network.config, {old: at for at, old in enumerate(kept)}
    config.vocab_size, config.num_hidden_layers = len(kept), len(layers)
    for name in ("pad_token_id", "bos_token_id", "eos_token_id", "sep_token_id", "cls_token_id", "mask_token_id"):
        old = getattr(config, name, None)
        if isinstance(old, int):
            setattr(config, name, new.get(old))


def _digest_texts(sentences: Sequence[str]) -> str:
    """Return the digest of the set of texts: their order and repetitions decide nothing."""
    whole = hashlib.blake2b(digest_size=16)
    for text in sorted(set(sentences)):
        encoded = text.encode("utf-8", "surrogatepass")
        whole.update(len(encoded).to_bytes(8, "little") + encoded)
    return whole.hexdigest()


def _check_found(target: Path, provenance: Mapping[str, Any]) -> Path:
    """Return the folder where it holds the trimmed encoder that was asked for, or raise."""
    file = target / _FILE
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        found = None
    if found != provenance:
        raise ModelError(
            f"{target} holds something other than this trimmed encoder; name another folder, or delete it."
        )
    check_folder(target, {"texts": provenance["texts"]})
    return target
