"""Every table, for people who read the database by hand. Each is written by one capability only."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Float,
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

quarantined_cases = Table(  # decisions
    "quarantined_cases",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("case_id", String(200), nullable=False),
    Column("row", JSON, nullable=False),
    Column("reasons", JSON, nullable=False),
    Column("at", String(40), nullable=False),
)
decision_blocks = Table(  # decisions: with their cases, as `decisions.block` lays them out; never changed
    "decision_blocks",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("at", String(40), nullable=False, index=True),
    Column("count", Integer, nullable=False),
    Column("header", LargeBinary, nullable=False),
    Column("rows", LargeBinary, nullable=False),
    Column("texts", LargeBinary, nullable=False),
    Column("hashes", LargeBinary, nullable=False),  # 32 bytes a row; the trail holds the digest over them
)
decision_keys = Table(  # decisions: where the decision of that id stands, its 24 digits as bytes
    "decision_keys",
    metadata,
    Column("key", LargeBinary(12), primary_key=True),
    Column("block", Integer, nullable=False),
    Column("row", Integer, nullable=False),
    sqlite_with_rowid=False,
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

breakers = Table(  # routing: every breaker that was ever open; `b1` is number 1
    "breakers",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("scope", JSON, nullable=False),  # name and value
    Column("state", String(12), nullable=False),
    Column("since", String(40), nullable=False),
    Column("until", String(40)),  # nothing while it is not open
    Column("counts_from", String(40), nullable=False),
    Column("openings", Integer, nullable=False),
    Column("figures", JSON, nullable=False),
    Column("answers", Integer, nullable=False),
)
limit_counts = Table(  # routing: automatic decisions under each rate limit, by stretch of time
    "limit_counts",
    metadata,
    Column("limit_id", String(40), primary_key=True),
    Column("begins", BigInteger, primary_key=True, autoincrement=False),  # seconds since 1970
    Column("count", BigInteger, nullable=False),
)

tickets = Table(  # review
    "tickets",
    metadata,
    Column("ticket_id", String(40), primary_key=True),
    Column("decision_id", String(40), nullable=False, index=True),
    Column("kind", String(20), nullable=False),
    Column("suggestion", String(200), nullable=False),
    Column("lane", String(80), nullable=False),
    Column("signatures", Integer, nullable=False),
    Column("blind", Boolean, nullable=False),
    Column("opened_at", String(40), nullable=False),
    Column("due_at", String(40), nullable=False),
    Column("shown", JSON, nullable=False),
    Column("state", String(12), nullable=False, index=True),
    Column("task_id", String(40)),
    Column("skill", String(80)),
    Column("meant_for", String(80)),
    Column("step", Integer, nullable=False, default=0),
    Column("blind_first", Boolean, nullable=False, default=False),
    Column("stages", JSON, nullable=False, default=list),
    Column("decides", String(20)),
    Column("explained", Boolean, nullable=False, default=True),
)
ticket_sheets = Table(  # review: sheets on the desk beside the first, one for each further person asked
    "ticket_sheets",
    metadata,
    Column("ticket_id", String(40), primary_key=True),
    Column("copy", Integer, primary_key=True, autoincrement=False),
    Column("blind", Boolean, nullable=False),
    Column("skill", String(80)),
    Column("task_id", String(40), index=True),
    Column("said_html", Text, nullable=False),
    Column("closed", Boolean, nullable=False),
)

exercises = Table(  # oversight: what is known of exercises; the desk holds none of it
    "exercises",
    metadata,
    Column("ticket_id", String(40), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("decision_id", String(40), nullable=False, index=True),
    Column("truth", String(200), nullable=False),
    Column("suggestion", String(200), nullable=False),
    Column("source", String(20), nullable=False),
    Column("meant_for", String(80)),
    Column("opened_at", String(40), nullable=False, index=True),
)
suspicions = Table(  # oversight: people whom seeds speak against
    "suspicions",
    metadata,
    Column("suspicion_id", String(40), primary_key=True),
    Column("person", String(80), nullable=False),
    Column("at", String(40), nullable=False),
    Column("seeds", Integer, nullable=False),
    Column("caught", Integer, nullable=False),
    Column("e_value", Float, nullable=False),
    Column("closed_at", String(40)),  # nothing until a person has talked to them
    Column("closed_by", String(200)),
    Column("reason", Text, nullable=False),
)
guideline_issues = Table(  # oversight: classes on which people do not agree
    "guideline_issues",
    metadata,
    Column("issue_id", String(40), primary_key=True),
    Column("label", String(200), nullable=False),
    Column("alpha", Float, nullable=False),
    Column("low", Float, nullable=False),
    Column("high", Float, nullable=False),
    Column("cases", Integer, nullable=False),
    Column("decision_ids", JSON, nullable=False),  # of the cases on which they differ
    Column("opened_at", String(40), nullable=False),
    Column("closed_at", String(40)),  # nothing while it is open
    Column("closed_by", String(200)),
    Column("reason", Text, nullable=False),
)
ticket_moves = Table(  # review: steps of the escalation ladder that tickets took
    "ticket_moves",
    metadata,
    Column("move_id", String(40), primary_key=True),
    Column("ticket_id", String(40), nullable=False, index=True),
    Column("decision_id", String(40), nullable=False),
    Column("step", Integer, nullable=False),
    Column("what", String(20), nullable=False),
    Column("lane", String(80), nullable=False),
    Column("skill", String(80)),
    Column("skill_before", String(80)),
    Column("due_at", String(40), nullable=False),
    Column("happened_at", String(40), nullable=False),
    Column("until", String(40)),  # empty after the last step
    Column("ladder", String(80), nullable=False),
    Column("shown", Boolean, nullable=False, index=True),  # the desk shows it
)

claims = Table(  # review: who has which sheet of the desk, and until when
    "claims",
    metadata,
    Column("claim_id", String(40), primary_key=True),
    Column("ticket_id", String(40), nullable=False, index=True),
    Column("task_id", String(40), nullable=False),
    Column("person", String(80), nullable=False),  # roster id
    Column("at", String(40), nullable=False),
    Column("until", String(40), nullable=False),
    Column("ended_at", String(40), index=True),  # empty while it holds
    Column("ending", String(20)),
    Column("shown", Boolean, nullable=False, index=True),  # the desk shows it
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
    Column("stated", String(12)),  # the decision picked on the page
    Column("rationale", Text, nullable=False),
    Column("reason_code", String(80)),
    Column("error_tags", JSON, nullable=False),
    Column("for_training", Boolean, nullable=False),
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
    Index("answers_by_reason", "reason_code"),
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
    Column("for_training", Boolean, nullable=False),
    Column("withdrawn_at", String(40)),
)
scales = Table(  # overrides: how much each person's word weighs, for tickets opened from a time on
    "scales",
    metadata,
    Column("scale_id", String(40), primary_key=True),
    Column("since", String(40), nullable=False, unique=True),
    Column("method", String(16), nullable=False),
    Column("certainty", Float, nullable=False),
    Column("classes", JSON, nullable=False),
    Column("shares", JSON, nullable=False),
    Column("people", JSON),
    Column("anybody", JSON, nullable=False),
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

callbacks = Table(  # callbacks: which application wants to be told of which decision
    "callbacks",
    metadata,
    Column("callback_id", String(40), primary_key=True),
    Column("decision_id", String(40), nullable=False, index=True),
    Column("url", String(500), nullable=False),
    Column("application", String(200), nullable=False),
    Column("at", String(40), nullable=False),
)
deliveries = Table(  # callbacks: the outbox; kept together with the change that it tells of
    "deliveries",
    metadata,
    Column("delivery_id", String(40), primary_key=True),
    Column("callback_id", String(40), nullable=False),
    Column("decision_id", String(40), nullable=False, index=True),
    Column("url", String(500), nullable=False),
    Column("application", String(200), nullable=False),
    Column("cause", String(40), nullable=False),
    Column("state", String(12), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("due_at", String(40), nullable=False),
    Column("last", String(200), nullable=False),
    Index("deliveries_by_due", "state", "due_at"),
)

heard_deliveries = Table(  # webhooks: what MLflow told in the last 24 h, so that it counts once
    "heard_deliveries",
    metadata,
    Column("delivery_id", String(80), primary_key=True),
    Column("at", String(40), nullable=False, index=True),
)

taken_back = Table(  # recourse: decisions that nobody may act on any more
    "taken_back",
    metadata,
    Column("decision_id", String(40), primary_key=True),
    Column("how", String(12), nullable=False),
    Column("by", String(200), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", String(40), nullable=False),
    Column("through", String(200), nullable=False),
)
outcomes = Table(  # recourse: what really happened; the highest revision holds
    "outcomes",
    metadata,
    Column("decision_id", String(40), primary_key=True),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    Column("label", String(200), nullable=False),
    Column("at", String(40), nullable=False),
    Column("source", String(200), nullable=False),
    Column("by", String(200)),
    Column("told_at", String(40), nullable=False),
    Column("through", String(200), nullable=False),
)
complaints = Table(  # recourse
    "complaints",
    metadata,
    Column("complaint_id", String(40), primary_key=True),
    Column("decision_id", String(40), nullable=False, index=True),
    Column("ticket_id", String(40), nullable=False),
    Column("by", String(200), nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", String(40), nullable=False),
    Column("through", String(200), nullable=False),
)
requests = Table(  # recourse: requests that brought an Idempotency-Key, so that one sent twice counts once
    "requests",
    metadata,
    Column("key", String(80), primary_key=True),  # digest of the sender and its key
    Column("body_digest", String(80), nullable=False),
    Column("record_id", String(40), nullable=False),
    Column("at", String(40), nullable=False),
)

rollouts = Table(  # rollout
    "rollouts",
    metadata,
    Column("rollout_id", String(40), primary_key=True),
    Column("started_at", String(40), nullable=False, index=True),
    Column("state", JSON, nullable=False),
)
policy_trials = Table(  # trials
    "policy_trials",
    metadata,
    Column("trial_id", String(40), primary_key=True),
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
