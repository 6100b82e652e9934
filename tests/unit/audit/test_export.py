"""An export proves itself without this package, and shows what was done to it."""

from __future__ import annotations

import base64
import json
import random
import re
import subprocess
import sys

import pytest

from hitl_mlops.audit.export import PROVER, export_trail
from hitl_mlops.audit.verify_copy import verify_copy
from hitl_mlops.audit.verify_trail import verified_slowly
from hitl_mlops.errors import InputError, NotFoundError
from tests.audit_room import SIGNER, STRANGER, a_memory_trail, a_sql_trail, an_event
from tests.trail_attacks import ATTACKS, Bench, Done, an_honest_trail

OF_THE_DATABASE_ALONE = {"edit_the_index", "cut_the_head_off"}  # an export has neither
SEEDS = range(3)


def prove(folder, *given, bare=True):
    """Run the exported program with Python alone (`-S`: without installed packages)."""
    command = [sys.executable, "-I", *(["-S"] if bare else []), folder / "verify_trail.py", *given]
    done = subprocess.run(command, check=False, capture_output=True, text=True, cwd=folder)
    return done.returncode, done.stdout + done.stderr


def write(folder, done):
    """The attacked history as its export would lie there."""
    folder.mkdir()
    lines = [
        json.dumps({"sequence": row[0], "body": base64.b64encode(row[1]).decode()}) for row in done.after.rows
    ]
    (folder / "entries.ndjson").write_text("".join(line + "\n" for line in lines))
    (folder / "checkpoints.txt").write_text("".join(note + "\n" for note in done.after.notes))
    (folder / "checkpoints.txt.leaves").write_bytes(done.after.kept)
    (folder / "trail.pub").write_text(SIGNER.verifier.text())
    (folder / "verify_trail.py").write_bytes(PROVER.read_bytes())


@pytest.fixture(scope="module")
def bench():
    return Bench((1, 7, 16), variants=1)


@pytest.mark.parametrize("bare", [True, False], ids=["python alone", "with cryptography"])
@pytest.mark.parametrize("size", [1, 40])
def test_an_honest_export_proves_itself(tmp_path, size, bare):
    opened = an_honest_trail(size, seed=1)
    export = export_trail(opened.trail, opened.store, SIGNER.verifier, tmp_path / "out")
    (tmp_path / "mine.pub").write_text(SIGNER.verifier.text())
    code, said = prove(export.folder, "--key", str(tmp_path / "mine.pub"), bare=bare)
    assert (code, export.entries) == (0, size), said
    assert f"Sound: {size} entries, {size} of them signed" in said
    assert "hitl_mlops" not in PROVER.read_text().replace('"""', "").split("import argparse")[1]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "attack",
    [each for each in ATTACKS if each.__name__ not in OF_THE_DATABASE_ALONE],
    ids=lambda a: a.__name__,
)
def test_every_attack_on_an_export_is_found_and_its_first_bad_entry_named(tmp_path, bench, attack, seed):
    done = bench.attacked(attack, seed)
    write(tmp_path / "out", done)
    code, said = prove(tmp_path / "out")
    assert code == 1, said
    named = re.search(r"^Entry (\d+): ", said, re.MULTILINE)
    lowest = done.first_bad if done.at_least is None else done.at_least
    assert (int(named[1]) if named else None) in (lowest, done.first_bad), said


def test_an_export_that_was_signed_anew_fails_against_the_auditors_own_key(tmp_path, bench):
    write(tmp_path / "out", bench.attacked(lambda honest, _rng: Done(honest, None), 1))
    (tmp_path / "mine.pub").write_text(STRANGER.verifier.text())
    code, said = prove(tmp_path / "out", "--key", str(tmp_path / "mine.pub"))
    assert code == 1
    assert "not signed by this key" in said


@pytest.mark.parametrize("file", ["entries.ndjson", "checkpoints.txt", "checkpoints.txt.leaves", "trail.pub"])
def test_an_export_that_lacks_a_file_cannot_be_read(tmp_path, file):
    opened = an_honest_trail(3, seed=1)
    export = export_trail(opened.trail, opened.store, SIGNER.verifier, tmp_path / "out")
    (export.folder / file).unlink()
    code, said = prove(export.folder)
    assert code == 2
    assert "Cannot be read" in said


def test_an_export_takes_no_place_of_another_and_leaves_nothing_half(tmp_path):
    opened = an_honest_trail(3, seed=1)
    export_trail(opened.trail, opened.store, SIGNER.verifier, tmp_path / "out")
    with pytest.raises(InputError, match="there already"):
        export_trail(opened.trail, opened.store, SIGNER.verifier, tmp_path / "out")
    with pytest.raises(ZeroDivisionError):
        export_trail(opened.trail, opened.store, SIGNER.verifier, tmp_path / "two", progress=lambda _: 1 // 0)
    assert [path.name for path in tmp_path.iterdir()] == ["out"]


def test_the_slow_signature_check_agrees_with_the_library():
    rng = random.Random(1)
    checkpoint = a_memory_trail().trail.seal()
    message, key = checkpoint.text().encode(), SIGNER.verifier.public_key
    assert verified_slowly(key, checkpoint.signature, message)
    for _ in range(50):
        parts = [bytearray(key), bytearray(checkpoint.signature), bytearray(message)]
        part = rng.choice(parts)
        part[rng.randrange(len(part))] ^= 1 << rng.randrange(8)
        assert not verified_slowly(*map(bytes, parts))


def test_a_copied_database_is_verified_with_checkpoints_and_public_key_alone(tmp_path):
    opened = a_sql_trail(f"sqlite:///{tmp_path}/a.db", tmp_path / "notes")
    opened.trail.append([an_event() for _ in range(5)])
    opened.trail.seal()
    opened.trail.database.close()
    copy = tmp_path / "copy.db"
    copy.write_bytes((tmp_path / "a.db").read_bytes())
    (tmp_path / "mine.pub").write_text(SIGNER.verifier.text())
    found = verify_copy(f"sqlite:///{copy}", tmp_path / "notes", tmp_path / "mine.pub")
    assert (found.sound, found.size, found.sealed) == (True, 5, 5)
    (tmp_path / "mine.pub").write_text(STRANGER.verifier.text())
    assert not verify_copy(f"sqlite:///{copy}", tmp_path / "notes", tmp_path / "mine.pub").sound


@pytest.mark.parametrize("gone", ["copy.db", "notes", "mine.pub"])
def test_what_the_auditor_lacks_is_named_and_nothing_is_made(tmp_path, gone):
    opened = a_sql_trail(f"sqlite:///{tmp_path}/copy.db", tmp_path / "notes")
    opened.trail.seal()
    opened.trail.database.close()
    (tmp_path / "mine.pub").write_text(SIGNER.verifier.text())
    (tmp_path / gone).rename(tmp_path / "elsewhere")
    with pytest.raises(NotFoundError, match=gone):
        verify_copy(f"sqlite:///{tmp_path}/copy.db", tmp_path / "notes", tmp_path / "mine.pub")
    assert not (tmp_path / gone).exists()
