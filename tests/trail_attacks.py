"""Attacks on a trail by someone who can write the whole database, and in some classes the checkpoints.

Each attack changes a copy of an honest history and tells the first entry that is then not as it was written.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from hitl_mlops.audit.checkpoint import Checkpoint, parse_checkpoint
from hitl_mlops.audit.checkpoint_in_memory import InMemoryCheckpoints
from hitl_mlops.audit.entry import Event, Kind, entry_body, refs_of
from hitl_mlops.audit.keys import Signer
from hitl_mlops.audit.merkle import Frontier, leaf_hash
from hitl_mlops.audit.sealing import SealingPolicy
from hitl_mlops.audit.trail_in_memory import InMemoryTrail
from hitl_mlops.audit.verify import Verification, verify
from hitl_mlops.ids import canonical_json
from tests.audit_room import NOON, SIGNER, STRANGER, OpenTrail, a_memory_trail, an_event

HISTORY_SIZES = (1, 2, 7, 16, 33)
Row = tuple[int, bytes, bytes]


@dataclass(frozen=True)
class Stored:
    """Everything an attacker finds: the tables, a plain hash chain beside them, and what lies outside."""

    rows: tuple[Row, ...]
    refs: tuple[tuple[int, str], ...]
    head: tuple[int, bytes]
    chain: tuple[bytes, ...]
    notes: tuple[str, ...]
    kept: bytes

    @contextlib.contextmanager
    def snapshot(self) -> Iterator[None]:
        yield

    def raw_entries(self, start: int, limit: int) -> list[Row]:
        return [row for row in self.rows if row[0] >= start][:limit]

    def raw_refs(self, first: int, last: int) -> list[tuple[int, str]]:
        return [row for row in self.refs if first <= row[0] <= last]

    def raw_head(self) -> tuple[int, bytes]:
        return self.head

    def verify(self) -> Verification:
        store = InMemoryCheckpoints()
        store.kept_notes, store.kept_hashes = list(self.notes), self.kept
        return verify(self, store, SIGNER.verifier)

    def chain_is_sound(self) -> bool:
        """What a plain hash chain in the database can tell."""
        in_place = [row[0] for row in self.rows] == list(range(len(self.rows)))
        return in_place and chain_of([row[1] for row in self.rows]) == self.chain


def chain_of(bodies: Sequence[bytes]) -> tuple[bytes, ...]:
    links: list[bytes] = []
    for body in bodies:
        links.append(hashlib.sha256((links[-1] if links else b"") + body).digest())
    return tuple(links)


def stored(bodies: Sequence[bytes], notes: Sequence[str], kept: bytes) -> Stored:
    """These bodies with hashes, index, head and chain, as an honest or a careful writer leaves them."""
    leaves = [leaf_hash(body) for body in bodies]
    frontier = Frontier()
    frontier.extend(leaves)
    rows = tuple((at, body, leaf) for at, (body, leaf) in enumerate(zip(bodies, leaves, strict=True)))
    refs = tuple((at, ref) for at, body in enumerate(bodies) for ref in refs_of(json.loads(body)))
    head = (frontier.size, frontier.pack())
    return Stored(rows, refs, head, chain_of(bodies), tuple(notes), kept)


def an_honest_trail(size: int, seed: int) -> OpenTrail:
    """A trail of this size, appended in pieces of random length, sealed every few entries and at the end."""
    rng = random.Random(f"{size}/{seed}")
    opened = a_memory_trail(SealingPolicy(entries=rng.randint(1, 9)))
    while opened.trail.size() < size:
        opened.clock.forward(rng.choice([0.001, 1, 59, 61]))
        count = min(rng.randint(1, 5), size - opened.trail.size())
        opened.trail.append([random_event(rng) for _ in range(count)])
    opened.trail.seal()
    return opened


def random_event(rng: random.Random) -> Event:
    refs = {
        role: [f"{role}_{rng.randrange(50)}" for _ in range(rng.randint(1, 3))]
        for role in rng.sample(["decision", "ticket", "answer", "reviewer"], rng.randint(0, 3))
    }
    facts = {
        "text": rng.choice(["plain", 'é\u2028"\\', "𝄞", ""]),
        "figure": rng.choice([0.1, -1e300, 3, None]),
    }
    return an_event(kind=rng.choice(list(Kind)), refs=refs, facts=facts | {"nonce": rng.randrange(2**60)})


def snapshot_of(opened: OpenTrail) -> Stored:
    assert isinstance(opened.trail, InMemoryTrail)
    bodies = [entry.body for entry in opened.trail.entries()]
    kept = opened.store.leaf_hashes(0, len(bodies))
    found = stored(bodies, opened.store.notes(), kept)
    assert found.head == opened.trail.raw_head()
    return found


@dataclass(frozen=True)
class Done:
    """What an attack left.

    Attributes:
        after: what then lies there.
        first_bad: the entry that must be named; None if no entry is bad.
        at_least: where less than the very entry can be known, the start of the stretch that may be named.
        says: words that some problem must hold.
    """

    after: Stored
    first_bad: int | None
    at_least: int | None = None
    says: str = ""


Attack = Callable[[Stored, random.Random], Done]


def _bodies(honest: Stored) -> list[bytes]:
    return [row[1] for row in honest.rows]


def _mended(honest: Stored, bodies: Sequence[bytes]) -> Stored:
    return stored(bodies, honest.notes, honest.kept)


def _forged(place: int, rng: random.Random) -> bytes:
    return entry_body(place, random_event(rng))


def _moved(body: bytes, place: int) -> bytes:
    return canonical_json({**json.loads(body), "seq": place})


def _size(honest: Stored) -> int:
    return len(honest.rows)


def edit(honest: Stored, rng: random.Random) -> Done:
    at = rng.randrange(_size(honest))
    rows = list(honest.rows)
    rows[at] = (at, _forged(at, rng), rows[at][2])
    return Done(replace(honest, rows=tuple(rows)), at, says="hash")


def flip_one_bit(honest: Stored, rng: random.Random) -> Done:
    at = rng.randrange(_size(honest))
    rows = list(honest.rows)
    body = bytearray(rows[at][1])
    body[rng.randrange(len(body))] ^= 1 << rng.randrange(8)
    rows[at] = (at, bytes(body), leaf_hash(bytes(body)))
    return Done(replace(honest, rows=tuple(rows)), at)


def edit_with_its_hash_mended(honest: Stored, rng: random.Random) -> Done:
    at = rng.randrange(_size(honest))
    bodies = _bodies(honest)
    bodies[at] = _forged(at, rng)
    return Done(_mended(honest, bodies), at, says="not the one that was signed")


def delete(honest: Stored, rng: random.Random) -> Done:
    at = rng.randrange(_size(honest))
    rows = honest.rows[:at] + honest.rows[at + 1 :]
    chain = honest.chain[:at] + honest.chain[at + 1 :]
    return Done(replace(honest, rows=rows, chain=chain), at)


def reorder(honest: Stored, rng: random.Random) -> Done:
    if _size(honest) == 1:
        return edit(honest, rng)
    first, second = sorted(rng.sample(range(_size(honest)), 2))
    rows = list(honest.rows)
    rows[first], rows[second] = (first, *rows[second][1:]), (second, *rows[first][1:])
    return Done(replace(honest, rows=tuple(rows)), first, says="says that it is entry")


def insert(honest: Stored, rng: random.Random) -> Done:
    at = rng.randrange(_size(honest) + 1)
    body = _forged(at, rng)
    later = tuple((place + 1, text, leaf) for place, text, leaf in honest.rows[at:])
    rows = (*honest.rows[:at], (at, body, leaf_hash(body)), *later)
    return Done(replace(honest, rows=rows), at)


def truncate_tail(honest: Stored, rng: random.Random) -> Done:
    at = rng.randrange(_size(honest))
    return Done(_mended(honest, _bodies(honest)[:at]), at, says="cut off")


def truncate_all(honest: Stored, _rng: random.Random) -> Done:
    return Done(_mended(honest, []), 0, says="cut off")


def rewrite_all(honest: Stored, rng: random.Random) -> Done:
    return Done(_mended(honest, [_forged(at, rng) for at in range(_size(honest))]), 0)


def delete_and_rechain(honest: Stored, rng: random.Random) -> Done:
    at = rng.randrange(_size(honest))
    left = _bodies(honest)[:at] + _bodies(honest)[at + 1 :]
    return Done(_mended(honest, [_moved(body, place) for place, body in enumerate(left)]), at)


def insert_and_rechain(honest: Stored, rng: random.Random) -> Done:
    at = rng.randrange(_size(honest))
    more = [*_bodies(honest)[:at], _forged(at, rng), *_bodies(honest)[at:]]
    return Done(_mended(honest, [_moved(body, place) for place, body in enumerate(more)]), at)


def fork(honest: Stored, rng: random.Random) -> Done:
    """The machine went back to `at` and on from there, signing both roads with the same key."""
    at = rng.randrange(_size(honest))
    size = at + rng.randint(1, 8)
    other = _mended(honest, _bodies(honest)[:at] + [_forged(place, rng) for place in range(at, size)])
    notes = (*honest.notes, _signed(SIGNER, other, size))
    return Done(replace(other, notes=notes), at)


def checkpoints_by_another_key(honest: Stored, rng: random.Random) -> Done:
    at = rng.randrange(_size(honest))
    other = _mended(honest, [*_bodies(honest)[:at], _forged(at, rng), *_bodies(honest)[at + 1 :]])
    sizes = {parse_checkpoint(note).size for note in honest.notes}
    notes = tuple(_signed(STRANGER, other, size) for size in sorted(sizes))
    kept = b"".join(row[2] for row in other.rows)
    return Done(replace(other, notes=notes, kept=kept), 0, says="not signed by our key")


def last_checkpoint_by_another_key(honest: Stored, _rng: random.Random) -> Done:
    last = parse_checkpoint(honest.notes[-1])
    before = max((parse_checkpoint(note).size for note in honest.notes[:-1]), default=0)
    note = STRANGER.sign(last.size, last.root, last.at).note()
    first_bad = before if before < _size(honest) else None
    return Done(replace(honest, notes=(*honest.notes[:-1], note)), first_bad, says="not signed by our key")


def restored_old_backup(honest: Stored, rng: random.Random) -> Done:
    at = rng.randrange(_size(honest))
    return Done(_mended(honest, _bodies(honest)[:at]), at, says="old backup")


def old_backup_carried_on(honest: Stored, rng: random.Random) -> Done:
    at = rng.randrange(_size(honest))
    more = [_forged(place, rng) for place in range(at, _size(honest) + rng.randint(0, 5))]
    return Done(_mended(honest, _bodies(honest)[:at] + more), at)


def edit_the_index(honest: Stored, rng: random.Random) -> Done:
    at = rng.randrange(_size(honest))
    mine = [row for row in honest.refs if row[0] == at]
    if mine and rng.random() < 0.5:
        return Done(
            replace(honest, refs=tuple(row for row in honest.refs if row != mine[0])), at, says="index"
        )
    return Done(replace(honest, refs=(*honest.refs, (at, "answer_forged"))), at, says="index")


def spell_another_way(honest: Stored, rng: random.Random) -> Done:
    at = rng.randrange(_size(honest))
    rows = list(honest.rows)
    body = json.dumps(json.loads(rows[at][1]), indent=rng.choice([None, 1])).encode()
    rows[at] = (at, body, leaf_hash(body))
    return Done(replace(honest, rows=tuple(rows)), at, says="canonical")


def edit_a_checkpoint(honest: Stored, rng: random.Random) -> Done:
    number = rng.randrange(len(honest.notes))
    good = parse_checkpoint(honest.notes[number])
    root = hashlib.sha256(good.root).digest()
    bad = rng.choice([replace(good, root=root), replace(good, size=good.size + 1)])
    notes = (*honest.notes[:number], bad.note(), *honest.notes[number + 1 :])
    left = [parse_checkpoint(note).size for at, note in enumerate(honest.notes) if at != number]
    covered = max(left, default=0)
    first_bad = covered if covered < _size(honest) else None
    return Done(replace(honest, notes=notes), first_bad, says=f"Checkpoint {number + 1} ")


def edit_with_kept_hashes_mended_too(honest: Stored, rng: random.Random) -> Done:
    """Nothing but the signatures is left: the stretch between two checkpoints is named."""
    at = rng.randrange(_size(honest))
    bodies = _bodies(honest)
    bodies[at] = _forged(at, rng)
    other = _mended(honest, bodies)
    kept = b"".join(row[2] for row in other.rows)
    covered = max(size for note in honest.notes if (size := parse_checkpoint(note).size) <= at)
    return Done(replace(other, kept=kept), at, at_least=covered, says="is not what was signed")


def cut_the_head_off(honest: Stored, rng: random.Random) -> Done:
    size = rng.randrange(_size(honest))
    return Done(replace(honest, head=(size, honest.head[1])), _size(honest), says="head")


def _signed(signer: Signer, other: Stored, size: int) -> str:
    frontier = Frontier()
    frontier.extend(row[2] for row in other.rows[:size])
    checkpoint: Checkpoint = signer.sign(size, frontier.root(), NOON)
    return checkpoint.note()


ATTACKS: tuple[Attack, ...] = (
    edit,
    flip_one_bit,
    edit_with_its_hash_mended,
    delete,
    reorder,
    insert,
    truncate_tail,
    truncate_all,
    rewrite_all,
    delete_and_rechain,
    insert_and_rechain,
    fork,
    checkpoints_by_another_key,
    last_checkpoint_by_another_key,
    restored_old_backup,
    old_backup_carried_on,
    edit_the_index,
    spell_another_way,
    edit_a_checkpoint,
    edit_with_kept_hashes_mended_too,
    cut_the_head_off,
)


class Bench:
    """Honest histories, each made once, and attacks on them."""

    def __init__(self, sizes: Sequence[int], variants: int = 4) -> None:
        self.histories = [
            snapshot_of(an_honest_trail(size, seed)) for size in sizes for seed in range(variants)
        ]

    def attacked(self, attack: Attack, seed: int) -> Done:
        return attack(self.histories[seed % len(self.histories)], random.Random(f"{attack.__name__}/{seed}"))

    def found_and_named(self, attack: Attack, seed: int) -> bool:
        done = self.attacked(attack, seed)
        found = done.after.verify()
        lowest = done.first_bad if done.at_least is None else done.at_least
        named = found.first_bad in (lowest, done.first_bad)
        return not found.sound and named and any(done.says in problem.what for problem in found.problems)

    def chain_finds(self, attack: Attack, seed: int) -> bool:
        """Whether a plain hash chain inside the database would show the same attack."""
        return not self.attacked(attack, seed).after.chain_is_sound()


def honest_histories(count: int) -> Iterator[Verification]:
    """Histories that nobody touched, some caught between commit and checkpoint, as a crash leaves them."""
    for number in range(count):
        opened = an_honest_trail(1 + number % 40, number)
        if number % 3 == 0:
            opened.clock.forward(1)
            opened.trail.append([random_event(random.Random(number))])
        yield verify(opened.trail, opened.store, SIGNER.verifier)
