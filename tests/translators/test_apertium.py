"""Apertium: the real engine where Debian's packages are installed, and broken engines, which are small scripts."""

import shutil
import time
from pathlib import Path

import pytest

from xquality.errors import LanguagePairError, NotInstalledError, SettingError, TranslationError
from xquality.translators import Apertium, Cached, MarkedText, apertium, from_dict

COMMAND = "apt-get install apertium apertium-eng-spa"
HAS_ENGINE = shutil.which("apertium") is not None and Path("/usr/share/apertium/modes/eng-spa.mode").exists()
needs_engine = pytest.mark.skipif(not HAS_ENGINE, reason=f"needs Apertium: {COMMAND}")

# The first sentence sets a transfer variable of eng-spa that nothing resets: from one process for all three, the verb of
# the second would come out as a participle.
ENGLISH = ("Known meteorites have fallen.", "Siminoff appeared on television.", "The old man bought the car.")


@pytest.fixture
def make_broken(tmp_path, monkeypatch):
    """Return a function that makes an engine of one stage, a shell script; its mode may count as context-free."""

    def make(script: str, *, context_free: bool = False, **settings) -> Apertium:
        stage = tmp_path / "stage"
        stage.write_text(f"#!/bin/bash\n{script}\n", encoding="utf-8")
        stage.chmod(0o755)
        (tmp_path / "modes").mkdir(exist_ok=True)
        (tmp_path / "modes" / "eng-spa.mode").write_text(f"{stage} $1 $2", encoding="utf-8")
        if context_free:
            monkeypatch.setattr(apertium, "_CONTEXT_FREE", {"eng-spa": "eng-spa.mode"})
        return Apertium(folder=tmp_path, **settings)

    return make


@needs_engine
def test_texts_come_out_as_from_a_fresh_engine_whatever_stands_before_them() -> None:
    engine = Apertium(processes=3)
    forward = engine.translate(ENGLISH, "eng_Latn", "spa_Latn")
    assert forward[1:] == ["Siminoff Pareció en televisivo.", "El hombre viejo compró el coche."]
    assert engine.translate(ENGLISH[::-1], "en", "es") == forward[::-1]
    assert Apertium().translate(ENGLISH[1:], "en", "es") == forward[1:]


@needs_engine
def test_a_pair_without_state_runs_in_one_process_with_the_same_translations(monkeypatch) -> None:
    texts = ["El coche rojo está aquí.", "¿Quién lo compró?", "", "Una casa\n\nvieja [de] {piedra} ^y^ $5 \\ / @ <b>"]
    together = Apertium().translate(texts, "es", "en")
    assert together[0] == "The red car is here."
    assert Apertium(processes=2).translate(texts[::-1], "es", "en") == together[::-1]
    monkeypatch.setattr(apertium, "_CONTEXT_FREE", {})
    assert Apertium(processes=4).translate(texts, "es", "en") == together


@needs_engine
def test_signs_of_the_engine_and_white_space_survive() -> None:
    text = "  [x] {b} ^c^ $5 \\d/ @ <b> *star #3 C# a+b x*y ~ 5~6\n\nnew\x00line\t. "
    (found,) = Apertium().translate([text], "en", "es")
    for sign in ("  [x] {b} ^c^ $5 \\d/ @ <b> *", "#3 C#", "x*y ~ 5~6\n\n"):
        assert sign in found
    assert found.endswith(" ")
    assert not found.endswith("  ")


@needs_engine
def test_unknown_words_are_kept_or_marked() -> None:
    assert Apertium().translate(["The qarqex."], "en", "es") == ["El qarqex."]
    assert Apertium(unknown="mark").translate(["The qarqex."], "en", "es") == ["El *qarqex."]


@needs_engine
def test_marked_words_are_followed_to_where_they_go() -> None:
    text = 'The red car of "John Smith" was bought for $5.'
    marked = [
        MarkedText(text, ((4, 11), (15, 27), (43, 44), (3, 3))),
        MarkedText("He gives up.", ((0, 2),)),
        MarkedText("", ()),
    ]
    engine = Apertium(processes=2)
    first, second, third = engine.translate_marked(marked, "en", "es")
    assert first.text == engine.translate([text], "en", "es")[0]
    assert [[first.text[start:end] for start, end in pieces] for pieces in first.pieces] == [
        ["coche rojo"],
        ["John Smith"],
        ["$"],
        [],
    ]
    assert second.pieces == ((),)  # Spanish has no pronoun there
    assert (third.text, third.pieces) == ("", ())


