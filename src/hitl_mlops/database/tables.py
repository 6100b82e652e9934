"""Every table, for people who read the database by hand. Each is written by one capability only."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

metadata = MetaData()

# Times are text, ISO 8601 in UTC with microseconds (`ids.instant`): the same on every database, sortable.

trail_entries = Table(  # audit
    "trail_entries",
    metadata,
    Column("sequence", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
    Column("leaf_hash", LargeBinary(32), nullable=False),
)
trail_refs = Table(  # audit: an index of what entries are about, derivable from the bodies
    "trail_refs",
    metadata,
    Column("sequence", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("ref", String(200), primary_key=True),
    Index("trail_refs_by_ref", "ref", "sequence"),
    sqlite_with_rowid=False,
)
trail_head = Table(  # audit: size and Merkle frontier, so that an append costs O(log n)
    "trail_head",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),  # always 1
    Column("size", BigInteger, nullable=False),
    Column("frontier", LargeBinary, nullable=False),
)

cases = Table(  # decisions: the bodies; the vault will keep these encrypted per subject
    "cases",
    metadata,
    Column("case_id", String(200), primary_key=True),
    Column("subject", String(200), nullable=False, index=True),
    Column("at", String(40), nullable=False),
    Column("inputs", JSON, nullable=False),
    Column("attributes", JSON, nullable=False),
    Column("salt", LargeBinary(32), nullable=False),
    Column("commitment", String(80), nullable=False),  # SHA-256(salt ‖ canonical body), what the trail holds
)
quarantined_cases = Table(  # decisions
    "quarantined_cases",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("case_id", String(200), nullable=False),
    Column("row", JSON, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("at", String(40), nullable=False),
)
decisions = Table(  # decisions
    "decisions",
    metadata,
    Column("decision_id", String(40), primary_key=True),
    Column("case_id", String(200), ForeignKey("cases.case_id"), nullable=False, unique=True),
    Column("subject", String(200), nullable=False),
    Column("at", String(40), nullable=False, index=True),
    Column("model_version", String(40), nullable=False, index=True),
    Column("model_digest", String(80), nullable=False),
    Column("arm", String(12), nullable=False),
    Column("label", String(200), nullable=False),
    Column("confidence", Float, nullable=False),
    Column("probabilities", JSON, nullable=False),
    Column("route", String(80), nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("policy_hash", String(80), nullable=False),
    Column("pi", Float, nullable=False),
    Column("spot_check", Boolean, nullable=False),
    Column("signatures", Integer, nullable=False),
    Column("intervention", String(12), nullable=False),
    Column("reversible_until", String(40)),
)
shadow_predictions = Table(  # decisions
    "shadow_predictions",
    metadata,
    Column("decision_id", String(40), ForeignKey("decisions.decision_id"), primary_key=True),
    Column("model_version", String(40), primary_key=True),
    Column("model_digest", String(80), nullable=False),
    Column("label", String(200), nullable=False),
    Column("confidence", Float, nullable=False),
)

switches = Table(  # routing: what people froze; `s1` is number 1
    "switches",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("scope", String(400), nullable=False),
    Column("set_by", String(200), nullable=False),
    Column("reason", Text, nullable=False),
    Column("set_at", String(40), nullable=False),
    Column("lifted_by", String(200)),
    Column("lifted_reason", Text, nullable=False),
    Column("lifted_at", String(40)),  # nothing while it is on
)

tickets = Table(  # review
    "tickets",
    metadata,
    Column("ticket_id", String(40), primary_key=True),
    Column("decision_id", String(40), nullable=False, index=True),
    Column("kind", String(20), nullable=False),
    Column("lane", String(80), nullable=False),
    Column("signatures", Integer, nullable=False),
    Column("blind", Boolean, nullable=False),
    Column("opened_at", String(40), nullable=False),
    Column("due_at", String(40), nullable=False),
    Column("shown", JSON, nullable=False),
    Column("state", String(12), nullable=False, index=True),
    Column("task_id", String(40)),
)

answers = Table(  # overrides: every revision ever seen, never changed but for its state
    "answers",
    metadata,
    Column("key", String(240), primary_key=True),  # desk/annotation/revision
    Column("desk", String(80), nullable=False),
    Column("annotation_id", String(40), nullable=False),
    Column("revision", String(40), nullable=False),
    Column("task_id", String(40), nullable=False),
    Column("ticket_id", String(40), index=True),
    Column("reviewer", String(200), nullable=False),
    Column("edited_by", String(200), nullable=False),
    Column("label", String(200)),
    Column("verdict", String(12)),
    Column("rationale", Text, nullable=False),
    Column("reason_code", String(80)),
    Column("seconds", Float),
    Column("answered_at", String(40), nullable=False),
    Column("skipped", Boolean, nullable=False),
    Column("payload_hash", String(80), nullable=False),
    Column("state", String(12), nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("person", String(80)),  # roster id, once accepted
    Column("collected_at", String(40), nullable=False),
    Column("ruled_by", String(80)),  # who released or dropped it
    Column("ruling", Text, nullable=False),
    Index("answers_by_task", "desk", "task_id"),
)
resolutions = Table(  # overrides
    "resolutions",
    metadata,
    Column("resolution_id", String(40), primary_key=True),
    Column("decision_id", String(40), nullable=False, index=True),
    Column("ticket_id", String(40), nullable=False, index=True),
    Column("ticket_kind", String(20), nullable=False),
    Column("label", String(200), nullable=False),
    Column("model_label", String(200), nullable=False),
    Column("method", String(16), nullable=False),
    Column("answer_keys", JSON, nullable=False),
    Column("reviewers", JSON, nullable=False),
    Column("reason_codes", JSON, nullable=False),
    Column("resolved_at", String(40), nullable=False, index=True),
    Column("withdrawn_at", String(40)),
)
watermarks = Table(  # overrides: how far each desk was read
    "watermarks",
    metadata,
    Column("desk", String(80), primary_key=True),
    Column("changed_at", String(40)),  # nothing until the first page was kept
    Column("task_id", BigInteger),
    Column("swept_at", String(40)),
    Column("generation", BigInteger, nullable=False),  # moves with every change of the desk's answers
)

rollouts = Table(  # rollout
    "rollouts",
    metadata,
    Column("rollout_id", String(40), primary_key=True),
    Column("started_at", String(40), nullable=False, index=True),
    Column("state", JSON, nullable=False),
)
gate_reports = Table(  # gates
    "gate_reports",
    metadata,
    Column("digest", String(80), primary_key=True),
    Column("model_version", String(40), nullable=False, index=True),
    Column("made_at", String(40), nullable=False),
    Column("report", JSON, nullable=False),
)
intents = Table(  # steps that touch another system: written before, closed after
    "intents",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("kind", String(40), nullable=False),
    Column("facts", JSON, nullable=False),
    Column("opened_at", String(40), nullable=False),
    Column("closed_at", String(40)),
)
