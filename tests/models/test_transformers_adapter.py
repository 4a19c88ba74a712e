"""What the package uses of transformers and accelerate beyond documented names: one test for each, named after it."""

import importlib.util
import json
from pathlib import Path

import pytest
import torch
import transformers
from transformers import AutoModelForSequenceClassification, AutoTokenizer, Trainer, TrainingArguments

from xquality.models import _transformers
from xquality.models._transformers import (
    computation_settings,
    encoder_class,
    family_class,
    gradient_scaler,
    plain_forward,
    restore_forward,
    save_tokenizer,
    tokenizer_settings,
    use_one_device,
)


@pytest.fixture
def network(encoder: Path) -> torch.nn.Module:
    return AutoModelForSequenceClassification.from_pretrained(encoder)


def make_trainer(network: torch.nn.Module, folder: Path, **settings: object) -> Trainer:
    rows = [{"input_ids": [0, 5, 2], "labels": 0}, {"input_ids": [0, 6, 2], "labels": 1}]
    quiet = {"report_to": "none", "disable_tqdm": True, "save_strategy": "no", "logging_strategy": "no"}
    arguments = TrainingArguments(str(folder), max_steps=1, use_cpu=True, **quiet, **settings)
    return Trainer(network, arguments, train_dataset=rows)


def test_use_one_device_keeps_the_batch_size_with_several_gpus(tmp_path: Path) -> None:
    arguments = TrainingArguments(str(tmp_path), per_device_train_batch_size=8, use_cpu=True)
    assert arguments.n_gpu <= 1
    arguments._n_gpu = 4
    assert arguments.train_batch_size == 32
    use_one_device(arguments)
    assert arguments.train_batch_size == 8


def test_gradient_scaler_is_an_attribute_of_the_trainers_accelerator(network: torch.nn.Module, tmp_path: Path) -> None:
    trainer = make_trainer(network, tmp_path)
    assert hasattr(trainer.accelerator, "scaler")
    assert gradient_scaler(trainer) is None


def test_restore_forward_removes_all_that_mixed_precision_leaves_on_the_network(
    network: torch.nn.Module, tmp_path: Path
) -> None:
    make_trainer(network, tmp_path, bf16=True).train()
    assert {"forward", "_original_forward"} <= set(vars(network))
    restore_forward(network)
    assert not [name for name in vars(network) if "forward" in name and "hook" not in name]
    assert network(torch.tensor([[0, 5, 2]])).logits.dtype == torch.float32
    assert network.forward.__func__ is type(network).forward


def test_plain_forward_takes_the_wrapper_of_mixed_precision_off_and_puts_it_on_again(
    network: torch.nn.Module, tmp_path: Path
) -> None:
    make_trainer(network, tmp_path, bf16=True).train()
    wrapped = network.forward
    with plain_forward(network):
        assert network.forward.__func__ is type(network).forward
    assert network.forward is wrapped


@pytest.mark.parametrize(("kind", "prefix"), [("Bert", "bert"), ("XLMRoberta", "roberta")])
def test_encoder_class_and_family_class_are_those_of_the_encoders_model(kind: str, prefix: str, tmp_path: Path) -> None:
    config = getattr(transformers, f"{kind}Config")(vocab_size=9, hidden_size=4, num_attention_heads=1)
    config.save_pretrained(tmp_path)
    assert encoder_class(tmp_path) is getattr(transformers, f"{kind}Model")
    family = family_class(getattr(transformers, f"{kind}Model"))
    assert family.base_model_prefix == prefix
    assert issubclass(getattr(transformers, f"{kind}ForSequenceClassification"), family)


def test_computation_settings_leave_out_the_folder_and_the_version(network: torch.nn.Module, tmp_path: Path) -> None:
    network.save_pretrained(tmp_path)
    again = AutoModelForSequenceClassification.from_pretrained(tmp_path)
    assert computation_settings(again) == computation_settings(network)
    assert str(tmp_path) not in json.dumps(computation_settings(again))
    assert set(network.config.to_dict()) >= _transformers._ORIGIN - {"_name_or_path"}


def test_tokenizer_settings_do_not_depend_on_earlier_calls(encoder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    before = tokenizer_settings(tokenizer)
    tokenizer(["a", "b c"], padding=True, truncation=True, max_length=3)
    assert tokenizer_settings(tokenizer) == before
    assert before["model"]["type"] == "Unigram"


def test_save_tokenizer_writes_the_same_bytes_whatever_was_called_before(encoder: Path, tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    save_tokenizer(tokenizer, tmp_path / "before")
    tokenizer(["a", "b c"], padding=True, truncation=True, max_length=3)
    save_tokenizer(tokenizer, tmp_path / "after")
    for file in (tmp_path / "before").iterdir():
        assert file.read_bytes() == (tmp_path / "after" / file.name).read_bytes(), file.name


def test_unigram_tokenizer_normalises_as_sentencepiece_does(encoder: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(encoder)
    assert tokenizer("\uff54\uff45\uff4e\uff4e\uff49\uff53 \ufb01")["input_ids"] == tokenizer("tennis fi")["input_ids"]
    assert tokenizer.model_max_length == 512


def test_reporting_integrations_names_what_is_installed() -> None:
    names = _transformers.reporting_integrations()
    assert ("tensorboard" in names) == (importlib.util.find_spec("tensorboard") is not None)
    assert "nowhere" not in names
