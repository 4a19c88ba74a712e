"""The typed errors: one base to catch, and the builtin that existing handlers expect."""

import inspect
import itertools

import pytest

from xquality import errors
from xquality.errors import XqualityError

CLAIMED = {
    "SettingError": ValueError,
    "DataKindError": TypeError,
    "ColumnError": ValueError,
    "LabelError": ValueError,
    "UidError": ValueError,
    "RepeatedTransformError": ValueError,
    "StreamError": TypeError,
    "TransformError": RuntimeError,
    "SerialisationError": ValueError,
    "SourceError": LookupError,
    "UnreachableError": ConnectionError,
    "DamagedError": RuntimeError,
    "WriteError": OSError,
    "ModelError": ValueError,
    "TrainingError": RuntimeError,
    "NotInstalledError": ImportError,
    "LanguagePairError": LookupError,
    "TranslationError": RuntimeError,
    "MetricError": ValueError,
    "ConvergenceError": ValueError,
    "StudyError": RuntimeError,
}


@pytest.mark.parametrize(("name", "builtin"), CLAIMED.items())
def test_an_error_is_caught_by_the_base_and_by_the_builtin_it_claims(name: str, builtin: type[Exception]) -> None:
    kind = getattr(errors, name)
    for caught in (XqualityError, builtin, kind):
        with pytest.raises(caught, match="why"):
            raise kind("why")


def test_no_error_is_caught_by_the_handler_of_another() -> None:
    kinds = [getattr(errors, name) for name in CLAIMED]
    assert not [(kind, other) for kind, other in itertools.permutations(kinds, 2) if issubclass(kind, other)]


def test_the_module_exports_every_error_and_nothing_else() -> None:
    defined = {name for name, value in vars(errors).items() if inspect.isclass(value)}
    assert set(errors.__all__) == defined == {"XqualityError", "ConstantAnswerWarning", "RateWarning", *CLAIMED}


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (ValueError("It is too long.\nSee the log."), "It is too long"),
        (OSError("\n  no such file"), "no such file"),
        (KeyError("name"), "'name'"),
        (RuntimeError(), "RuntimeError"),
        (RuntimeError(" \n"), "RuntimeError"),
    ],
)
def test_the_first_line_of_an_error_can_be_quoted_in_a_sentence(error: Exception, line: str) -> None:
    assert errors.first_line(error) == line


@pytest.mark.parametrize("name", sorted({"ConstantAnswerWarning", "RateWarning", *CLAIMED}))
def test_every_error_says_what_causes_it_and_what_to_do(name: str) -> None:
    cause, _, advice = (inspect.getdoc(getattr(errors, name)) or "").partition("\n\n")
    assert cause.endswith(".")
    assert advice.endswith(".")
