"""Damage to a kept file is found, whatever the byte and the length."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.torch import save_file

from sakd.foundation import sealing
from sakd.foundation.errors import DamagedError
from sakd.foundation.files import write_json
from sakd.foundation.sealing import (
    check_sealed,
    checksum_file,
    damaged,
    file_sha256,
    read_sealed,
    sealed_at_once,
    write_sealed,
)
from sakd.foundation.tensors import checksum_of, load_tensors, save_tensors, tensors_sha256

CONTENT = {"id": "a", "numbers": {"loss": 1 / 3, "epochs": 30}, "names": ["é", None, True]}
TENSORS = {"weight": torch.arange(6.0).view(2, 3) / 7, "count": torch.tensor(5)}


def write_table(path: Path) -> None:
    with sealed_at_once(path) as partial:
        partial.write_text("cell,top1\na,0.25\nb,0.5\n")


def read_table(path: Path) -> str:
    check_sealed(path)
    return path.read_text()


def write_both(path: Path) -> None:
    save_tensors(TENSORS, path)


def read_both(path: Path) -> dict[str, object]:
    return {name: tensor.tolist() for name, tensor in load_tensors(path).items()}


def write_content(path: Path) -> None:
    write_sealed(path, CONTENT)


KINDS: dict[str, tuple[Callable[[Path], None], Callable[[Path], object]]] = {
    "json": (write_content, read_sealed),
    "tensors": (write_both, read_both),
    "table": (write_table, read_table),
}


def damages(content: bytes) -> Iterator[bytes]:
    """Every byte with a flipped bit, many lengths, and blocks of zeros."""
    for place in range(len(content)):
        yield content[:place] + bytes([content[place] ^ (1 << place % 8)]) + content[place + 1 :]
    for place in range(0, len(content), 5):
        yield content[:place]
        yield content[:place] + bytes(len(content) - place)


@pytest.mark.parametrize("kind", KINDS)
def test_no_damage_gives_anything_else(kind: str, tmp_path: Path) -> None:
    write, read = KINDS[kind]
    path = tmp_path / "file"
    write(path)
    content, expected, found = path.read_bytes(), read(path), 0
    for number, damage in enumerate(damages(content)):
        path.write_bytes(damage)
        os.utime(path, ns=(0, number))  # a file system may not tell two writes apart by its clock
        try:
            assert read(path) == expected  # as in a space of the layout
        except DamagedError:
            found += 1
    assert found > len(content)


@pytest.mark.parametrize("kind", KINDS)
def test_what_was_written_comes_back_also_if_written_again(kind: str, tmp_path: Path) -> None:
    write, read = KINDS[kind]
    path = tmp_path / "file"
    write(path)
    first = read(path)
    write(path)
    assert read(path) == first
    known = {path, checksum_file(path)}
    assert set(tmp_path.iterdir()) <= known


@pytest.mark.parametrize("kind", KINDS)
def test_a_missing_file_is_another_thing(kind: str, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        _ = KINDS[kind][1](tmp_path / "file")


def test_files_without_a_checksum_are_read_as_they_are(tmp_path: Path) -> None:
    write_json(tmp_path / "card.json", CONTENT)
    assert read_sealed(tmp_path / "card.json") == CONTENT
    save_file(TENSORS, tmp_path / "a.safetensors")
    assert tensors_sha256(load_tensors(tmp_path / "a.safetensors")) == tensors_sha256(TENSORS)
    assert checksum_of(tmp_path / "a.safetensors") is None
    (tmp_path / "table.csv").write_text("cell\n")
    check_sealed(tmp_path / "table.csv")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@settings(max_examples=40)
@given(st.dictionaries(st.text(min_size=1), json_values))
def test_any_object_comes_back(
    tmp_path_factory: pytest.TempPathFactory, content: dict[str, object]
) -> None:
    content.pop("checksum", None)
    path = tmp_path_factory.mktemp("json") / "file.json"
    write_sealed(path, content)
    assert read_sealed(path) == content


@pytest.mark.parametrize("name", ["chmcksum", "checksu", "hecksum"])
def test_damage_to_the_checksum_and_to_its_name_is_found(tmp_path: Path, name: str) -> None:
    write_sealed(path := tmp_path / "file", CONTENT)
    content = json.loads(path.read_text())
    renamed = {**read_sealed(path), name: content["checksum"].replace("a", "b")}
    write_json(path, renamed)
    with pytest.raises(DamagedError, match="its checksum differ"):
        read_sealed(path)


def test_nonsense_is_damage(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for content in (b"", b"3", b"[" * 100_000, b"\xff\xfe\x00", b'{"checksum": 5}', b"null", b"[]"):
        path.write_bytes(content)
        with pytest.raises(DamagedError, match=r"file is damaged .*train again"):
            read_sealed(path, "train again")
    for content in (b"", b"{", bytes(64), b"\x02\x00\x00\x00\x00\x00\x00\x00{}"[:9]):
        path.write_bytes(content)
        with pytest.raises(DamagedError, match=r"file is damaged .*train again"):
            load_tensors(path, "train again")


def test_a_table_fits_its_checksum_whenever_its_writer_is_killed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, steps = tmp_path / "table.csv", list[str]()
    write_table(path)
    replace = Path.replace

    def checked(here: Path, there: Path) -> Path:
        made = replace(here, there)
        check_sealed(path)
        steps.append(there.name)
        return made

    monkeypatch.setattr(Path, "replace", checked)
    with sealed_at_once(path) as partial:
        partial.write_text("cell,top1\na,0.75\n")
    assert steps == ["table.csv.sha256", "table.csv", "table.csv.sha256"]
    assert len(checksum_file(path).read_text().splitlines()) == 1


def test_a_table_that_is_written_while_it_is_checked_is_not_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its reader has read the checksum, and then another process writes the table again."""
    path, texts = tmp_path / "table.csv", ["cell\na\n", "cell\nbb\n"]
    write_table(path)

    def meanwhile(there: Path) -> str:
        if there == path and texts:
            text = texts.pop()
            with sealed_at_once(path) as partial:
                partial.write_text(text)
        return file_sha256(there)

    monkeypatch.setattr(sealing, "file_sha256", meanwhile)
    check_sealed(path)
    assert texts == []


