"""Language identification: the languages it knows, varieties, and that nothing is fetched or unpickled."""

from xquality import toy
from xquality.languages import identity
from xquality.tasks import pawsx, sib200, xnli
from xquality.text.language_identification import (
    NOT_A_LANGUAGE,
    identifiable_languages,
    identifier_name,
    identify_languages,
)


def test_every_language_of_the_tasks_can_be_identified() -> None:
    for task in (xnli, pawsx, toy.topics):
        assert {identity(language) for language in task.languages} <= set(identifiable_languages())
    many = {identity(language) for language in sib200.languages}
    assert len(many & set(identifiable_languages())) > 110
    assert NOT_A_LANGUAGE not in identifiable_languages()


def test_codes_are_written_as_identity_writes_them() -> None:
    assert all(identity(code) == code for code in identifiable_languages())


def test_a_variety_counts_as_its_language_unless_it_is_given_itself() -> None:
    cantonese = ["\u4f62\u54cb\u55ba\u5c4b\u4f01\u5605\u6642\u5019\u5514\u4fc2\u5e7e\u958b\u5fc3\u3002"]
    assert identify_languages(cantonese, "zh")[0][0] == "zh"
    assert identify_languages(cantonese, "yue")[0][0] == "yue"
    code, probability = identify_languages(["\u4f60\u597d\uff0c\u6211\u4eec\u660e\u5929\u89c1\u3002"], "zh")[0]
    assert code == "zh"
    assert 0.9 < probability <= 1.0


def test_the_model_is_read_offline_and_never_unpickled(run_python) -> None:
    program = (
        "import pickle, socket, xquality.text.language_identification\n"
        "def refuse(*_, **__): raise AssertionError('reached')\n"
        "pickle.load = pickle.loads = pickle.Unpickler = refuse\n"
        "socket.socket.connect = refuse\n"
        "from xquality.text.language_identification import identify_languages\n"
        "print(identify_languages(['The weather is fine today.'], 'en')[0][0])"
    )
    assert run_python(program) == "en"
    assert identifier_name().startswith("py3langid ")


def test_py3langid_still_has_the_internal_names_that_are_used() -> None:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    shipped = LanguageIdentifier.from_model_file(MODEL_FILE)
    missing = [
        name
        for name in ("nb_classes", "nb_ptc", "nb_pc", "tk_nextmove", "tk_output", "tk_row", "labels", "classify")
        if not hasattr(shipped, name)
    ]
    assert not missing, f"py3langid no longer has {missing}; adapt xquality/text/language_identification.py"
