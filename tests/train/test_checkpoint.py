"""Checkpoints: read as they were written, and skipped where damaged."""

import random  # noqa: TID251 (its state is tested)
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from xquality._stored import write_checksums
from xquality.models.isolation import preserve_random_state
from xquality.train.checkpoint import Checkpoints, extract_tensors, get_random_state, insert_tensors, set_random_state


def write(folder: Path, *steps: int) -> Checkpoints:
    checkpoints = Checkpoints(folder / "run", 10)
    for step in steps:
        checkpoints.write(step, {"note": f"at {step}"}, {"w": torch.full((3,), float(step))})
    return checkpoints


def test_the_last_checkpoint_is_read_and_old_ones_are_deleted(tmp_path: Path) -> None:
    checkpoints = write(tmp_path, 10, 20, 30)
    state, tensors = checkpoints.read()
    assert (state["step"], state["note"], tensors["w"].tolist()) == (30, "at 30", [30.0] * 3)
    assert len(list((tmp_path / "run").iterdir())) == 2
    assert Checkpoints(tmp_path / "other", 10).read() is None
    checkpoints.clear()
    assert checkpoints.read() is None


@pytest.mark.parametrize("name", ["tensors.safetensors", "state.json", "checksums.json"])
@pytest.mark.parametrize("harm", ["cut", "flip", "delete"])
def test_a_damaged_checkpoint_is_skipped_for_the_one_before(tmp_path: Path, name: str, harm: str) -> None:
    checkpoints = write(tmp_path, 10, 20)
    file = tmp_path / "run/step-000000020" / name
    content = file.read_bytes()
    if harm == "delete":
        file.unlink()
    else:
        file.write_bytes(
            content[: len(content) // 2] if harm == "cut" else content[:-2] + bytes([content[-2] ^ 1]) + content[-1:]
        )
    with pytest.warns(UserWarning, match="step-000000020"):
        state, _ = checkpoints.read()
    assert state["step"] == 10


@pytest.mark.parametrize("checksums", ["kept", "written again"])
def test_a_checkpoint_of_another_step_or_run_is_skipped(tmp_path: Path, checksums: str) -> None:
    checkpoints = write(tmp_path, 10, 20)
    (tmp_path / "run/step-000000020").rename(tmp_path / "run/step-000000090")
    if checksums == "written again":
        (tmp_path / "run/step-000000090/checksums.json").unlink()
        write_checksums(tmp_path / "run/step-000000090", {"run": "run", "step": 90})
    with pytest.warns(UserWarning, match="step-000000090"):
        state, _ = checkpoints.read()
    assert state["step"] == 10
    (tmp_path / "run").rename(tmp_path / "other")
    with pytest.warns(UserWarning, match="step-000000010"):
        assert Checkpoints(tmp_path / "other", 10).read() is None


def test_the_unfinished_checkpoint_of_a_killed_process_is_not_read(tmp_path: Path) -> None:
    checkpoints = write(tmp_path, 10)
    left = tmp_path / "run/.unfinished-abc"
    left.mkdir()
    (left / "tensors.safetensors").write_bytes(b"x")
    state, _ = checkpoints.read()
    assert state["step"] == 10
    assert not left.exists()


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.floats(allow_nan=False)),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(st.one_of(st.integers(0, 5), st.text(max_size=3)), inner, max_size=3),
    ),
)


@given(values)
def test_nested_values_come_back(value) -> None:
    assert insert_tensors(extract_tensors(value, "x", {}), {}) == value


def test_an_optimiser_comes_back_to_the_last_bit() -> None:
    def made() -> tuple[torch.nn.Linear, torch.optim.AdamW]:
        network = torch.nn.Linear(4, 3)
        return network, torch.optim.AdamW(network.parameters(), lr=0.1)

    network, optimizer = made()
    network(torch.ones(2, 4)).sum().backward()
    optimizer.step()
    tensors: dict[str, torch.Tensor] = {}
    state = extract_tensors(optimizer.state_dict(), "o", tensors)
    other, again = made()
    other.load_state_dict(network.state_dict())
    again.load_state_dict(insert_tensors(state, {name: tensor.clone() for name, tensor in tensors.items()}))
    for trained, its_optimizer in ((network, optimizer), (other, again)):
        trained.zero_grad()
        trained(torch.full((2, 4), 0.3)).sum().backward()
        its_optimizer.step()
    assert torch.equal(network.weight, other.weight)


def test_random_states_come_back(tmp_path: Path) -> None:
    def drawn() -> tuple[float, float, list[float]]:
        return random.random(), np.random.normal(), torch.rand(2).tolist()  # noqa: NPY002, S311 (global states are the matter)

    with preserve_random_state():
        drawn()  # an odd number of normal draws leaves one in store
        checkpoints = Checkpoints(tmp_path / "run", 1)
        state, tensors = get_random_state("own")
        checkpoints.write(1, state, tensors)
        wanted = drawn()
        set_random_state(*checkpoints.read(), "own")
        assert drawn() == wanted
