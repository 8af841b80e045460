"""The description of the interface: whole, and kept by the server whatever is sent to it.

`GMSAFETY_FUZZ=200` sends that many requests of each kind to each route; without it a few, always the same.
"""

import os
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import schemathesis
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from jsonschema_rs import Draft202012Validator
from schemathesis import Case, GenerationMode
from schemathesis.core.failures import FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from every_route import API, Entry, Made, World, filled, plain
from gmsafety.exchange import SignedReceipt, Verdict
from gmsafety_server.app import create_app
from gmsafety_server.errors import PROBLEMS
from gmsafety_server.features.reference.schemas import RECEIPT
from gmsafety_server.features.rollups.schemas import OwnIn
from gmsafety_server.features.submissions.taking import record_from_body
from gmsafety_server.node import Node
from gmsafety_server.scope import Role
from gmsafety_server.web import PROBLEM_JSON
from world import CITY, ZEZHOU, Person, scenario_file

MANY = {"sqlite": 4, "postgresql": 1}
AT_WILL = int(os.environ.get("GMSAFETY_FUZZ", "0"))
CHECKS = [status_code_conformance, content_type_conformance, response_schema_conformance]
LAST = ("POST /api/v1/units/changes", "POST /api/v1/me/password")
"""These change what the others stand on."""
CHINESE = re.compile(r"[\u4e00-\u9fff]")

Described = dict[str, Any]


# --- the description is whole ------------------------------------------------------------------------------------


@pytest.fixture
def described(database: str, node: Node) -> Described:
    if not database.startswith("sqlite"):
        pytest.skip("the description is the same on every database")
    return create_app(node).openapi()


def operations(described: Described) -> Iterator[tuple[str, Described]]:
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            yield f"{method.upper()} {path}", operation


def bodies(described: Described) -> Iterator[tuple[str, Described]]:
    """The JSON body of every route that takes one."""
    for name, operation in operations(described):
        content = operation.get("requestBody", {}).get("content", {})
        if "application/json" in content:
            yield name, content["application/json"]


def refused(operation: Described) -> dict[str, Described]:
    return {status: told for status, told in operation["responses"].items() if status >= "400"}


def test_every_route_says_what_it_does_and_where_it_belongs(described: Described) -> None:
    told = dict(operations(described))

    assert [] == [n for n, o in told.items() if not CHINESE.search(o.get("summary", "") + o.get("description", ""))]
    assert [] == [n for n, o in told.items() if len(o.get("tags", [])) != 1]
    assert len(told) == len({o["operationId"] for o in told.values()})


def test_every_route_tells_its_problems_with_examples(described: Described) -> None:
    told = dict(operations(described))
    kinds = {f"/problems/{slug}": (kind.code, str(kind.status)) for slug, kind in PROBLEMS.items()}
    types, unlike = {}, []
    for name, operation in told.items():
        for status, response in refused(operation).items():
            types[f"{name} {status}"] = set(response["content"])
            for example in response["content"].get(PROBLEM_JSON, {}).get("examples", {}).values():
                value = example["value"]
                if kinds[value["type"]] != (value["code"], status) or not value["remedy"]:
                    unlike.append(f"{name} {status}")

    assert [] == [n for n, o in told.items() if not refused(o)]
    assert {} == {n: t for n, t in types.items() if t != {PROBLEM_JSON}}
    assert [] == [
        f"{n} {s}"
        for n, o in told.items()
        for s, r in refused(o).items()
        if not r["content"][PROBLEM_JSON].get("examples") or "schema" not in r["content"][PROBLEM_JSON]
    ]
    assert [] == unlike


def test_every_json_body_has_an_example_that_is_taken(described: Described) -> None:
    missing, wrong = [], {}
    for name, content in bodies(described):
        if "example" not in content:
            missing.append(name)
            continue
        whole = {**content["schema"], "components": described["components"]}
        told = [error.message for error in Draft202012Validator(whole).iter_errors(content["example"])]
        if told:
            wrong[name] = told

    assert [] == missing
    assert {} == wrong


# --- the server keeps to it --------------------------------------------------------------------------------------


class Prober:
    """Somebody with every role in the city, who sends to a route what it takes and what it does not."""

    def __init__(self, http: TestClient, world: World, person: Callable[..., Person]) -> None:
        self.http, self.world, self.person = http, world, person
        self.complaints: dict[str, str] = {}
        self.answers: dict[str, set[int]] = {}

    def probe(self, operation: Any, many: int) -> None:
        """Send so many requests of each kind, and keep the first complaint of each sort."""
        route = Route(operation, API.get(operation.label, plain()), self.world)
        who = self.person(CITY, *Role)
        kinds = [operation.as_strategy(generation_mode=m) for m in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE)]

        @settings(
            max_examples=many * 3, derandomize=True, database=None, deadline=None, phases=(Phase.generate,),
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=st.one_of(kinds), mended=st.sampled_from((True, True, False)), random=st.randoms())
        def send(case: Case, mended: bool, random: Any) -> None:
            request = route.request(case, who, random if mended else None)
            if request is not None:
                self._send(case, request, route)

        send()

    def _send(self, case: Case, request: dict[str, Any], route: "Route") -> None:
        try:
            sent = self.http.build_request(**request)
            sent.read()
        except (AttributeError, TypeError, ValueError):
            return  # no client can send that
        response = self.http.send(sent)
        self.answers.setdefault(route.label, set()).add(response.status_code)
        if response.status_code < 300 and case.method != "GET":
            route.renew()
        for complaint in self._wrong(case, response):
            sort = f"{route.label} {response.status_code} {complaint}"
            told = {k: str(v)[:600] for k, v in request.items() if k != "headers"}
            self.complaints.setdefault(sort, f"{told} -> {response.text[:600]}")

    @staticmethod
    def _wrong(case: Case, response: Any) -> Iterator[str]:
        if response.status_code >= 500:
            yield "a server error"
        if response.status_code >= 400:
            told = response.json()
            if not (told["code"].startswith("GM-H") and told["remedy"] and told["status"] == response.status_code):
                yield "a problem without code and remedy"
        try:
            case.validate_response(response, checks=CHECKS)
        except FailureGroup as group:
            yield from (f"{type(e).__name__}: {str(e).splitlines()[0]}" for e in group.exceptions)


