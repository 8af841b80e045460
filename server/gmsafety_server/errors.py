"""Problems told to a client (RFC 9457): each kind has a code that never changes, a status, a remedy in Chinese.

What is wrong with a form is never here: that is a finding, and travels inside the problem where it stops a filing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any


@dataclass(frozen=True, slots=True)
class ProblemType:
    """A kind of problem; `slug` is the end of its address `/problems/<slug>`."""

    slug: str
    code: str
    status: int
    title: str
    remedy: str


# fmt: off
_TYPES = (
    ProblemType("bad-request", "GM-H400", 400, "请求的内容不对", "请按接口说明核对后重发"),
    ProblemType("clock-refused", "GM-H401", 400, "时间由服务器决定", "请去掉请求里指定的时间；收到时间以服务器为准"),
    ProblemType("not-logged-in", "GM-H410", 401, "没有登录", "请先登录，或在请求头里带上有效的令牌"),
    ProblemType("token-expired", "GM-H411", 401, "令牌已过期或已撤销", "请重新申请令牌"),
    ProblemType("wrong-password", "GM-H412", 401, "账号或密码不对", "请核对后再试；忘记密码请找本单位管理员"),
    ProblemType("locked-out", "GM-H413", 429, "密码错误次数过多，暂时不能登录", "请在所说的时间之后再试，或请管理员解锁"),
    ProblemType("page-expired", "GM-H414", 403, "页面已过期", "请刷新页面后再操作一次"),
    ProblemType("must-change", "GM-H415", 403, "要先更改密码", "初始密码只能用来登录；请先改成自己的密码"),
    ProblemType("not-allowed", "GM-H430", 403, "没有这项权限", "请用有权限的账号，或请管理员调整"),
    ProblemType("out-of-scope", "GM-H431", 403, "令牌不含这项权限", "请申请含有这项权限的令牌"),
    ProblemType("not-found", "GM-H440", 404, "没有找到", "请核对地址；也可能是不在您的查看范围"),
    ProblemType("wrong-method", "GM-H441", 405, "这个地址不支持该操作", "请按接口说明更换请求方法"),
    ProblemType("other-content", "GM-H450", 409, "同一编号已收到过另一份内容", "内容确有更改的，请用新的编号报送"),
    ProblemType("revision-exists", "GM-H451", 409, "这一期已经报过", "要更正的，请写明所更正的那一版（supersedes）"),
    ProblemType("accepted", "GM-H452", 409, "已被接受，不能更改", "请联系上级单位撤销接受后再更正"),
    ProblemType("draft-exists", "GM-H453", 409, "这一期已有草稿", "请先报送或删除那份草稿"),
    ProblemType("wrong-state", "GM-H454", 409, "现在的状态不能这样办理", "请刷新后查看当前状态"),
    ProblemType("closed", "GM-H455", 409, "这一期已停止接收", "请联系上级单位"),
    ProblemType("too-early", "GM-H456", 409, "这一期还没有开始", "请在本期开始之后报送"),
    ProblemType("last-administrator", "GM-H457", 409, "这是最后一个可用的管理员账号", "请先让另一个账号担任管理员"),
    ProblemType("frozen", "GM-H458", 409, "以前的期次已经固定", "变更请从今天或以后的日期起"),
    ProblemType("reconciling", "GM-H459", 409, "正在与对方节点核对", "核对完就能办理，通常几分钟；草稿可以照存"),
    ProblemType("stale", "GM-H460", 412, "内容已被他人更改", "请刷新，看过最新内容后再办理"),
    ProblemType("if-match-missing", "GM-H461", 428, "没有写明所依据的版本", "请在请求头 If-Match 里写上读到的 ETag"),
    ProblemType("too-large", "GM-H470", 413, "内容太大", "单次上传不超过20 MB；请压缩图片或分开上传"),
    ProblemType("wrong-type", "GM-H471", 415, "不支持这种文件", "请上传 xlsx 或 docx；附件可用 pdf、jpg、png"),
    ProblemType("unreadable", "GM-H480", 422, "文件不能读取", "请按所列问题改正后重新上传"),
    ProblemType("wrong-form", "GM-H481", 422, "不是这张表", "请上传正确的表"),
    ProblemType("reason-needed", "GM-H482", 422, "有需要处理的问题", "请改正；数字确实如此的，请写明原因（reason）后报送"),
    ProblemType("artefact-missing", "GM-H483", 422, "材料不齐", "请补齐所列材料"),
    ProblemType("not-owed", "GM-H484", 422, "本单位这一期没有这项报送任务", "请核对期次和报表；确需报送的，请管理员分配任务"),
    ProblemType("not-valid", "GM-H485", 422, "有些内容不对", "请按所列逐项改正"),
    ProblemType("no-step", "GM-H486", 422, "这张表没有汇总到本级的规定", "请核对报表；需要汇总的，请插件维护人补充汇总规定"),
    ProblemType("too-many", "GM-H490", 429, "请求太频繁", "请稍后再试"),
    ProblemType("failed", "GM-H500", 500, "服务器出错，未能完成", "请稍后重试，已收到的不会重复；仍不行请联系管理员"),
    ProblemType("busy", "GM-H503", 503, "服务器正忙", "请稍后重试，已收到的不会重复"),
)
# fmt: on

PROBLEMS: Mapping[str, ProblemType] = MappingProxyType({t.slug: t for t in _TYPES})


class Problem(Exception):
    """Raised where a request cannot be done; nothing of it was stored. `more` goes into the answer as it is."""

    def __init__(self, slug: str, detail: str = "", *, headers: Mapping[str, str] | None = None, **more: Any) -> None:
        self.type = PROBLEMS[slug]
        self.detail = detail or self.type.title
        self.headers = dict(headers or {})
        self.more = more
        super().__init__(f"{self.type.code} {self.detail}")

    def to_json(self, instance: str = "") -> dict[str, Any]:
        """The body of the answer."""
        kind = self.type
        fixed = {"type": f"/problems/{kind.slug}", "title": kind.title, "status": kind.status, "detail": self.detail}
        where = {"instance": instance} if instance else {}
        return {**fixed, **where, "code": kind.code, "remedy": kind.remedy, **self.more}
