"""Code that a model's folder brings along is never run, and nobody is asked whether to run it."""

import ast
import contextlib
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

import xquality
from xquality import toy
from xquality.errors import ModelError, XqualityError
from xquality.evaluation import evaluate
from xquality.models import load_encoder, trim_encoder
from xquality.train import Fitted, Stage, fit

FILES = ("config.json", "tokenizer_config.json")
CODE = "from pathlib import Path\nPath({ran!r}).write_text('ran')\nraise SystemExit\n"


@pytest.fixture(autouse=True)
def nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("builtins.input", lambda *_: pytest.fail("somebody was asked"))


def plant(folder: Path, file: str, *, known: bool) -> Path:
    """Let a folder's configuration name a module beside it; return the file that the module would write."""
    ran = folder / "ran"
    (folder / "foreign.py").write_text(CODE.format(ran=str(ran)), encoding="utf-8")
    settings = json.loads((folder / file).read_text(encoding="utf-8"))
    classes = ("AutoConfig", "AutoModel", "AutoModelForSequenceClassification")
    if file == "config.json":
        settings["auto_map"] = {name: f"foreign.{name}" for name in classes}
    else:
        settings["auto_map"] = {"AutoTokenizer": ["foreign.Own", "foreign.OwnFast"]}
    if not known:
        settings |= {"model_type": "own"} if file == "config.json" else {"tokenizer_class": "Own"}
    (folder / file).write_text(json.dumps(settings), encoding="utf-8")
    return ran


LOADING: dict[str, Callable[[Path], object]] = {
    "load_encoder": load_encoder,
    "evaluate": lambda folder: evaluate(folder, toy.sentences, ["es"], rows=None, threads=1),
    "fit": lambda folder: fit([Stage(toy.topics, steps=1)], model=folder, seed=1, threads=1),
    "trim_encoder": lambda folder: trim_encoder(folder, ["text"], folder=folder.parent / "small"),
}


@pytest.mark.parametrize("load", LOADING.values(), ids=LOADING)
@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("known", [True, False])
def test_an_encoder_with_code_is_loaded_without_it_or_refused(
    encoder: Path, tmp_path: Path, load: Callable[[Path], object], file: str, known: bool
) -> None:
    folder = tmp_path / "model"
    shutil.copytree(encoder, folder)
    ran = plant(folder, file, known=known)
    with contextlib.nullcontext() if known else contextlib.suppress(ModelError):
        load(folder)
    assert not ran.exists()


def test_the_refusal_names_the_code(encoder: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(encoder, folder)
    plant(folder, "config.json", known=False)
    with pytest.raises(ModelError, match="code of its own, which is never run"):
        load_encoder(folder)


@pytest.mark.parametrize("file", FILES)
@pytest.mark.parametrize("known", [True, False])
def test_a_fitted_model_with_code_runs_none(encoder: Path, tmp_path: Path, file: str, known: bool) -> None:
    folder = fit([Stage(toy.topics, steps=1)], model=encoder, seed=1, threads=1).save(tmp_path / "model")
    ran = plant(folder, file, known=known)
    for load in (Fitted.load, LOADING["evaluate"]):
        with contextlib.suppress(XqualityError):
            load(folder)
    assert not ran.exists()


def test_every_call_that_may_load_code_refuses_it() -> None:
    package = Path(xquality.__file__).parent
    without = []
    for file in package.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            call = node.func if isinstance(node, ast.Call) else None
            if isinstance(call, ast.Attribute) and call.attr == "from_pretrained" and isinstance(node, ast.Call):
                written = ast.unparse(node)
                is_fixed_class = "Embedding" in written or written.startswith("kind.")  # they never read auto_map
                if "trust_remote_code=False" not in written and "**options" not in written and not is_fixed_class:
                    without.append(f"{file.name}: {written}")
    assert not without
