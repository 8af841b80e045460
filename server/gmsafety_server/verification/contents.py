"""Is the content of every submission, from which others are added up, the one that was filed.

The audit log keeps the hash of a content when it is filed; the log itself is chained and sealed.
"""

import json

from sqlalchemy import Connection, String, and_, cast, func, select

from ..carried import content_hash
from ..tables import audit, events, submissions
from .report import Check, Faults

_FILED = "submission.submitted"


def verify_contents(tx: Connection) -> Check:
    """Compare contents and histories with what the audit log says of them."""
    faults, filed = Faults(), 0
    said = and_(audit.c.object == submissions.c.uid, audit.c.action == _FILED)
    columns = (submissions.c.uid, submissions.c.body, submissions.c.payload_hash, submissions.c.revision, audit.c.data)
    query = select(*columns).select_from(submissions.outerjoin(audit, said)).where(submissions.c.state != "draft")
    for row in tx.execute(query, execution_options={"yield_per": 500}):
        filed += 1
        if row.data is None:
            faults.add(f"报送 {row.uid} 没有审计记录，记录可能被删去")
            continue
        told = json.loads(row.data)
        if told.get("content") != content_hash(row.body):
            faults.add(f"报送 {row.uid} 的内容与报送时不符")
        if (told.get("hash"), told.get("revision")) != (row.payload_hash, row.revision):
            faults.add(f"报送 {row.uid} 的校验值或版次与报送时不符")
    history = tx.execute(select(func.count()).select_from(events)).scalar_one()
    faults.extend(_untold(tx))
    return Check("contents", "内容和经过", {"submissions": filed, "history": history}, faults.all())


def _untold(tx: Connection) -> list[str]:
    """Lines of the history that the audit log does not know."""
    joined = events.join(submissions, submissions.c.id == events.c.submission_id)
    action = cast("submission.", String) + events.c.kind
    joined = joined.outerjoin(audit, and_(audit.c.object == submissions.c.uid, audit.c.action == action))
    query = select(submissions.c.uid, events.c.kind).select_from(joined).where(audit.c.id.is_(None)).limit(1000)
    return [f"报送 {row.uid} 的经过“{row.kind}”没有审计记录，记录可能被删去" for row in tx.execute(query)]
