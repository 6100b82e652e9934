from __future__ import annotations

import stat
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitl_mlops.audit.checkpoint import parse_checkpoint
from hitl_mlops.audit.checkpoint_file import FileCheckpoints
from hitl_mlops.audit.keys import open_signer, parse_verifier, read_verifier
from hitl_mlops.errors import ConfigurationError, InputError, IntegrityError, NotFoundError, ServiceDownError
from tests.audit_room import NOON, SIGNER, STRANGER

POINT = SIGNER.sign(7, bytes(range(32)), NOON)


def leaves(start: int, stop: int) -> bytes:
    return bytes(32 * (stop - start))


def test_the_key_is_made_on_first_use_and_only_its_owner_may_read_it(tmp_path):
    path = tmp_path / "new" / "trail.key"
    first = open_signer(path, "hitl/x")
    second = open_signer(path, "hitl/x")

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert first.verifier == second.verifier == read_verifier(path.with_suffix(".pub"))
    assert [one.name for one in path.parent.iterdir() if one.name.startswith(".")] == []


def test_a_key_that_others_may_read_is_refused(tmp_path):
    open_signer(tmp_path / "trail.key", "hitl/x")
    (tmp_path / "trail.key").chmod(0o640)

    with pytest.raises(ConfigurationError, match="Others may read") as refused:
        open_signer(tmp_path / "trail.key", "hitl/x")

    assert "chmod 600" in refused.value.remedy


def test_a_file_that_holds_no_key_is_refused(tmp_path):
    (tmp_path / "trail.key").write_text("nothing")
    (tmp_path / "trail.key").chmod(0o600)

    with pytest.raises(ConfigurationError, match="holds no Ed25519 key"):
        open_signer(tmp_path / "trail.key", "hitl/x")


def test_processes_that_come_first_together_share_one_key(tmp_path):
    program = (
        "from pathlib import Path; from hitl_mlops.audit.keys import open_signer;"
        f"print(open_signer(Path({str(tmp_path / 'trail.key')!r}), 'hitl/x').verifier.text())"
    )
    started = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) for _ in range(4)]

    assert len({process.communicate(timeout=60)[0] for process in started}) == 1


def test_a_public_key_that_is_not_there_is_said_plainly(tmp_path):
    with pytest.raises(NotFoundError, match="no public key"):
        read_verifier(tmp_path / "trail.pub")


@pytest.mark.parametrize("name", ["", "with space", "with+plus", "line\nbreak"])
def test_a_name_that_breaks_the_note_is_refused(name, tmp_path):
    with pytest.raises(InputError):
        open_signer(tmp_path / "trail.key", name)


@pytest.mark.parametrize("text", ["", "a+b", "hitl/x+00000000+AQID", SIGNER.verifier.text()[:-4] + "AAA="])
def test_a_malformed_public_key_is_refused(text):
    with pytest.raises(IntegrityError):
        parse_verifier(text)


def test_only_the_holder_of_the_key_makes_checkpoints_that_are_accepted():
    accepts = SIGNER.verifier.accepts

    assert accepts(parse_checkpoint(POINT.note()))
    assert not accepts(STRANGER.sign(7, POINT.root, NOON))
    assert not accepts(replace(STRANGER.sign(7, POINT.root, NOON), key_id=POINT.key_id))
    assert not accepts(replace(POINT, size=8))
    assert not accepts(replace(POINT, root=bytes(32)))
    assert not accepts(replace(POINT, at=NOON.replace(year=2025)))
    assert not accepts(replace(POINT, origin="hitl/other"))


@given(st.data())
def test_no_changed_note_is_read_as_another_spelling_of_the_same(data):
    note = POINT.note()
    at = data.draw(st.integers(0, len(note) - 1))
    sign = data.draw(st.sampled_from(" \n+=0Aé—"))
    changed = note[:at] + sign + note[at + 1 :]
    try:
        found = parse_checkpoint(changed)
    except IntegrityError:
        return
    assert changed == note or not SIGNER.verifier.accepts(found)


def test_half_a_note_left_by_a_crash_is_no_note_and_is_written_over(tmp_path):
    store = FileCheckpoints(tmp_path / "points")
    store.write(POINT, leaves)
    later = SIGNER.sign(9, bytes(32), NOON)
    whole = store.path.read_bytes()
    for cut in range(1, len(later.note()) + 1):
        store.path.write_bytes(whole + (later.note() + "\n").encode()[:cut])
        assert store.notes() == [POINT.note()]

        store.write(later, leaves)

        assert store.notes() == [POINT.note(), later.note()]


def test_half_a_leaf_hash_left_by_a_crash_is_written_over(tmp_path):
    store = FileCheckpoints(tmp_path / "points")
    store.write(POINT, lambda start, stop: b"\x01" * 32 * (stop - start))
    with store.leaves_path.open("ab") as file:
        file.write(b"half")
    store.write(SIGNER.sign(9, bytes(32), NOON), lambda start, stop: b"\x02" * 32 * (stop - start))

    assert store.leaf_hashes(0, 99) == b"\x01" * 32 * 7 + b"\x02" * 32 * 2


def test_what_someone_else_wrote_into_the_file_is_shown_and_not_cut_away(tmp_path):
    store = FileCheckpoints(tmp_path / "points")
    store.path.write_text("x" * 5000 + "\n\n")
    store.write(POINT, leaves)

    assert len(store.notes()) == 1
    assert store.notes()[0].startswith("xxx")
    assert store.latest() is None


def test_a_place_that_cannot_be_written_is_said_plainly(tmp_path):
    (tmp_path / "file").write_text("")

    with pytest.raises(ServiceDownError, match="cannot be written"):
        FileCheckpoints(tmp_path / "file" / "points").write(POINT, leaves)
