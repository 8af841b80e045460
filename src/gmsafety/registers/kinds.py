"""Findings that only a register has; everything else is told by the kinds that forms have, too."""

from collections.abc import Mapping
from types import MappingProxyType

from ..findings import Kind, Severity
from ..kinds import KINDS

E, W = Severity.ERROR, Severity.WARNING
_ROWS = (
    (
        "missing-sheet",
        "GM-S223",
        W,
        "缺少工作表",
        "没有工作表“{sheet}”，按没有内容读取。",
        "如确有内容，请补上这张工作表，不要改名。",
    ),
    ("wrong-credit-code", "GM-T315", E, "信用代码有误", "统一社会信用代码有误。", "请按营业执照核对。"),
    ("value-not-allowed", "GM-T316", E, "值不合规定", "“{field}”不合规定：{why}。", "请核对后改正。"),
    (
        "entry-contradicts",
        "GM-R412",
        E,
        "一行之内矛盾",
        "这一行前后矛盾：{why}。",
        "请核对各栏；经过只由系统续写，不宜手改。",
    ),
    ("row-not-taken", "GM-R415", W, "本行未采用", "第{row}行有误，整行未采用。", "请改正后重新读入。"),
    ("entry-twice", "GM-R413", E, "重复登记", "“{text}”已在第{other}行登记，本行未采用。", "请删去一行。"),
    (
        "computed-differs",
        "GM-R414",
        W,
        "推算的栏不符",
        "“{field}”由其他各栏得出，应为“{now}”，表上的“{text}”未采用。",
        "请改作为依据的栏，不要改推算出的栏。",
    ),
    (
        "not-registered",
        "GM-X603",
        W,
        "没有登记",
        "“{field}”的“{text}”在工作表“{sheet}”中没有登记。",
        "请核对编号，或先补登记。",
    ),
)

REGISTER_KINDS: Mapping[str, Kind] = MappingProxyType(KINDS | {row[0]: Kind(*row) for row in _ROWS})
"""Every kind of finding that reading a register can report, by its slug."""
