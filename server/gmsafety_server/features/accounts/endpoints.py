"""The interface of accounts for programs."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query

from ... import auth
from ...scope import Role, Viewer
from ...web import Here, Page, paged, problems, signed_in
from . import administration, repository, service
from .schemas import (
    Line,
    Me,
    NewToken,
    NewUser,
    PasswordIn,
    TokenIn,
    TokenOut,
    UnitRef,
    UserChange,
    UserIn,
    UserList,
    UserOut,
)

router = APIRouter(prefix="/api/v1", tags=["账号"])
Myself = Annotated[Viewer, Depends(signed_in("account.read"))]
Owner = Annotated[Viewer, Depends(signed_in("account.own"))]
Reader = Annotated[Viewer, Depends(signed_in("user.read"))]
Administrator = Annotated[Viewer, Depends(signed_in("user.change"))]
Number = Annotated[int, Path(ge=1, le=2**53)]


@router.post(
    "/tokens",
    status_code=201,
    response_model=NewToken,
    responses=problems("wrong-password", "locked-out", "not-allowed", public=True),
)
def make_token(told: TokenIn, node: Here) -> dict[str, Any]:
    """用账号和密码换取令牌（程序由此登录）。令牌只显示这一次，请妥善保存。"""
    viewer = service.identify(node, told.login, told.password)
    with node.db.write() as tx:
        auth.clear_failures(tx, viewer.user_id, node.clock.now())
        return service.make_token(tx, node, viewer, told)


@router.get("/tokens", response_model=list[TokenOut], responses=problems())
def list_tokens(node: Here, viewer: Myself) -> list[dict[str, Any]]:
    """本人的令牌，最新的在前；不含令牌本身。"""
    with node.db.read() as tx:
        return [dict(r._mapping) for r in repository.tokens_of(tx, viewer.user_id)]


@router.delete("/tokens/{number}", status_code=204, responses=problems("not-found"))
def revoke_token(number: Number, node: Here, viewer: Owner) -> None:
    """撤销本人的一个令牌；已撤销的再撤销一次也无妨。"""
    with node.db.write() as tx:
        service.revoke_token(tx, node, viewer, number)


@router.get("/me", response_model=Me, responses=problems())
def get_me(node: Here, viewer: Myself) -> dict[str, Any]:
    """本人的账号，以及所用令牌的权限范围。"""
    with node.db.read() as tx:
        row = administration.find(tx, node, None, "account.read", viewer.login)
    return {**administration.summary(row), "scopes": sorted(viewer.scopes or ())}


@router.post("/me/password", status_code=204, responses=problems("locked-out", "busy"))
def change_password(told: PasswordIn, node: Here, viewer: Owner) -> None:
    """更改本人密码；所有网页会话随即失效，令牌不受影响。"""
    service.change_password(node, viewer, told.old, told.new)


class Filters:
    """What a list is narrowed to."""

    def __init__(
        self,
        unit: Annotated[UnitRef | None, Query(description="单位编号")] = None,
        role: Annotated[Role | None, Query()] = None,
        disabled: Annotated[bool | None, Query(description="是否已停用")] = None,
        q: Annotated[Line | None, Query(description="账号、姓名或单位名称中的字")] = None,
    ) -> None:
        self.values = {"unit": unit, "role": role.value if role else None, "disabled": disabled, "q": q}


@router.get("/users", response_model=UserList, responses=problems())
def list_users(node: Here, viewer: Reader, paging: Page, filters: Annotated[Filters, Depends()]) -> dict[str, Any]:
    """本单位和下级单位的账号。"""
    with node.db.read() as tx:
        items, total = administration.listed(tx, node, viewer, filters.values, paging)
    return paged(items, total, paging)


@router.post("/users", status_code=201, response_model=NewUser, responses=problems("not-found", "busy"))
def add_user(told: UserIn, node: Here, viewer: Administrator) -> dict[str, Any]:
    """新建账号。没有写初始密码的，由系统生成并只显示这一次；本人首次登录必须更改。"""
    chosen = None if told.password else administration.new_password()
    given = administration.Given(auth.hash_password(told.password or chosen or ""))
    with node.db.write() as tx:
        administration.add(tx, node, viewer, told, given)
        row = administration.find(tx, node, viewer, "user.read", told.login)
    return {**administration.summary(row), "password": chosen}


@router.get("/users/{login}", response_model=UserOut, responses=problems("not-found"))
def get_user(login: str, node: Here, viewer: Reader) -> dict[str, Any]:
    """一个账号。"""
    with node.db.read() as tx:
        return administration.summary(administration.find(tx, node, viewer, "user.read", login))


@router.patch("/users/{login}", response_model=UserOut, responses=problems("not-found", "last-administrator", "busy"))
def change_user(login: str, told: UserChange, node: Here, viewer: Administrator) -> dict[str, Any]:
    """更改姓名、角色、单位，停用或启用，解锁，重设密码。停用和重设密码时，网页会话和令牌随即失效。"""
    with node.db.read() as tx:
        administration.find(tx, node, viewer, "user.change", login)
    given = administration.Given(auth.hash_password(told.password)) if told.password else None
    with node.db.write() as tx:
        administration.change(tx, node, viewer, login, told, given)
        return administration.summary(administration.find(tx, node, None, "user.read", login))
