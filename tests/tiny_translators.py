"""Tiny translation models with random weights: what they write means nothing, but every code path is the real one."""

import io
import json
import warnings
from pathlib import Path
from typing import Any

import sentencepiece
import torch

from xquality import toy
from xquality.models.isolation import preserve_random_state
from xquality.models.model import quiet_transformers

_SHAPE = {
    "d_model": 32,
    "encoder_layers": 1,
    "decoder_layers": 1,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "init_std": 0.6,  # wide, so that no two tokens are equally probable
}


def texts(language: str, count: int = 300) -> list[str]:
    return toy.sentences.load(language, "train")["source_sentence"][:count]


TEXTS = ["</s> eng_Latn __es__ <pad>", ">>de<< Good", *texts("en", 22)]
FAMILIES = ("opus-mt-en-es", "m2m100", "nllb")


def write_pieces(path: Path, lines: list[str], size: int = 300) -> list[str]:
    """Train a SentencePiece model and return its pieces without the special ones."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(lines), model_writer=model, vocab_size=size, model_type="unigram", minloglevel=2,
        hard_vocab_limit=False, num_threads=1,
    )  # fmt: skip
    path.write_bytes(model.getvalue())
    processor = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    return [processor.id_to_piece(number) for number in range(3, processor.get_piece_size())]


def save(network: Any, tokenizer: Any, folder: Path) -> Path:
    network.generation_config.min_new_tokens = 6  # so that nothing is translated to nothing
    with quiet_transformers():
        network.save_pretrained(folder)
        tokenizer.save_pretrained(folder)
    return folder


def make_network(kind: Any, codes: list[int], seed: int = 0) -> Any:
    """Return a network with random weights that seldom writes codes of languages."""
    with preserve_random_state():
        torch.manual_seed(seed)
        network = kind().eval()
    with torch.no_grad():
        network.model.shared.weight[codes] *= 0.1
    return network


def write_marian(
    folder: Path, source: str = "en", target: str = "es", codes: tuple[str, ...] = (), size: int = 0, **shape: Any
) -> Path:
    """Write an OPUS-MT model: two SentencePiece models, one vocabulary, the decoder starting from a zero embedding.

    The vocabulary is filled up to a size with words that no text has.
    """
    from transformers import GenerationConfig, MarianConfig, MarianMTModel, MarianTokenizer

    folder.mkdir(parents=True)
    lines = [*texts("en"), *texts("es")]
    pieces = dict.fromkeys([*write_pieces(folder / "source.spm", lines), *write_pieces(folder / "target.spm", lines)])
    unused = (f"unused{number}" for number in range(size - len(pieces) - len(codes) - 3))
    vocabulary = ["</s>", "<unk>", *pieces, *unused, *(f">>{code}<<" for code in codes), "<pad>"]
    (folder / "vocab.json").write_text(json.dumps({piece: number for number, piece in enumerate(vocabulary)}))
    with warnings.catch_warnings(action="ignore"):
        tokenizer = MarianTokenizer(
            str(folder / "source.spm"), str(folder / "target.spm"), str(folder / "vocab.json"),
            source_lang=source, target_lang=target, model_max_length=128,
        )  # fmt: skip
    pad = len(vocabulary) - 1
    configuration = MarianConfig(
        **{**_SHAPE, "max_position_embeddings": 128, **shape}, vocab_size=len(vocabulary), pad_token_id=pad,
        eos_token_id=0, decoder_start_token_id=pad, forced_eos_token_id=0, scale_embedding=True,
        activation_function="swish", static_position_embeddings=True,
    )  # fmt: skip
    network = make_network(lambda: MarianMTModel(configuration), [0, 1])
    with torch.no_grad():
        network.model.shared.weight[pad] = 0.0
    network.generation_config = GenerationConfig(
        bad_words_ids=[[pad]], pad_token_id=pad, eos_token_id=0, decoder_start_token_id=pad, forced_eos_token_id=0
    )
    return save(network, tokenizer, folder)


def write_m2m100(folder: Path, missing_embeddings: int = 0) -> Path:
    """Write an M2M100 model; `missing_embeddings` makes its vocabulary too small for the last languages."""
    from transformers import M2M100Config, M2M100ForConditionalGeneration, M2M100Tokenizer

    folder.mkdir(parents=True)
    pieces = write_pieces(folder / "sentencepiece.bpe.model", [*texts("en"), *texts("es")])
    vocabulary = ["<s>", "<pad>", "</s>", "<unk>", *pieces]
    (folder / "vocab.json").write_text(json.dumps({piece: number for number, piece in enumerate(vocabulary)}))
    tokenizer = M2M100Tokenizer(
        str(folder / "vocab.json"), str(folder / "sentencepiece.bpe.model"), model_max_length=128
    )
    size = max(tokenizer.lang_token_to_id.values()) + 1 + tokenizer.num_madeup_words - missing_embeddings
    configuration = M2M100Config(**_SHAPE, vocab_size=size, max_position_embeddings=128)
    special = [number for number in [*range(4), *tokenizer.lang_token_to_id.values()] if number < size]
    return save(make_network(lambda: M2M100ForConditionalGeneration(configuration), special), tokenizer, folder)


def write_nllb(folder: Path, *, words: bool = True) -> Path:
    """Write an NLLB model; without words, its tokenizer is what transformers 5 makes of a .bpe.model alone."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers
    from transformers import M2M100Config, M2M100ForConditionalGeneration, NllbTokenizer

    trained = Tokenizer(models.BPE(unk_token="<unk>"))  # noqa: S106 (no password)
    trained.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    trainer = trainers.BpeTrainer(vocab_size=300, special_tokens=special, show_progress=False)
    trained.train_from_iterator([*texts("en"), *texts("es")], trainer)
    content = json.loads(trained.to_str())["model"]
    merges = [tuple(pair) for pair in content["merges"]]
    tokenizer = NllbTokenizer(content["vocab"], merges, model_max_length=128) if words else NllbTokenizer()
    configuration = M2M100Config(**_SHAPE, vocab_size=600, max_position_embeddings=128)
    special = list(tokenizer.get_added_vocab().values())
    return save(make_network(lambda: M2M100ForConditionalGeneration(configuration), special), tokenizer, folder)


def write_families(folder: Path) -> Path:
    """Write a model of each family into a folder, under the names in `FAMILIES`."""
    write_marian(folder / "opus-mt-en-es")
    write_m2m100(folder / "m2m100")
    write_nllb(folder / "nllb")
    return folder
