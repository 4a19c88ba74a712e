"""What the package uses of transformers and accelerate beyond their documented names, in one place.

`tests/models/test_transformers_adapter.py` has a test for each function, which fails by name when a new version of
transformers or accelerate behaves differently.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase, Trainer, TrainingArguments

# Entries of a configuration that say where a model was loaded from, and with which version, not what it computes.
_ORIGIN = frozenset({"_name_or_path", "transformers_version", "architectures", "dtype"})
_FORWARD = ("forward", "_original_forward")  # where accelerate puts the wrapper of mixed precision


def use_one_device(arguments: "TrainingArguments") -> None:
    """Make the Trainer use one GPU at most, so that a batch has the rows that the stage names.

    transformers has no public setting for it: with several visible GPUs it multiplies the batch by their number.
    """
    arguments._n_gpu = min(arguments.n_gpu, 1)  # noqa: SLF001


def reporting_integrations() -> list[str]:
    """Return the names of the reporting tools, such as tensorboard, that transformers can use here."""
    from transformers.integrations.integration_utils import get_available_reporting_integrations

    names: list[str] = get_available_reporting_integrations()  # type: ignore[no-untyped-call]  # transformers' own
    return names


def gradient_scaler(trainer: "Trainer") -> Any:
    """Return the scaler of the gradients in mixed precision with float16; None without one."""
    return getattr(trainer.accelerator, "scaler", None)


def restore_forward(network: "torch.nn.Module") -> None:
    """Remove the wrapper that accelerate leaves on a network's `forward` after mixed precision."""
    for name in _FORWARD:
        network.__dict__.pop(name, None)


@contextmanager
def plain_forward(network: "torch.nn.Module") -> Iterator[None]:
    """Take the wrapper of mixed precision off a network's `forward` inside the block; put it on again at the end."""
    wrapper = {name: network.__dict__[name] for name in _FORWARD if name in network.__dict__}
    is_wrapped = len(wrapper) == len(_FORWARD)
    if is_wrapped:
        restore_forward(network)
    try:
        yield
    finally:
        if is_wrapped:
            network.__dict__.update(wrapper)


def computation_settings(network: "PreTrainedModel") -> dict[str, Any]:
    """Return the entries of a network's configuration that decide what it computes."""
    return {name: value for name, value in network.config.to_dict().items() if name not in _ORIGIN}


def tokenizer_settings(tokenizer: "PreTrainedTokenizerBase") -> dict[str, Any]:
    """Return a fast tokenizer as plain JSON values, without padding and truncation, which each call sets anew."""
    settings = json.loads(tokenizer.backend_tokenizer.to_str())
    return {name: value for name, value in settings.items() if name not in ("padding", "truncation")}


def encoder_class(folder: Path) -> "type[PreTrainedModel] | None":
    """Return the class that `AutoModel` loads a folder with; None where it has several for one kind."""
    from transformers import MODEL_MAPPING, AutoConfig

    config = AutoConfig.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    found = MODEL_MAPPING.get(type(config), None)
    return found if isinstance(found, type) else None


def family_class(encoder: "type[PreTrainedModel]") -> "type[PreTrainedModel]":
    """Return the class that all models of an encoder's family share: how weights are drawn, and their prefix."""
    family: type[PreTrainedModel] = encoder.__bases__[0]
    return family


def save_tokenizer(tokenizer: "PreTrainedTokenizerBase", folder: Path) -> None:
    """Write a fast tokenizer without the padding and truncation of its last call, which it would keep otherwise."""
    backend = tokenizer.backend_tokenizer
    backend.no_padding()
    backend.no_truncation()
    tokenizer.save_pretrained(folder)


def unigram_tokenizer(
    pieces: Sequence[tuple[str, float]], character_map: bytes, max_length: int
) -> "PreTrainedTokenizerBase":
    """Return XLM-R's tokenizer over word pieces and their scores.

    Args:
        pieces: each piece with its score, special tokens included, in the order of their ids.
        character_map: the compiled normalisation rules of SentencePiece; no documented argument takes them.
        max_length: the most tokens that the model reads.
    """
    from transformers import XLMRobertaTokenizer

    made: PreTrainedTokenizerBase = XLMRobertaTokenizer(
        vocab=list(pieces),
        _spm_precompiled_charsmap=character_map,  # type: ignore[arg-type]  # declared as str, but only bytes work
        model_max_length=max_length,
    )
    return made
