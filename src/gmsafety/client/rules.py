"""Checklists, tasks, routes and gates, looked up and asked about one enterprise."""

from collections.abc import Mapping
from typing import Any, Literal

from .connection import Connection
from .values import Answer

Known = Mapping[str, bool | int | str]


class ChecklistLine(Answer):
    """A checklist in a list."""

    ref: str
    title: str
    campaign: str | None
    items: int


class ChecklistDetail(ChecklistLine):
    """A checklist with its declaration."""

    declaration: dict[str, Any]


class CampaignRules(Answer):
    """What a campaign asks for beside its duties, as declared."""

    tasks: tuple[dict[str, Any], ...]
    targets: tuple[dict[str, Any], ...]
    quotas: tuple[dict[str, Any], ...]
    routes: tuple[dict[str, Any], ...]
    gates: tuple[dict[str, Any], ...]
    watches: tuple[dict[str, Any], ...]


class RoutedTo(Answer):
    """Which bodies an enterprise goes to; `open` are the tags that would decide."""

    purpose: str
    route: str | None
    to: tuple[str, ...]
    may_delegate: tuple[str, ...]
    experts: bool
    open: tuple[str, ...]


class GateReason(Answer):
    """Why a gate does not open."""

    condition: str
    verdict: Literal["deny", "unknown"]
    text: str


class GateVerdict(Answer):
    """What a gate says of an enterprise."""

    gate: str
    title: str
    verdict: Literal["allow", "deny", "unknown"]
    reasons: tuple[GateReason, ...]
    waivers: dict[str, str]


class Rules:
    """Checklists, tasks, routes and gates."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def checklists(self) -> tuple[ChecklistLine, ...]:
        """All checklists."""
        return self._connection.take(tuple[ChecklistLine, ...], "GET /api/v1/checklists")

    def checklist(self, checklist: str) -> ChecklistDetail:
        """One checklist."""
        return self._connection.take(ChecklistDetail, "GET /api/v1/checklists/{ref}", checklist)

    def of(self, campaign: str) -> CampaignRules:
        """What a campaign asks for beside its duties."""
        return self._connection.take(CampaignRules, "GET /api/v1/campaigns/{ref}/rules", campaign)

    def route(self, campaign: str, tags: Known) -> tuple[RoutedTo, ...]:
        """Who inspects and guides an enterprise."""
        told = {"tags": dict(tags)}
        return self._connection.take(
            tuple[RoutedTo, ...], "POST /api/v1/campaigns/{ref}/route", campaign, again=True, json=told
        )

    def gate(
        self, campaign: str, facts: Known, tags: Known, waivers: Mapping[str, str] | None = None
    ) -> tuple[GateVerdict, ...]:
        """Whether an enterprise may resume, with reasons."""
        told = {"tags": dict(tags), "facts": dict(facts), "waivers": dict(waivers or {})}
        return self._connection.take(
            tuple[GateVerdict, ...], "POST /api/v1/campaigns/{ref}/gate", campaign, again=True, json=told
        )
