"""Which arguments of transformers a stage may set, and how they reach the Trainer."""

from pathlib import Path

import pytest

from xquality import toy
from xquality.errors import SettingError
from xquality.train import Stage, fit
from xquality.train.arguments import ALLOWED, check_arguments, make_arguments
from xquality.train.stage import REPORTING


@pytest.mark.parametrize(
    "name",
    [
        "auto_find_batch_size",
        "eval_on_start",
        "load_best_model_at_end",
        "push_to_hub",
        "deepspeed",
        "max_steps",
        "lerning",
    ],
)
def test_an_argument_that_the_stage_sets_itself_or_that_does_not_change_a_step_is_refused(name):
    with pytest.raises(SettingError, match=f"{name}.*an allowed argument"):
        check_arguments(Stage(toy.topics, arguments={name: True}))


def test_every_allowed_name_is_one_of_transformers():
    import dataclasses

    from transformers import TrainingArguments

    assert {field.name for field in dataclasses.fields(TrainingArguments)} >= ALLOWED | REPORTING - {"logging_dir"}


def test_every_allowed_name_is_on_the_page_about_training():
    page = (Path(__file__).parents[2] / "docs/how-to/train.md").read_text(encoding="utf-8")
    assert not [name for name in ALLOWED | REPORTING if f"`{name}`" not in page]


def test_the_settings_of_a_stage_reach_the_trainer(tmp_path):
    stage = Stage(toy.topics, batch_size=12, warmup=0.5, arguments={"gradient_accumulation_steps": 3, "optim": "sgd"})
    made = make_arguments(stage, 10, str(tmp_path), 7, 1e-3)
    assert (made.per_device_train_batch_size, made.max_steps, made.warmup_steps) == (4, 10, 5)
    assert (made.optim, made.seed, made.learning_rate) == ("sgd", 7, 1e-3)


@pytest.mark.parametrize("parts", [0, 3, True, "2"])
def test_a_batch_is_cut_into_equal_parts(parts):
    with pytest.raises(SettingError, match="choose a divisor"):
        check_arguments(Stage(toy.topics, batch_size=8, arguments={"gradient_accumulation_steps": parts}))


@pytest.mark.usefixtures("no_training")
@pytest.mark.parametrize("arguments", [{"optim": "nope"}, {"weight_decay": object()}])
def test_a_mistake_in_a_later_stage_is_raised_before_anything_is_trained(encoder, arguments):
    chain = [Stage(toy.topics, steps=1), Stage(toy.topics, steps=1, arguments=arguments)]
    with pytest.raises(SettingError, match="arguments"):
        fit(chain, model=encoder, seed=1)
