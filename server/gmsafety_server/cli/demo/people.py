"""Who takes part: accounts of the province, the city, its counties and a few towns. All have the same password."""

from dataclasses import dataclass

from ...scope import Role
from .scenario import COUNTIES

PASSWORD = "demo-gongmao-2024"
PROVINCE, CITY = "shanxi.shanxi-office", "shanxi.jincheng-office"
ZEZHOU = "jincheng.zezhou-office"


@dataclass(frozen=True, slots=True)
class Person:
    """An account; `does` says what it is good for in the demonstration."""

    login: str
    unit: str
    roles: tuple[Role, ...]
    does: str


@dataclass(frozen=True, slots=True)
class Town:
    """A town whose office is opened by hand."""

    unit: str
    name: str
    area: str


TOWNS = (
    Town("jincheng.nancun-office", "南村镇应急管理站", "140525100"),
    Town("jincheng.gaodu-office", "高都镇应急管理站", "140525107"),
    Town("jincheng.bagong-office", "巴公镇应急管理站", "140525108"),
)

CITY_CLERK = Person("jincheng", CITY, (Role.CLERK,), "市本级填报，汇总，报省厅")
CITY_REVIEWER = Person("jincheng-shenhe", CITY, (Role.REVIEWER,), "审核各县，看进度")
CITY_LEADER = Person("jincheng-lingdao", CITY, (Role.LEADER,), "看进度和汇总")
CITY_ADMINISTRATOR = Person("jincheng-guanli", CITY, (Role.ADMINISTRATOR,), "管单位和账号")
CITY_AUDITOR = Person("jincheng-shenji", CITY, (Role.AUDITOR,), "查操作记录")
PROVINCE_REVIEWER = Person("shanxi-shenhe", PROVINCE, (Role.REVIEWER, Role.LEADER), "有2份待审，看全省进度")
_DOES = {"gaoping": "看退回和更正的经过", "lingchuan": "看迟报的回执", "chengqu": "看零报告"}
CLERKS = tuple(Person(c.login, c.unit, (Role.CLERK,), _DOES.get(c.login, "填报")) for c in COUNTIES)
DEPARTMENTS = (
    Person("gxj", "jincheng.jincheng-gxj", (Role.CLERK,), "成员单位，零报告"),
    Person("scjgj", "jincheng.jincheng-scjgj", (Role.CLERK,), "成员单位，零报告"),
    Person("sthjj", "jincheng.jincheng-sthjj", (Role.CLERK,), "成员单位，第3周没有报"),
)
"""Member departments; the last one forgets the last week."""
TOWN_CLERK = Person("nancun", TOWNS[0].unit, (Role.CLERK,), "没有报送任务的乡镇")

PEOPLE = (
    CITY_REVIEWER, CITY_CLERK, CITY_LEADER, CITY_ADMINISTRATOR, CITY_AUDITOR, PROVINCE_REVIEWER, *CLERKS,
    *DEPARTMENTS,
)  # fmt: skip
"""Those whose accounts are there from the beginning; the first is whom to begin with."""
