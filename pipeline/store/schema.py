"""The tables of the results database, the same in SQLite and PostgreSQL.

A reading is never overwritten: reading a page again appends, and `readings.current` says which one
counts. Neither is a correction: an undo is a row of its own, and `fields.correction_id` says which
one is in effect. Times are ISO 8601 in UTC, which sort as text.

What may change, `pages.*` aside, are those two pointers and the work still to do: `queue` and
`doubts`. What a run has read waits in `spool` until the run is complete; `looks` remembers the
hashes of files that nobody has touched since, and `purged` those of documents that were removed.
"""

from typing import Final

import sqlalchemy as sa

metadata: Final = sa.MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ix": "ix_%(table_name)s_%(column_0_name)s",
    }
)
TIME: Final = sa.String(32)
SHA256: Final = sa.String(64)


def _key() -> "sa.Column[int]":
    return sa.Column("id", sa.Integer, primary_key=True)


def _link(name: str, to: str, *, nullable: bool = False) -> "sa.Column[int]":
    return sa.Column(name, sa.Integer, sa.ForeignKey(to), nullable=nullable, index=True)


def _text(name: str, kind: "sa.types.TypeEngine[str] | None" = None) -> "sa.Column[str]":
    return sa.Column(name, kind or sa.Text, nullable=False)


def _later_text(name: str) -> "sa.Column[str]":
    """A column that older databases got when they were brought up to date."""
    return sa.Column(name, sa.Text, nullable=False, server_default="")


