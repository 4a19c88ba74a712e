"""Identification: the languages there are, and that nothing is fetched or unpickled."""

from xquality import toy
from xquality.languages import identity
from xquality.tasks import pawsx, sib200, xnli
from xquality.text.language_identification import NOT_A_LANGUAGE, identifiable, identifier_name, identify


def test_every_language_of_the_tasks_can_be_identified() -> None:
    for task in (sib200, xnli, pawsx, toy.topics):
        assert {identity(one) for one in task.languages} <= set(identifiable())
    assert NOT_A_LANGUAGE not in identifiable()


def test_codes_are_those_that_languages_are_known_by() -> None:
    assert all(identity(one) == one for one in identifiable())


def test_members_of_a_macrolanguage_count_as_it_unless_they_are_looked_for() -> None:
    cantonese = ["\u4f62\u54cb\u55ba\u5c4b\u4f01\u5605\u6642\u5019\u5514\u4fc2\u5e7e\u958b\u5fc3\u3002"]
    assert identify(cantonese, "zh")[0][0] == "zh"
    assert identify(cantonese, "yue")[0][0] == "yue"
    code, probability = identify(["\u4f60\u597d\uff0c\u6211\u4eec\u660e\u5929\u89c1\u3002"], "zh")[0]
    assert code == "zh"
    assert 0.9 < probability <= 1.0


def test_the_model_is_read_offline_and_never_unpickled(run_python) -> None:
    program = (
        "import pickle, socket, xquality.text.language_identification\n"
        "def refuse(*_, **__): raise AssertionError('reached')\n"
        "pickle.load = pickle.loads = pickle.Unpickler = refuse\n"
        "socket.socket.connect = refuse\n"
        "from xquality.text.language_identification import identify\n"
        "print(identify(['The weather is fine today.'], 'en')[0][0])"
    )
    assert run_python(program) == "en"
    assert identifier_name().startswith("py3langid ")
