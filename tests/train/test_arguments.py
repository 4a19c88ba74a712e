import pytest

from xquality import toy
from xquality.errors import SettingError
from xquality.train import Stage, fit
from xquality.train.arguments import ALLOWED, arguments, check_arguments


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
def test_what_a_stage_sets_itself_or_has_no_part_in_a_step_is_refused(name):
    with pytest.raises(SettingError, match=f"{name}.*ALLOWED"):
        check_arguments(Stage(toy.topics, arguments={name: True}))


def test_every_allowed_name_is_one_of_transformers():
    import dataclasses

    from transformers import TrainingArguments

    assert {one.name for one in dataclasses.fields(TrainingArguments)} >= ALLOWED


def test_what_a_stage_says_reaches_the_trainer(tmp_path):
    stage = Stage(toy.topics, batch_size=12, warmup=0.5, arguments={"gradient_accumulation_steps": 3, "optim": "sgd"})
    found = arguments(stage, 10, str(tmp_path), 7, 1e-3)
    assert (found.per_device_train_batch_size, found.max_steps, found.warmup_steps) == (4, 10, 5)
    assert (found.optim, found.seed, found.learning_rate) == ("sgd", 7, 1e-3)


@pytest.mark.parametrize("parts", [0, 3, True, "2"])
def test_a_batch_is_cut_into_equal_parts(parts):
    with pytest.raises(SettingError, match="choose a divisor"):
        check_arguments(Stage(toy.topics, batch_size=8, arguments={"gradient_accumulation_steps": parts}))


@pytest.mark.parametrize("given", [{"optim": "nope"}, {"weight_decay": object()}])
def test_a_mistake_in_a_later_stage_is_told_before_anything_is_trained(encoder, monkeypatch, given):
    monkeypatch.setattr("xquality.train.job._train", lambda *_: pytest.fail("something was trained"))
    chain = [Stage(toy.topics, steps=1), Stage(toy.topics, steps=1, arguments=given)]
    with pytest.raises(SettingError, match="arguments"):
        fit(chain, model=encoder, seed=1)
