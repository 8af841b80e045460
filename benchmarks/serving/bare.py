"""The yardstick: FastAPI and SQLAlchemy, and one INSERT of 42 columns for each request. It checks and signs nothing.

It shares no code with the server. Its database is as durable as ours (WAL, FULL; PostgreSQL as it comes), and on
SQLite its writers wait for one lock, which makes it faster than letting them fight for the file.
`BARE_DATABASE` is its address.
"""

import os
from contextlib import nullcontext
from threading import Lock
from typing import Annotated, Any

from fastapi import Body, FastAPI
from pydantic import BaseModel, create_model
from sqlalchemy import Column, Engine, Integer, MetaData, Table, create_engine, event, insert

NUMBERS = tuple(f"number_{n:02d}" for n in range(1, 42))
TABLE = Table("bare", MetaData(), Column("id", Integer, primary_key=True), *(Column(n, Integer) for n in NUMBERS))
Row: type[BaseModel] = create_model("Row", **dict.fromkeys(NUMBERS, (int, ...)))  # type: ignore[call-overload]
BODY = {name: place for place, name in enumerate(NUMBERS)}


def app() -> FastAPI:
    """The application; its table is made where there is none."""
    engine = _engine(os.environ["BARE_DATABASE"])
    lock = Lock() if engine.dialect.name == "sqlite" else nullcontext()
    TABLE.create(engine, checkfirst=True)
    bare = FastAPI(openapi_url=None)

    @bare.post("/rows", status_code=201)
    def add(row: Annotated[Row, Body()]) -> dict[str, Any]:  # type: ignore[valid-type]
        with lock, engine.begin() as tx:
            number = tx.execute(insert(TABLE).values(**row.model_dump()).returning(TABLE.c.id)).scalar_one()
        return {"id": number}

    return bare


def _engine(address: str) -> Engine:
    if not address.startswith("sqlite"):
        return create_engine(address.replace("postgresql://", "postgresql+psycopg://"), pool_size=16)
    engine = create_engine(address, connect_args={"check_same_thread": False, "timeout": 60}, pool_size=16)

    @event.listens_for(engine, "connect")
    def _open(connection: Any, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=FULL")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE")

    return engine
