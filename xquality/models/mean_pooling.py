"""A classifier on the mean of an encoder's tokens: the mean, normalised to a fixed length, and one linear layer.

transformers has no such class for most encoders, so one is derived from the family of each. It is written and read as
safetensors like any other; the encoder's weights keep the names under which `AutoModel` finds them.
"""

import functools
from pathlib import Path
from typing import Any, Final

import torch
from transformers import PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput

from xquality.errors import ModelError
from xquality.models._transformers import encoder_class, family_class

LENGTH: Final = 20.0
"""The length of a pooled vector: the root of a width of about 400, so that its entries are near 1."""

_PREFIX: Final = "MeanPooled"  # of a class's name, before that of the encoder's class


def mean_of_tokens(hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Return the mean vector of each sentence's tokens, shape (sentences, width), in single precision.

    Args:
        hidden: the tokens' vectors, shape (sentences, tokens, width).
        mask: the tokens that count, shape (sentences, tokens); a sentence without any gives zeros.
    """
    counted = mask.to(hidden.device).float()[:, :, None]
    return (hidden.float() * counted).sum(1) / counted.sum(1).clamp(min=1)


@functools.cache
def _derive(encoder: Any) -> type[PreTrainedModel]:
    """Return the class of classifiers on the mean of the tokens of an encoder's class, such as `XLMRobertaModel`."""
    family: Any = family_class(encoder)

    class MeanPooledClassifier(family):  # type: ignore[misc]  # the base is known when the program runs
        """The encoder, and a linear layer on the mean of its last hidden states over the attended tokens."""

        def __init__(self, config: Any) -> None:
            super().__init__(config)
            setattr(self, self.base_model_prefix, encoder(config))
            if getattr(self.base_model, "pooler", None) is not None:
                self.base_model.pooler = None  # it reads the first token, which this classifier does not
            # Another name than the stock head's: its classes must not take this layer for theirs.
            self.mean_classifier = torch.nn.Linear(config.hidden_size, config.num_labels)
            self.post_init()

        def forward(
            self,
            input_ids: torch.Tensor,
            attention_mask: torch.Tensor | None = None,
            token_type_ids: torch.Tensor | None = None,
        ) -> SequenceClassifierOutput:
            """Return the logits of each sentence, shape (sentences, labels)."""
            segments = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
            mask = torch.ones_like(input_ids) if attention_mask is None else attention_mask
            hidden = self.base_model(input_ids, attention_mask=mask, **segments).last_hidden_state
            vectors = torch.nn.functional.normalize(mean_of_tokens(hidden, mask), dim=-1) * LENGTH
            return SequenceClassifierOutput(logits=self.mean_classifier(vectors.to(self.mean_classifier.weight.dtype)))

    # Under this name, which configurations hold, `named_class` and pickle find the class again.
    MeanPooledClassifier.__name__ = MeanPooledClassifier.__qualname__ = f"{_PREFIX}{encoder.__name__}"
    return MeanPooledClassifier


def named_class(name: str) -> type[PreTrainedModel] | None:
    """Return the class of a name such as `MeanPooledXLMRobertaModel`; None for a name of another kind."""
    import transformers

    encoder = getattr(transformers, name.removeprefix(_PREFIX), None) if name.startswith(_PREFIX) else None
    is_model = isinstance(encoder, type) and issubclass(encoder, PreTrainedModel)
    return _derive(encoder) if is_model else None


def __getattr__(name: str) -> Any:
    """Return a derived class by its name, for pickle."""
    found = named_class(name)
    if found is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return found


def class_for_folder(folder: Path) -> type[PreTrainedModel]:
    """Return the class that reads the encoder in a folder.

    Raises:
        ModelError: where transformers has no encoder of its kind.
    """
    found: Any = encoder_class(folder)
    if found is None:
        raise ModelError(
            f'SequenceHead(pooling="mean") reads encoders that transformers has a class for, but {folder} is another; '
            'set pooling="first".'
        )
    return _derive(found)