class Route:
    """A route, with an object that it is about, and what it is known to take."""

    def __init__(self, operation: Any, entry: Entry, world: World) -> None:
        self.label, self.entry, self.world = operation.label, entry, world
        self.multipart = any(b.media_type == "multipart/form-data" for b in operation.body)
        self.renew()

    def renew(self) -> None:
        """Another object, for the last one is used up."""
        made: Made = self.entry.make(self.world, CITY) if self.entry.make else {}
        self.made = {**made, **self.entry.fixed}

    def request(self, case: Case, who: Person, mending: Any) -> dict[str, Any] | None:
        """What is sent: as generated, or mended until the route knows what it is about, with a field or two wrong."""
        if mending is not None:
            self._mend(case, mending)
        case.headers = {
            k: v for k, v in {**(case.headers or {}), **who.headers}.items()
            if k.isascii() and str(v).isascii()
        }  # fmt: skip
        if mending is not None and self.entry.seen:
            case.headers["If-Match"] = f'"{mending.choice((1, 1, 1, 2, 3))}"'
        sent = case.as_transport_kwargs(base_url="http://testserver")
        sent = {k: v for k, v in sent.items() if k not in ("cookies", "auth", "timeout", "verify", "cert")}
        if mending is not None and self.multipart:
            fields = {**filled(self.entry.data or {}, self.made), **self._some(case.body, mending)}
            sent.pop("headers").pop("Content-Type", None)
            asked = self.entry.asked(self.made)
            sent |= {"headers": dict(case.headers), "files": asked["files"]}
            sent["data"] = {k: str(v) for k, v in fields.items() if k not in ("file", "artefact")}
        if not isinstance(sent.get("data", {}), dict):
            raw = sent.pop("data")
            sent["content"] = raw if isinstance(raw, bytes) else str(raw).encode()
        return {k: v for k, v in sent.items() if v is not None}

    def _mend(self, case: Case, mending: Any) -> None:
        known = {k: str(v) for k, v in self.made.items()}
        case.path_parameters = {k: known.get(k, v) for k, v in (case.path_parameters or {}).items()}
        query = filled(self.entry.params or {}, self.made)
        case.query = {**query, **self._some(case.query, mending)}
        if isinstance(self.entry.json, dict) and not self.multipart:
            case.body = {**filled(self.entry.json, self.made), **self._some(case.body, mending)}

    @staticmethod
    def _some(given: Any, mending: Any) -> dict[str, Any]:
        """At most two of the fields that were generated."""
        if not isinstance(given, dict) or not given:
            return {}
        chosen = mending.sample(sorted(given, key=str), min(len(given), mending.choice((0, 1, 1, 2))))
        return {k: given[k] for k in chosen}


@pytest.fixture
def world(node: Node, person: Callable[..., Person]) -> World:
    made = World(node, person)
    clerk = person(ZEZHOU, "clerk")
    for kind, item in (("weekly", "shanxi.weekly-dispatch"), ("ledger", "shanxi.major-hazard-ledger")):
        told = clerk.file(scenario_file("2024-12-27", "zezhou", kind), item, "2024-12-27", reason="试")
        assert 201 == told.status_code, told.text
    return made


def test_nothing_that_is_sent_makes_the_server_fail(
    database: str, http: TestClient, world: World, person: Callable[..., Person]
) -> None:
    app = http.app
    assert isinstance(app, FastAPI)
    many = AT_WILL or MANY[database.partition(":")[0].partition("+")[0]]
    every = [found.ok() for found in schemathesis.openapi.from_dict(app.openapi()).get_all_operations()]
    prober = Prober(http, world, person)

    for operation in sorted(every, key=lambda o: o.label in LAST):
        prober.probe(operation, many)

    assert {} == prober.complaints
    assert {o.label for o in every} == set(prober.answers)


def test_examples_are_taken(node: Node) -> None:
    """The two bodies whose shape the description cannot say."""
    form = node.catalog.forms["shanxi.weekly-dispatch"]
    own = OwnIn.model_json_schema()["properties"]["body"]["examples"][0]

    assert {2, 6} == {value for value in record_from_body(own, form).values.values() if value is not None}
    assert Verdict.UNKNOWN_KEY is SignedReceipt.from_json(dict(RECEIPT)).verify([])