def test_a_table_without_a_checksum_gets_one_when_it_is_written_again(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("cell,top1\n")
    write_table(path)
    assert "0.25" in read_table(path)
    path.write_text("cell,top1\na,0.75\n")
    with pytest.raises(DamagedError, match=r"table\.csv is damaged"):
        read_table(path)


def test_the_checksum_next_to_a_file_is_that_of_sha256sum(tmp_path: Path) -> None:
    write_table(tmp_path / "table.csv")
    command = ["sha256sum", "--check", "table.csv.sha256"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)


def test_a_file_is_hashed_again_once_it_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text(json.dumps(1))
    before = file_sha256(path)
    path.write_text(json.dumps(2))
    os.utime(path, ns=(0, 1))
    assert file_sha256(path) != before


@pytest.mark.parametrize("read", [file_sha256, check_sealed])
def test_a_device_or_a_pipe_is_not_waited_for(
    tmp_path: Path, read: Callable[[Path], object]
) -> None:
    path = tmp_path / "table.csv"
    write_table(path)
    for file in (path, checksum_file(path)):
        kept = file.read_bytes()
        file.unlink()
        file.symlink_to("/dev/null")
        if read is check_sealed or file == path:
            with pytest.raises(OSError, match=f"a pipe or a device.*{file.name}"):
                read(path)
        file.unlink()
        file.write_bytes(kept)


def test_damage_is_told_in_one_line() -> None:
    error = damaged(Path("a.json"), "no JSON\nat line 3", "make it again")
    assert str(error) == "a.json is damaged (no JSON): make it again"


def test_the_order_of_entries_is_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    write_sealed(path, {"b": 1, "a": {"d": 2, "c": 3}})
    turned = dict(reversed(json.loads(path.read_text()).items()))
    path.write_text(json.dumps(turned | {"a": {"c": 3, "d": 2}}))
    assert read_sealed(path) == {"b": 1, "a": {"d": 2, "c": 3}}
