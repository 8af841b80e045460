"""What each kind of problem is, for people and for programs; open to everybody."""

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import JSONResponse

from ...templating import page
from ...web import problems
from . import service
from .schemas import ProblemTypeOut

router = APIRouter(tags=["查阅"])


def _for_people(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


@router.get("/problems", response_model=list[ProblemTypeOut], responses=problems(public=True))
def list_problems(request: Request) -> Response:
    """接口和页面可能给出的各种问题：代码、含义、处理办法。不用登录。"""
    kinds = service.problem_types()
    if _for_people(request):
        return page(request, "reference/problems.html", kinds=kinds, card_class="wide")
    return JSONResponse([k.model_dump() for k in kinds])


@router.get("/problems/{slug}", response_model=ProblemTypeOut, responses=problems("not-found", public=True))
def get_problem(slug: Annotated[str, Path(max_length=80)], request: Request) -> Response:
    """一种问题：代码、含义、处理办法；问题里的 type 就是这个地址。不用登录。"""
    kind = service.problem_out(service.find_problem(slug))
    if _for_people(request):
        return page(request, "reference/problem.html", kind=kind)
    return JSONResponse(kind.model_dump())
