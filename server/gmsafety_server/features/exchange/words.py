"""The words for what is in the boxes, for pages and for the command line."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from ...templating import beijing

KINDS: Mapping[str, str] = MappingProxyType(
    {
        "submission": "报送",
        "receipt": "收到回执",
        "report": "核对回执",
        "decision": "审核回执",
        "withdraw": "撤回",
        "outdated": "汇总过时",
        "notice": "通知",
        "definitions": "定义",
        "digest": "对账",
        "ask": "询问",
        "copies": "副本",
        "keys": "密钥",
        "ping": "应答",
        "handover": "单位交接",
    }
)
COUNTS: Mapping[str, str] = MappingProxyType(
    {
        "received": "收件",
        "untaken": "收件待办理",
        "held": "收件等前面的",
        "failed": "收件未能办理",
        "delivered": "发件已送达",
        "unsent": "发件待送",
        "late": "发件待送、试过的",
        "dead": "发件被拒收",
        "turned_down": "发件对方未能办理",
        "tasks": "对账待办",
    }
)


def line(row: Any) -> dict[str, Any]:
    """A message of either box as one line."""
    told = row._mapping
    at = told.get("stored_at") or told["posted_at"]
    done = told.get("taken_at") or told.get("answered_at")
    carried = told.get("carried_at")
    return {
        "id": row.id, "node": told.get("sender") or told["receiver"], "message_id": row.message_id, "kind": row.kind,
        "unit": row.unit, "item": row.item, "period": str(row.period) if row.period else None,
        "revision": row.revision, "sequence": row.sequence, "at": beijing(at, "%Y-%m-%d %H:%M:%S"),
        "done_at": beijing(done, "%Y-%m-%d %H:%M:%S") if done else None, "failures": row.failures,
        "problem": row.problem, "detail": row.detail,
        "carried_at": beijing(carried) if carried else None, "carried_by": told.get("carried_by"),
    }  # fmt: skip


BOXES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "inbox": {"": "全部", "untaken": "待办理", "held": "等前面的", "failed": "未能办理"},
        "outbox": {"": "全部", "unsent": "待送", "dead": "被拒收", "turned_down": "对方未能办理"},
    }
)
"""The boxes, and what their lists are narrowed to."""
