"""What clients send and get."""

from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from ...auth import PASSWORD_LENGTH, TOKEN_DAYS
from ...scope import Role

Line = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80, pattern=r"^[^\x00-\x1f\x7f]*$")
]
Login = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]{1,39}$")]
Given = Annotated[str, StringConstraints(min_length=1, max_length=200)]
Password = Annotated[str, StringConstraints(min_length=PASSWORD_LENGTH, max_length=200)]
UnitRef = Annotated[str, StringConstraints(min_length=1, max_length=120, pattern=r"^[^\x00-\x1f]*$")]
ScopeName = Literal["read", "file", "review", "rollup", "account", "admin", "audit"]
USUAL_SCOPES: list[ScopeName] = ["read", "file", "review", "rollup", "account"]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TokenAsked(_In):
    """What a token is to be good for, and for how long."""

    name: Line = Field("程序", description="用途，便于日后辨认", examples=["每周自动报送"])
    scopes: list[ScopeName] = Field(
        default_factory=lambda: list(USUAL_SCOPES), min_length=1, max_length=10,
        description="权限范围；实际能做什么，还要看账号的角色", examples=[["read", "file"]],
    )  # fmt: skip
    days: int = Field(30, ge=1, le=TOKEN_DAYS, description="有效天数")


class TokenIn(TokenAsked):
    """A program logs in."""

    login: Given = Field(examples=["zezhou-clerk"])
    password: Given = Field(examples=["correct horse battery"])


class TokenOut(BaseModel):
    """A token, without its secret."""

    id: int
    name: str
    hint: str = Field(description="令牌的开头，便于辨认", examples=["gms_Zk3fQ"])
    scopes: list[str]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None


class NewToken(TokenOut):
    """A token with its secret, which is shown this once."""

    token: str = Field(examples=["gms_Zk3fQ0mH…"])


class PasswordIn(_In):
    """One's own password is changed."""

    old: Given = Field(examples=["correct horse battery"])
    new: Password = Field(examples=["battery staple correct"])


class UserOut(BaseModel):
    """An account as an administrator sees it."""

    login: str = Field(examples=["zezhou-clerk"])
    name: str = Field(examples=["某某"])
    unit: str = Field(examples=["jincheng.zezhou-office"])
    unit_name: str = Field(examples=["泽州县应急管理局"])
    roles: list[Role]
    must_change: bool = Field(description="下次登录要先改密码")
    locked_until: datetime | None
    disabled_at: datetime | None
    created_at: datetime


class Me(UserOut):
    """One's own account, and what the token in use opens."""

    scopes: list[str]


class NewUser(UserOut):
    """An account just made; the password only where the server chose it, and this once."""

    password: str | None = None


class UserList(BaseModel):
    """A page of accounts."""

    items: list[UserOut]
    total: int
    page: int
    size: int
    pages: int


Roles = Annotated[list[Role], Field(min_length=1, max_length=len(Role), examples=[["clerk"]])]


class UserIn(_In):
    """An account to be made; without a password the server chooses one and tells it once."""

    login: Login = Field(examples=["zezhou-clerk"])
    name: Line = Field(examples=["某某"])
    unit: UnitRef = Field(examples=["jincheng.zezhou-office"])
    roles: Roles
    password: Password | None = Field(None, description="初始密码；首次登录必须更改")


class UserChange(_In):
    """What of an account is to be changed; at least one thing."""

    name: Line | None = None
    unit: UnitRef | None = None
    roles: Roles | None = Field(None, examples=[["clerk", "reviewer"]])
    disabled: bool | None = Field(None, description="停用：会话和令牌随即失效")
    unlock: Literal[True] | None = Field(None, description="解除因密码错误造成的锁定")
    password: Password | None = Field(None, description="重设密码；本人下次登录必须更改")

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not self.model_dump(exclude_none=True):
            raise ValueError("没有要更改的内容")
        return self
