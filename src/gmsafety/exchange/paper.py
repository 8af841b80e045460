"""A receipt (回执) on paper, in the look of official documents; the paper can be compared with what was signed."""

import datetime as dt
from pathlib import Path

from ..forms.spec import Layout
from ..forms.writing import write_paper
from ..forms.writing.paper import Paper
from .receipts import BEIJING, Receipt, SignedReceipt, in_one_line, outcome, timeliness

_HEADINGS = ("项目", "内容")
_WIDTHS = (17.0, 67.0)
_FONT_SIZE = 14


def print_receipt(signed: SignedReceipt, to: str | Path) -> Path:
    """Write a receipt as .docx or .pdf (or .xlsx); CannotWrite if it cannot. Does not verify."""
    return write_paper(lay_out_receipt(signed), Path(to))


def lay_out_receipt(signed: SignedReceipt) -> Paper:
    """Put a receipt on paper."""
    receipt = signed.receipt
    rows = receipt_rows(signed)
    day = receipt.issued_at.astimezone(BEIJING)
    return Paper(
        layout=Layout(sheet="回执", orientation="portrait", font_size=_FONT_SIZE),
        title=(receipt.receiver.name, "报送回执" + ("（测试，不作凭证）" if receipt.test else "")),
        header=(),
        headings=_HEADINGS,
        widths=_WIDTHS,
        centred=(True, False),
        choices=((), ()),
        rows=iter([list(row) for row in rows]),
        count=len(rows),
        notes=(
            "本回执由出具节点电子签名，以同时发出的回执文件（JSON）为准。"
            "离线核验：gmsafety verify 回执文件 --keys 公钥；纸上的验证码应与之一致。",
        ),
        signatures=(f"{receipt.receiver.name}　　{day.year}年{day.month}月{day.day}日",),
    )


def receipt_rows(signed: SignedReceipt) -> list[tuple[str, str]]:
    """What is printed, line by line: label and text."""
    receipt = signed.receipt
    rows = [
        ("报送单位", receipt.sender.name),
        ("报送内容", f"《{receipt.title}》"),
        ("期次", f"{receipt.period.year}年{receipt.period.month}月{receipt.period.day}日期"),
        ("版次", f"第{receipt.revision}版{'（零报告）' if receipt.nil else ''}"),
        ("收到时间", _clock(receipt.received_at)),
        ("截止时间", _clock(receipt.due_at) if receipt.due_at else "没有规定"),
        ("是否按时", timeliness(receipt)),
        ("办理情况", outcome(receipt)),
    ]
    if receipt.note:
        rows.append(("说明", in_one_line(receipt.note)))
    return [*rows, ("出具时间", _clock(receipt.issued_at)), *_proof(signed, receipt)]


def _proof(signed: SignedReceipt, receipt: Receipt) -> list[tuple[str, str]]:
    return [
        ("出具节点", receipt.node),
        ("回执编号", receipt.id),
        ("内容校验值", _grouped(receipt.payload_hash, 8, 4)),
        ("回执校验值", _grouped(signed.hash, 8, 4)),
        ("验证码", signed.code),
        ("签名", f"{signed.signature.algorithm}　{signed.signature.key_id}\n{_grouped(signed.signature.value, 11, 2)}"),
    ]


def _clock(moment: dt.datetime) -> str:
    here = moment.astimezone(BEIJING)
    return f"{here.year}年{here.month}月{here.day}日 {here:%H:%M:%S}"


def _grouped(text: str, width: int, across: int) -> str:
    """A long value in groups that can be read out and compared, so many in a line."""
    groups = [text[i : i + width] for i in range(0, len(text), width)]
    return "\n".join(" ".join(groups[i : i + across]) for i in range(0, len(groups), across))
