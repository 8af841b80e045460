"""The four sheets of a register: their columns, where each value belongs in the entity, and how it stands in a cell."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from ..codes import Industry
from ..enterprises import Enterprise, Traits
from ..hazards import Acceptance, Grade, Hazard, Stage, Suspension
from ..inspections import Inspection
from ..penalties import Penalty, PenaltyKind, Punished
from ..provenance import Value
from .cells import COUNT, CREDIT, DAY, FLAG, LEVEL, LINES, MONEY, STEPS, TAGS, TEXT, CellKind, choice, choices, one_of

Names = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Column:
    """A column: `path` says where its value belongs. A column with `show` is computed: written, compared, not taken."""

    label: str
    path: str = ""
    kind: CellKind = TEXT
    width: float = 12
    aliases: tuple[str, ...] = ()
    show: Callable[[Any, Names], object] | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet: the entity of its rows, the field of the register that holds them, and what names a row."""

    title: str
    field: str
    model: type[Value]
    columns: tuple[Column, ...]

    def column(self, path: str) -> Column:
        """The column in which a path, or what it is part of, stands; the first where there is none."""
        fitting = [c for c in self.columns if c.path and f"{path}.".startswith(f"{c.path}.")]
        below = [c for c in self.columns if path and c.path.startswith(path + ".")]
        return next(iter(sorted(fitting, key=lambda c: -len(c.path)) or below), self.columns[0])


def _flag_text(flag: bool | None) -> str | None:
    return None if flag is None else "是" if flag else "否"


def _name(value: Any, names: Names) -> str | None:
    return names.get(value.enterprise)


_CODE = Column("统一社会信用代码", "enterprise", CREDIT, 22, ("信用代码", "社会信用代码"))
_NAME = Column("企业名称", width=24, show=_name)


def _enterprises() -> Sheet:
    traits = tuple(
        Column(field.description or name, f"traits.{name}", FLAG if "bool" in str(field.annotation) else COUNT, 9)
        for name, field in Traits.model_fields.items()
    )
    columns = (
        Column("统一社会信用代码", "credit_code", CREDIT, 22, ("信用代码", "社会信用代码")),
        Column("企业名称", "name", width=28, aliases=("单位名称", "企业全称")),
        Column("行政区划代码", "area", width=13),
        Column("地址", "address", width=28, aliases=("企业地址",)),
        Column("行业代码", "gbt4754", width=9, aliases=("国民经济行业代码",)),
        Column("确认的行业", "confirmed_industry", choice(one_of(Industry)), 10),
        Column("行业", width=8, show=lambda e, _: e.industry),
        Column("重点监管级别", "key_level", LEVEL, 12),
        Column("数据年份", "figures.year", COUNT, 9),
        Column("从业人员", "figures.staff", COUNT, 9, ("职工人数", "从业人数")),
        Column("营业收入（万元）", "figures.revenue", MONEY, 14),
        Column("资产总额（万元）", "figures.assets", MONEY, 14),
        Column("规模", width=8, show=lambda e, _: e.sized.size),
        Column("划型依据", width=40, show=lambda e, _: e.sized.reason),
        Column("在规模以上名录", "on_scale_list", FLAG, 14),
        Column("规模以上", width=9, show=lambda e, _: _flag_text(e.above_scale)),
        *traits,
        Column("其他标签", "more", TAGS, 18),
    )
    return Sheet("企业", "enterprises", Enterprise, columns)


def _hazards() -> Sheet:
    columns = (
        Column("隐患编号", "id", width=14),
        _CODE,
        _NAME,
        Column("检查环节", "stage", choice(one_of(Stage)), 10),
        Column("发现日期", "found", DAY, 13, ("检查时间", "发现时间")),
        Column("检查单位", "found_by", width=20, aliases=("发现单位",)),
        Column("隐患描述", "detail", width=36, aliases=("隐患内容", "重大隐患明细")),
        Column("现场证据", "evidence", width=20),
        Column("隐患等级", "grade", choice(one_of(Grade)), 13, ("隐患类型",)),
        Column("判定依据（10号令）", "basis", LINES, 16),
        Column("其他依据", "other_basis", width=20),
        Column("整改责任", "measure.responsibility", width=16),
        Column("整改措施", "measure.action", width=28),
        Column("整改资金（万元）", "measure.funds", MONEY, 14),
        Column("整改时限", "measure.time_limit", DAY, 13),
        Column("应急预案", "measure.contingency", width=20),
        Column("停产", "suspension", choice(one_of(Suspension)), 10),
        Column("督办级别", "listing.level", LEVEL, 10),
        Column("督办单位", "listing.supervisor", width=20, aliases=("挂牌督办单位",)),
        Column("督办部门", "listing.department", width=20),
        Column("督办文号", "listing.number", width=16),
        Column("挂牌日期", "listing.listed", DAY, 13),
        Column("督办完成时间", "listing.due", DAY, 13),
        Column("摘牌日期", "listing.delisted", DAY, 13),
        Column("实际投入（万元）", "spent", MONEY, 14),
        Column("验收方式", "acceptance", choices(one_of(Acceptance)), 18),
        Column("状态", width=13, show=lambda h, _: h.state),
        Column("经过", "steps", STEPS, 50),
    )
    return Sheet("隐患", "hazards", Hazard, columns)


def _inspections() -> Sheet:
    columns = (
        Column("检查编号", "id", width=14),
        _CODE,
        _NAME,
        Column("检查环节", "stage", choice(one_of(Stage)), 10),
        Column("开始日期", "first", DAY, 13, ("检查时间", "检查日期")),
        Column("结束日期", "last", DAY, 13),
        Column("检查单位", "inspected_by", width=20),
        Column("检查人员", "inspectors", LINES, 18),
        Column("专家人数", "experts", COUNT, 9),
        Column("检查表", "checklists", LINES, 24),
        Column("发现的隐患", "hazards", LINES, 16),
        Column("检查人员签字", "inspectors_signed", FLAG, 12),
        Column("企业负责人签字", "principal_signed", FLAG, 14),
        Column("逢查必考", "principal_examined", FLAG, 9),
        Column("考核合格", "principal_passed", FLAG, 9),
        Column("逢查必检", "majors_checked", FLAG, 9),
        Column("四不两直", "unannounced", FLAG, 9),
        Column("录入日期", "entered", DAY, 13),
        Column("备注", "remark", width=24),
    )
    return Sheet("检查", "inspections", Inspection, columns)


def _penalties() -> Sheet:
    columns = (
        Column("处罚编号", "id", width=14),
        _CODE,
        _NAME,
        Column("隐患编号", "hazard", width=14),
        Column("决定日期", "decided", DAY, 13, ("处罚日期",)),
        Column("处罚单位", "by", width=20),
        Column("处罚种类", "kinds", choices(one_of(PenaltyKind)), 18),
        Column("处罚对象", "punished", choice(one_of(Punished)), 12),
        Column("金额（万元）", "amount", MONEY, 12, ("罚款（万元）",)),
        Column("文书号", "number", width=20),
        Column("案号", "case", width=18),
        Column("行刑衔接", "referred", FLAG, 9),
        Column("公布曝光", "published", FLAG, 9),
    )
    return Sheet("行政处罚", "penalties", Penalty, columns)


@cache
def sheets() -> tuple[Sheet, ...]:
    """The sheets of a register, in order."""
    return _enterprises(), _hazards(), _inspections(), _penalties()
