"""Do the versions of a form fit together, and the layouts of regions to the forms they print?"""

from collections.abc import Iterator, Mapping
from typing import Protocol

from .content import Content
from .errors import Problem
from .forms.spec import Form, RegionLayout
from .forms.versions import Versions, asked, field_map


class Shelf(Protocol):
    """What these checks need of a catalog."""

    @property
    def forms(self) -> Mapping[str, Form]: ...
    @property
    def versions(self) -> Mapping[str, Versions]: ...


def versions_of(content: Content, catalog: Shelf) -> Iterator[Problem]:
    """Every version of a form that does not follow from the one before it, and every layout that fits no form."""
    for versions in catalog.versions.values():
        if versions.forms[0].plugin == content.plugin:
            yield from _chain(content, versions)
    for layout in content.layouts:
        yield from _layout(content, layout, catalog)


def _chain(content: Content, versions: Versions) -> Iterator[Problem]:
    followed: dict[str, str] = {}
    for form in versions.forms:
        name = f"{form.id}@{form.version}"
        before = versions.get(form.follows) if form.follows else None
        if form.follows and before is None:
            text = f"《{form.title}》{form.version}版接着的“{form.follows}”版没有登记"
            yield content.problem("forms", name, text, "请核对 follows")
        if not form.follows and form is not versions.forms[0]:
            text = f"《{form.title}》有几个版本，{form.version}版没有写明接着哪一版"
            yield content.problem("forms", name, text, "请写 follows")
        if form.follows and form.status == "published":
            other = followed.setdefault(form.follows, form.version)
            if other != form.version:
                text = f"《{form.title}》的{other}版和{form.version}版都接着{form.follows}版"
                yield content.problem("forms", name, text, "同一版之后只能有一个启用的版本")
        if form.closes and form.opens and form.closes < form.opens:
            yield content.problem("forms", name, "停用日期早于启用日期", "请核对 opens 和 closes")
        if before is not None and before is not form:
            yield from _map(content, before, form)
        elif before is None and (form.moved or form.dropped):
            yield content.problem("forms", name, "没有前一版，moved、dropped 无从对照", "请写 follows，或删去")


def _map(content: Content, older: Form, newer: Form) -> Iterator[Problem]:
    """The fields of two versions: what moved is there on both sides, a type never changes, nothing goes in silence."""

    def wrong(text: str, remedy: str) -> Problem:
        return content.problem("forms", f"{newer.id}@{newer.version}", f"{newer.version}版：{text}", remedy)

    before, after = asked(older), asked(newer)
    if older.is_grid != newer.is_grid:
        yield wrong(f"{older.version}版是{_shape(older)}，这一版是{_shape(newer)}", "请另用一个表的编号")
        return
    for path in (*newer.moved, *newer.dropped):
        if path not in before:
            yield wrong(f"{older.version}版没有栏目“{path}”", "请核对 moved、dropped")
    for path, name in newer.moved.items():
        if name not in after:
            yield wrong(f"“{path}”改成的“{name}”不是这一版的栏目", "请核对 moved")
        if path in newer.dropped:
            yield wrong(f"“{path}”既写在 moved 又写在 dropped", "请删去其中一处")
    names = list(newer.moved.values())
    for name in sorted({n for n in names if names.count(n) > 1}):
        yield wrong(f"几个栏目都改成了“{name}”", "一个栏目只能来自一个栏目")
    for path, name in field_map(older, newer):
        if before[path] != after[name]:
            was, now = before[path], after[name]
            yield wrong(f"“{name}”的类型由{was}变成了{now}", "类型不能改；请换一个id，并把旧的写入 dropped")
    for path in before:
        if path not in after and path not in newer.moved and path not in newer.dropped:
            yield wrong(f"{older.version}版的“{path}”不见了", "请在 moved 写明改成哪一栏，或写入 dropped")


def _shape(form: Form) -> str:
    return "逐行填写的表" if form.is_grid else "固定行的表"


def _layout(content: Content, layout: RegionLayout, catalog: Shelf) -> Iterator[Problem]:
    form = catalog.forms.get(layout.of)
    if form is None:
        yield content.problem("layouts", layout.of, f"版式所属的表“{layout.of}”没有登记", "请写全名（插件.id）")
        return
    widths = layout.layout.widths
    if widths and len(widths) != len(form.columns):
        text = f"版式的 widths 有{len(widths)}个宽度，表有{len(form.columns)}栏"
        yield content.problem("layouts", layout.of, text, "请逐栏写宽度")
    title = "".join(layout.layout.title)
    if title and title not in (form.title, *form.aliases):
        text = f"版式的标题“{title}”不是《{form.title}》的标题"
        yield content.problem("layouts", layout.of, text, "请用原标题，或在表的 aliases 中登记")