@needs_engine
def test_the_version_names_the_packages_and_the_data() -> None:
    engine = Apertium()
    assert "apertium 3." in engine.version
    assert "eng-spa" in engine.version_of("en", "es")
    assert engine.version_of("en", "es") != engine.version_of("es", "en")
    assert Apertium(unknown="mark").version != engine.version
    assert Apertium(processes=3, timeout=1.0).version == engine.version
    assert {("en", "es"), ("es", "en")} <= set(engine.pairs())
    assert from_dict(engine.to_dict()) == engine == eval(repr(engine))  # noqa: S307 (our own text)


@needs_engine
def test_a_missing_pair_is_named_with_what_there_is_and_its_package(tmp_path, make_broken) -> None:
    engine = make_broken("cat")
    with pytest.raises(LanguagePairError, match=r"'deu' to 'en'; there are en-es\.$"):
        engine.translate(["a"], "deu", "en")
    with pytest.raises(LanguagePairError, match=r"there are en-es\. .* apt-get install apertium-eng-cat"):
        engine.translate(["a"], "eng_Latn", "cat_Latn")
    with pytest.raises(LanguagePairError, match="apt-get install apertium-hbs-eng"):
        engine.translate(["a"], "hr", "en")


def test_a_missing_engine_is_named_with_the_command(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    for ask in (
        lambda: Apertium().version,
        lambda: Apertium().pairs(),
        lambda: Apertium().translate(["a"], "en", "es"),
        lambda: Cached(Apertium(), tmp_path).translate(["a"], "en", "es"),
        lambda: Apertium().summary(),
    ):
        with pytest.raises(NotInstalledError, match=COMMAND):
            ask()


@needs_engine
@pytest.mark.parametrize("context_free", [False, True])
@pytest.mark.parametrize(
    ("script", "error", "match"),
    [
        ("head -c 9", TranslationError, "printed 1 translations|without the end"),
        ("cat > /dev/null", TranslationError, "printed 0 translations"),
        ("cat; printf 'one more\\0'", TranslationError, r"printed \d translations"),
        ("printf 'one more\\0'; cat", TranslationError, "printed|without the end"),
        ("sed 's/.~0~.//'", TranslationError, "without the end"),
        ("cat > /dev/null; kill -9 $$", TranslationError, "killed by signal 9"),
        ("cat; kill -9 $$", TranslationError, "killed by signal 9"),
        ("cat; echo no data >&2; exit 3", TranslationError, "exit status 3: no data"),
        ("exec /nowhere/no-such-program", NotInstalledError, "no-such-program"),
        ("cat; printf '\\xff'", TranslationError, "UTF-8"),
        ("tr -d 'a-z'", TranslationError, "returned nothing for text 0"),
    ],
)
def test_a_broken_engine_is_an_error_and_nothing_is_cached(
    make_broken, tmp_path, script: str, error: type[Exception], match: str, context_free: bool
) -> None:
    engine = make_broken(script, context_free=context_free)
    for translator in (engine, Cached(engine, tmp_path / "cache")):
        with pytest.raises(error, match=match):
            translator.translate(["some", "words"], "en", "es")
    assert not list(tmp_path.rglob("*.sqlite"))


@needs_engine
def test_an_engine_that_says_nothing_is_stopped_with_all_its_processes(make_broken, tmp_path) -> None:
    engine = make_broken(f"sleep 987 & echo $! > {tmp_path}/child; sleep 987", timeout=0.5)
    begun = time.monotonic()
    with pytest.raises(TranslationError, match=r"printed nothing for 0\.5 seconds"):
        engine.translate(["a"], "en", "es")
    assert time.monotonic() - begun < 10
    command = Path("/proc", (tmp_path / "child").read_text().strip(), "cmdline")
    while command.exists() and command.read_bytes():  # empty when it has ended
        assert time.monotonic() - begun < 20


@needs_engine
def test_more_texts_than_a_pipe_holds_come_back_in_order(make_broken) -> None:
    engine = make_broken("cat", context_free=True, processes=2)
    texts = [f"text {number} " + "long " * 50 for number in range(2001)]
    assert engine.translate(texts, "en", "es") == texts


def test_settings_are_checked() -> None:
    for settings in ({"unknown": "drop"}, {"processes": 0}, {"timeout": 0}, {"folder": 3}):
        with pytest.raises(SettingError):
            Apertium(**settings)
