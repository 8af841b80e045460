"""The pages on which an administrator looks after accounts."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Form, Query, Request, Response
from fastapi.responses import RedirectResponse
from pydantic import BaseModel, Field, ValidationError

from gmsafety.exchange.canonical import digest

from ... import auth
from ...directory import Directory
from ...errors import Problem
from ...node import Node
from ...scope import Role, Viewer
from ...tables import AnyRow
from ...templating import page, say
from ...web import Here, Paging, paged, posting, visiting
from . import administration
from .schemas import UserChange, UserIn

router = APIRouter(prefix="/admin", include_in_schema=False)
Reader = Annotated[Viewer, Depends(visiting("user.read"))]
Maker = Annotated[Viewer, Depends(visiting("user.change"))]
Administrator = Annotated[Viewer, Depends(posting("user.change"))]
_PAGE = 30
_STATES = {"": None, "on": False, "off": True}


class Search(BaseModel):
    """What the list is narrowed to."""

    q: str = Field("", max_length=80)
    role: str = Field("", max_length=20)
    state: str = Field("", max_length=5)
    page: int = Field(1, ge=1, le=100_000)


class UserForm(BaseModel):
    """The form of an account, as a browser sends it."""

    login: str = Field("", max_length=80)
    name: str = Field("", max_length=200)
    unit: str = Field("", max_length=120)
    roles: list[str] = Field(default_factory=list, max_length=10)
    do: str = Field("save", max_length=20)
    seen: str = Field("", max_length=40)

    def told(self, *kept: str) -> dict[str, Any]:
        """The fields named."""
        return self.model_dump(include=set(kept))


@router.get("")
def administration_page(viewer: Reader) -> Response:
    """Where the address is typed by hand: the accounts."""
    return RedirectResponse("/admin/users", 303)


@router.get("/users")
def list_users(request: Request, node: Here, viewer: Reader, search: Annotated[Search, Query()]) -> Response:
    """The accounts of one's own unit and those below."""
    filters = {"q": search.q.strip(), "role": search.role, "disabled": _STATES.get(search.state)}
    paging = Paging(page=search.page, size=_PAGE)
    with node.db.read() as tx:
        items, total = administration.listed(tx, node, viewer, filters, paging)
    return page(request, "accounts/users.html", found=paged(items, total, paging), asked=search, roles=list(Role))


@router.get("/new-user")
def new_user(request: Request, node: Here, viewer: Maker, unit: Annotated[str, Query(max_length=120)] = "") -> Response:
    """An empty form."""
    return _form(request, node, viewer, UserForm(unit=unit or viewer.unit, roles=["clerk"]))


@router.post("/new-user")
def add_user(request: Request, node: Here, viewer: Administrator, form: Annotated[UserForm, Form()]) -> Response:
    """Make an account; the page that follows is the only one that shows its first password."""
    password = administration.new_password()
    try:
        told = UserIn.model_validate(form.told("login", "name", "unit", "roles"))
        given = administration.Given(auth.hash_password(password))
        with node.db.write() as tx:
            administration.add(tx, node, viewer, told, given)
    except (ValidationError, Problem) as error:
        return _form(request, node, viewer, form, wrong=_wrong(error))
    return page(request, "accounts/first_password.html", login=told.login, name=told.name, password=password)


@router.get("/users/{login}")
def show_user(login: str, request: Request, node: Here, viewer: Maker) -> Response:
    """An account."""
    known = _known(node, viewer, "user.read", login)
    return _form(request, node, viewer, UserForm.model_validate(known), known=known)


@router.post("/users/{login}")
def change_user(
    login: str, request: Request, node: Here, viewer: Administrator, form: Annotated[UserForm, Form()]
) -> Response:
    """Change an account; `do` says what: save, disable, enable, unlock, reset."""
    known = _known(node, viewer, "user.change", login)
    password = administration.new_password() if form.do == "reset" else None
    simple: dict[str, dict[str, Any]] = {
        "disable": {"disabled": True}, "enable": {"disabled": False}, "unlock": {"unlock": True},
        "reset": {"password": password},
    }  # fmt: skip
    try:
        told = UserChange.model_validate(simple.get(form.do) or form.told("name", "unit", "roles"))
        given = administration.Given(auth.hash_password(password)) if password else None
        with node.db.write() as tx:
            if password and form.seen != _seal(administration.find(tx, node, viewer, "user.change", login, lock=True)):
                return _done(
                    login, "没有再次重设：密码已重设或更改过，新密码只显示一次。没有记下的，请再按“重设密码”。", "info"
                )
            administration.change(tx, node, viewer, login, told, given)
    except (ValidationError, Problem) as error:
        shown = UserForm.model_validate(known) if form.do in simple else form
        return _form(request, node, viewer, shown, known=known, wrong=_wrong(error))
    if password:
        return page(request, "accounts/first_password.html", login=login, name=known["name"], password=password)
    return _done(login, "已更改。")


def _done(login: str, words: str, kind: str = "success") -> Response:
    response = RedirectResponse(f"/admin/users/{login}", 303)
    say(response, words, kind=kind)
    return response


def _known(node: Node, viewer: Viewer, action: str, login: str) -> dict[str, Any]:
    """An account as its page shows it; `seal` changes with the password, so that a form sent twice resets it once."""
    with node.db.read() as tx:
        row = administration.find(tx, node, viewer, action, login)
    return {**administration.summary(row), "seal": _seal(row)}


def _seal(row: AnyRow) -> str:
    return digest(f"seen {row.password}".encode())[:32]


def _form(
    request: Request, node: Node, viewer: Viewer, form: UserForm, *, known: dict[str, Any] | None = None,
    wrong: dict[str, str] | None = None,
) -> Response:  # fmt: skip
    with node.db.read() as tx:
        choices = units_in_sight(node.directory(tx), viewer)
    if known and known["unit"] not in dict(choices):
        choices.insert(0, (known["unit"], f"{known['unit_name']}（已撤销）"))
    return page(
        request, "accounts/user.html", status=422 if wrong else 200, form=form, known=known, wrong=wrong or {},
        units=choices, roles=list(Role),
    )  # fmt: skip


def units_in_sight(directory: Directory, viewer: Viewer) -> list[tuple[str, str]]:
    """The units an account may belong to, those below set in."""
    shown = [u for u in directory.tree() if viewer.may("user.change", directory.path(u.ref))]
    depth = viewer.path.count("/")
    return [(u.ref, "　" * (directory.path(u.ref).count("/") - depth) + u.name) for u in shown]


_SAID = {"login": "2至40位小写字母、数字、点、横线，以字母或数字开头", "name": "请填写姓名", "roles": "至少选一个角色"}


def _wrong(error: ValidationError | Problem) -> dict[str, str]:
    """What is said at which field; what is out of sight is not there on this page either."""
    if isinstance(error, Problem) and error.type.slug not in ("not-valid", "last-administrator"):
        raise error
    if isinstance(error, ValidationError):
        fields = [str(e["loc"][0]) if e["loc"] else "" for e in error.errors()]
        return {f: _SAID.get(f, "请核对") for f in fields}
    return {e["field"]: e["message"] for e in error.more.get("errors", ())} or {"": error.detail}