templates = sa.Table(
    "templates",
    metadata,
    _key(),
    _text("name"),
    sa.Column("version", sa.Integer, nullable=False),
    sa.Column("sha256", SHA256, nullable=False, unique=True),
    _text("content"),  # the FormTemplate as JSON: fields are reviewed as they were read
)
documents = sa.Table(
    "documents",
    metadata,
    _key(),
    _text("name"),
    _text("sha256", SHA256),
    _text("path"),
    # Whether the exports show it: until other bytes come under its name.
    sa.Column("listed", sa.Boolean, nullable=False),
    _later_text("source"),  # its name in the inbox; `name` differs where that was taken
    sa.Column("moved", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.UniqueConstraint("name", "sha256"),
)
pages = sa.Table(
    "pages",
    metadata,
    _key(),
    _link("document_id", "documents.id"),
    sa.Column("number", sa.Integer, nullable=False),
    _link("template_id", "templates.id", nullable=True),
    _text("template"),
    _text("model_sha256", SHA256),
    _text("status"),
    _text("reason"),
    sa.Column("residual_px", sa.Double),
    _text("homography"),  # nine numbers, template pixels to shares of the scan
    sa.Column("seen", sa.LargeBinary, nullable=False),  # the boxes as the network saw them, zlib
    _text("read_at", TIME),
    # Of the template's file and all that it names; of all templates where none fitted.
    _later_text("template_sha256"),
    _later_text("profile_sha256"),
    _later_text("rostered"),  # what a roster decides by, and the fields before it did: JSON
    sa.UniqueConstraint("document_id", "number"),
)
fields = sa.Table(
    "fields",
    metadata,
    _key(),
    _link("page_id", "pages.id"),
    sa.Column("place", sa.Integer, nullable=False),
    _text("name"),
    sa.Column("correction_id", sa.Integer),
    sa.UniqueConstraint("page_id", "name"),
)
readings = sa.Table(
    "readings",
    metadata,
    _key(),
    _link("field_id", "fields.id"),
    sa.Column("current", sa.Boolean, nullable=False),
    _text("raw"),
    _text("value"),
    sa.Column("confidence", sa.Double, nullable=False),
    _text("flag"),
    _text("reasons"),
    _text("model_sha256", SHA256),
    _text("read_at", TIME),
)
boxes = sa.Table(
    "boxes",
    metadata,
    sa.Column("reading_id", sa.Integer, sa.ForeignKey("readings.id"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    sa.Column("place", sa.Integer, nullable=False),  # of its picture in pages.seen
    _text("reading"),
    sa.Column("confidence", sa.Double, nullable=False),
    _text("second"),
    sa.Column("second_confidence", sa.Double, nullable=False),
)
corrections = sa.Table(
    "corrections",
    metadata,
    _key(),
    _link("field_id", "fields.id"),
    sa.Column("before_raw", sa.Text),  # what stood there: a correction's or the reading's
    sa.Column("before_id", sa.Integer),  # the correction that was in effect before
    sa.Column("restores_id", sa.Integer),  # of an undo: the correction that is in effect again
    sa.Column("raw", sa.Text),  # none where an undo leaves no decision
    sa.Column("value", sa.Text),
    _text("source"),
    _text("way"),
    _text("reviewer"),
    sa.Column("made_at", TIME, nullable=False, index=True),
    sa.Column("token", sa.String(64), nullable=False, unique=True),  # one a decision of a browser
)
queue = sa.Table(
    "queue",
    metadata,
    sa.Column("field_id", sa.Integer, sa.ForeignKey("fields.id"), primary_key=True),
    sa.Column("task", sa.String(16), primary_key=True),
    sa.Column("done", sa.Boolean, nullable=False),
    sa.Column("skips", sa.Integer, nullable=False),
    sa.Column("rank", sa.Double, nullable=False),  # the lowest first
    sa.Column("leased_to", sa.Text),
    sa.Column("leased_until", TIME),
    sa.Index("ix_queue_next", "task", "done", "skips", "rank", "field_id"),
    sa.Index("ix_queue_lease", "leased_to"),
)
doubts = sa.Table(
    "doubts",
    metadata,
    sa.Column("field_id", sa.Integer, sa.ForeignKey("fields.id"), primary_key=True),
    sa.Column("position", sa.Integer, primary_key=True),
    _text("reading"),
    sa.Column("confidence", sa.Double, nullable=False),
    sa.Column("verdict", sa.Text),  # right or odd, once somebody looked
    sa.Column("reviewer", sa.Text),
    sa.Column("made_at", TIME),
    sa.Column("leased_to", sa.Text),
    sa.Column("leased_until", TIME),
    sa.Index("ix_doubts_next", "reading", "verdict", "confidence", "field_id"),
)
keyings = sa.Table(
    "keyings",
    metadata,
    _key(),
    _link("field_id", "fields.id"),
    _text("reviewer"),
    _text("raw"),
    sa.Column("expected", sa.Text),  # of a known field that was mixed in: what stands there
    sa.Column("made_at", TIME, nullable=False),
    sa.Column("token", sa.String(64), nullable=False, unique=True),
)
audit = sa.Table(
    "audit",
    metadata,
    _key(),
    _text("at", TIME),
    _text("who"),
    _text("what"),
    _text("details"),
)

runs = sa.Table(
    "runs",
    metadata,
    _key(),
    _text("state", sa.String(16)),
    _text("began_at", TIME),
    sa.Column("ended_at", TIME),
    _text("today", sa.String(10)),  # what `today` in a template means, also after a restart
    _text("made_with", SHA256),
    sa.Column("pages", sa.Integer, nullable=False),
    sa.Column("failed", sa.Integer, nullable=False),
    sa.Column("duplicates", sa.Integer, nullable=False),
    sa.Column("fields", sa.Integer, nullable=False),
    sa.Column("accepted", sa.Integer, nullable=False),
)
spool = sa.Table(
    "spool",
    metadata,
    _key(),
    sa.Column("run_id", sa.Integer, sa.ForeignKey("runs.id"), index=True),  # once it is complete
    _text("made_with", SHA256),
    _text("name"),
    _text("source"),
    _text("path"),
    _text("sha256", SHA256),
    sa.Column("number", sa.Integer, nullable=False),
    sa.Column("page_count", sa.Integer, nullable=False),  # of the document
    _text("status"),
    sa.Column("template_id", sa.Integer),
    _text("template_sha256", SHA256),
    _text("profile_sha256", SHA256),
    _text("model_sha256", SHA256),
    _text("result"),  # JSON
    sa.Column("seen", sa.LargeBinary, nullable=False),
    sa.UniqueConstraint("sha256", "name", "number"),
)
looks = sa.Table(
    "looks",
    metadata,
    sa.Column("path", sa.Text, primary_key=True),
    _text("state"),  # size, times and inode
    _text("sha256", SHA256),
    sa.Column("pages", sa.Integer, nullable=False),
    sa.Column("looked_at", sa.Double, nullable=False),  # seconds since 1970
)
purged = sa.Table(
    "purged",
    metadata,
    sa.Column("sha256", SHA256, primary_key=True),
    _text("purged_at", TIME),
)
