"""What other nodes ask of this one: post a message, put and fetch files, fetch messages, see whether it is there."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.routing import Route

from gmsafety.exchange.answers import read_answer
from gmsafety.exchange.calls import HEADER
from gmsafety.exchange.errors import Malformed
from gmsafety.exchange.mailroom import Answer
from gmsafety.exchange.peers import Peer

from ...errors import Problem
from ...mail.stations import own_row
from ...node import Node
from ...scope import Viewer
from ...web import Here, signed_in
from . import attachments, health, repository, service
from .attachments import PART, Part, Progress
from .calling import Asked, caller_of
from .delivering import settle
from .doorway import RETRY_AFTER, Doorway
from .receiving import refusal
from .wire import Reply

router = APIRouter(prefix="/exchange/v1", include_in_schema=False)
_BYTES = "application/octet-stream"
_JSON = "application/json"
Hash = Annotated[str, Path(pattern="^[0-9a-f]{64}$")]


async def body_of(request: Request, limit: int) -> bytes | None:
    """The bytes of a request; None where there are more than the limit, of which no more than that is read."""
    found = bytearray()
    try:
        async for part in request.stream():
            found += part
            if len(found) > limit:
                return None
    except HTTPException:  # more than the server lets in at all
        return None
    return bytes(found)


def origin_of(request: Request) -> str:
    """The network address that a request comes from; behind a proxy that is trusted, the one that it tells."""
    return request.client.host if request.client is not None else ""


async def post_message(request: Request) -> Response:
    """A message of another node, as bytes; answered when it is stored, with signed bytes."""
    node: Node = request.app.state.node
    content = await body_of(request, node.settings.upload_limit)
    if content is None:
        return _signed(refusal(node, "too-large", b""))
    doorway: Doorway = request.app.state.doorway
    return _signed(await doorway.receive(content, origin=origin_of(request)))


messages = Route(f"{router.prefix}/messages", post_message, methods=["POST"], include_in_schema=False)
"""Bytes in, bytes out: there is nothing to be parsed, so that it is a route without what FastAPI does for others."""


def _signed(answer: Answer) -> Response:
    headers = {"Retry-After": str(RETRY_AFTER)} if answer.status == 429 else None
    return Response(answer.content, answer.status, headers, media_type=_JSON)


async def called(request: Request, node: Here) -> tuple[Peer, bytes]:
    """The node that calls, and what it brings."""
    content = await body_of(request, 2 * PART)
    if content is None:
        raise Problem("too-large")
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    asked = Asked(request.method, target, content, request.headers.get(HEADER, ""), origin_of(request))

    def look() -> Peer:
        with node.db.read() as tx:
            return caller_of(tx, node, asked)

    return await run_in_threadpool(look), content


Called = Annotated[tuple[Peer, bytes], Depends(called)]


@router.get("/messages")
def next_message(node: Here, caller: Called) -> Response:
    """The first message for the caller that it has not answered; 204 where there is none."""
    with node.db.read() as tx:
        row = repository.next_for(tx, caller[0].name)
    return Response(status_code=204) if row is None else Response(bytes(row.content), media_type=_JSON)


@router.put("/messages/{message_id}/answer")
def put_answer(message_id: str, node: Here, caller: Called) -> Response:
    """The caller's signed answer to a message that it fetched."""
    peer, content = caller
    with node.db.read() as tx:
        row = repository.posted(tx, peer.name, message_id)
    try:
        read_answer(content)
    except Malformed as error:
        raise Problem("not-valid", str(error)) from error
    if row is None:
        raise Problem("not-found")
    if row.answered_at is None:
        settle(node, row, Reply(200, content))
    return Response(status_code=200)


@router.head("/files/{name}")
def look_at_file(name: Hash, node: Here, caller: Called) -> Response:
    """How much of a file the caller has put here."""
    with node.db.read() as tx:
        return _so_far(attachments.progress(tx, caller[0], name))


@router.put("/files/{name}")
def put_file(
    name: Hash, node: Here, caller: Called, first: Annotated[int, Query(ge=0)], size: Annotated[int, Query(ge=0)]
) -> Response:  # fmt: skip
    """A part of a file; it is kept under its hash when it is whole."""
    peer, content = caller
    with node.db.write() as tx:
        return _so_far(attachments.put_part(tx, node, peer, Part(name, first, size, content)))


def _so_far(found: Progress) -> Response:
    headers = {"Gmsafety-Length": str(found.length), "Gmsafety-Whole": "1" if found.is_whole else "0"}
    return Response(status_code=200, headers=headers)


@router.get("/files/{name}")
def get_file(name: Hash, node: Here, caller: Called, first: Annotated[int, Query(ge=0)] = 0) -> Response:
    """A part of a file that belongs to a message for the caller."""
    with node.db.read() as tx:
        enclosed = repository.is_enclosed_for(tx, caller[0].name, name)
        content = repository.blob(tx, name) if enclosed else None
    if content is None:
        raise Problem("not-found")
    return Response(content[first : first + PART], media_type=_BYTES)


@router.get("/ping")
def ping(node: Here) -> Response:
    """Whether this node is there, how busy it is, and what time it has; signed."""
    return Response(service.ping(node), media_type=_JSON)


public = APIRouter(include_in_schema=False)
Looker = Annotated[Viewer, Depends(signed_in("exchange.read"))]


@public.get("/metrics")
def metrics(node: Here) -> Response:
    """The figures of the exchange, for Prometheus."""
    return Response(health.metrics(node), media_type="text/plain; version=0.0.4; charset=utf-8")


@public.get("/api/v1/exchange/health")
def get_details(node: Here, viewer: Looker) -> dict[str, Any]:
    """How the node is, for its administrators: queues, ages, disk, tables, keys, other nodes."""
    with node.db.read() as tx:
        own = own_row(tx)
    if own is not None and viewer.unit not in own.units:
        raise Problem("not-allowed")
    return health.details(node)
