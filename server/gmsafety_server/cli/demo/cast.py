"""What the people of the story do, each with a client of their own: file, correct, decide, roll up."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Literal, TypeVar

from rich.markup import escape

from gmsafety.client import Client, NewUnit, ProblemError
from gmsafety.client.accounts import Scope
from gmsafety.client.enclosures import Terms
from gmsafety.client.rolled import Basis, RollupDetail
from gmsafety.client.rollups import FileTerms
from gmsafety.client.submitted import SubmissionDetail
from gmsafety.errors import GmsafetyError
from gmsafety.exchange import PublicKey, in_words
from gmsafety.forms import fill, read

from .people import (
    CITY,
    CITY_ADMINISTRATOR,
    CITY_CLERK,
    CITY_REVIEWER,
    PASSWORD,
    PROVINCE_REVIEWER,
    TOWN_CLERK,
    TOWNS,
    ZEZHOU,
    Person,
)
from .scenario import FORMS, TABLE, Arrival, Scenario
from .stage import Stage
from .telling import Teller

SCOPES: tuple[Scope, ...] = ("read", "file", "review", "rollup", "account", "admin")
_OFFICIAL: tuple[Literal["xlsx", "docx"], ...] = ("xlsx", "docx")
_T = TypeVar("_T")


class WentWrong(GmsafetyError):
    """The story did not go as it is written."""


@dataclass
class Cast:
    """The people; `filed` are the counties' submissions of the week that is played, as they now are."""

    stage: Stage
    scenario: Scenario
    teller: Teller
    out: Path
    receipts: set[str] = field(default_factory=set)
    filed: dict[tuple[str, str], SubmissionDetail] = field(default_factory=dict)
    written: list[Path] = field(default_factory=list)
    _clients: dict[str, Client] = field(default_factory=dict)
    _keys: tuple[PublicKey, ...] = ()

    def person(self, person: Person | str) -> Client:
        """Somebody's client, logged in at first use."""
        login = person if isinstance(person, str) else person.login
        if login not in self._clients:
            self._clients[login] = Client.log_in(self.stage.address, login, PASSWORD, scopes=SCOPES, days=30)
        return self._clients[login]

    def close(self) -> None:
        """Let everybody go home."""
        for client in self._clients.values():
            client.close()

    def verified(self, submission: SubmissionDetail) -> SubmissionDetail:
        """Check the receipts with the public keys of the node, without asking it."""
        self._keys = self._keys or self.person(CITY_CLERK).node.keys()
        if faults := submission.faults(self._keys):
            raise WentWrong("；".join(faults))
        self.receipts |= {r.hash for r in submission.receipts}
        return submission

    def insist(self, who: str, send: Callable[[str | None], _T], reason: str) -> _T:
        """Send something; where there are findings, show them and send it once more with a reason."""
        try:
            return send(None)
        except ProblemError as problem:
            if problem.slug != "reason-needed":
                raise
            self.teller.say(f"{who}：{problem.detail}，改正或写明原因才能报送（{problem.code}）：")
            self.teller.findings(problem.findings)
            self.teller.aside(f"写明的原因：“{reason}”")
            return send(reason)

    def open_towns(self, day: date) -> None:
        """The city's administrator sets up units below a county, and makes an account for one of them."""
        administrator = self.person(CITY_ADMINISTRATOR)
        for town in TOWNS:
            unit = NewUnit(
                ref=town.unit, name=town.name, parent=ZEZHOU, area=town.area, level="township", role="town-office"
            )
            administrator.units.open(unit, day=day, reason="乡镇也用本系统")
        made = administrator.users.add(TOWN_CLERK.login, name="某某", unit=TOWN_CLERK.unit, roles=("clerk",))
        if made.password is None:
            raise WentWrong("没有给出初始密码")
        given = made.password.get_secret_value()
        with Client.log_in(self.stage.address, TOWN_CLERK.login, given, days=1) as newcomer:
            newcomer.account.change_password(given, PASSWORD)

    def file_week(self, arrivals: Iterable[Arrival]) -> None:
        """The counties file, each at its time."""
        arrivals = list(arrivals)
        with self.teller.progress("报送", len(arrivals) * len(FORMS)) as bar:
            for arrival in arrivals:
                self.stage.turn_to(arrival.moment)
                for form, name in FORMS.items():
                    self.filed[arrival.county.login, form] = self.verified(self._file(arrival, form))
                    bar.step(f"{arrival.moment:%H:%M} {arrival.county.area} {name}")
        told = [(a.county.area, a.moment, [self.filed[a.county.login, f] for f in FORMS]) for a in arrivals]
        self.teller.filed(told)

    def file_nil(self, people: Iterable[Person], week: date) -> None:
        """Member departments that have nothing to report say so, by a program and without a file."""
        for person in people:
            for form in FORMS:
                filed = self.person(person).submissions.file_nil(form, week)
                self.filed[person.login, form] = self.verified(filed)

    def _file(self, arrival: Arrival, form: str) -> SubmissionDetail:
        submissions = self.person(arrival.county.login).submissions
        path, week = arrival.files[form], arrival.week

        def send(reason: str | None) -> SubmissionDetail:
            terms: Terms = {"reason": reason} if reason else {}
            return submissions.file(path, form, week, **terms)

        return self.insist(f"{arrival.county.area}{FORMS[form]}", send, "来不及核实，先按现有数字报送")

    def correct(self, login: str, form: str, values: dict[str, object]) -> SubmissionDetail:
        """A clerk changes numbers in the file and files it again."""
        client, former = self.person(login), self.filed[login, form]
        content = client.submissions.download(former, former.files[0])
        record = read(content, self.stage.node.catalog, name=former.files[0].name).record
        if record is None:
            raise WentWrong(f"{former.files[0].name} 读不出来")
        file = fill(replace(record, values={**record.values, **values}), self.out / f"更正_{former.files[0].name}")
        corrected = client.submissions.correct(former, file, note="已与台账核对一致")
        self.filed[login, form] = self.verified(corrected)
        return corrected

    def accept(self, wanted: Iterable[tuple[str, str]]) -> None:
        """The city accepts."""
        reviewer = self.person(CITY_REVIEWER).submissions
        for key in wanted:
            self.filed[key] = self.verified(reviewer.accept(self.filed[key]))

    def roll_up(self, week: date, *, basis: Basis = "accepted") -> dict[str, RollupDetail]:
        """The city rolls both forms up, with its own part."""
        rollups = self.person(CITY_CLERK).rollups
        made = {}
        for form in FORMS:
            rollup = rollups.make(form, week, basis=basis)
            made[form] = rollups.set_own_file(rollup, self.scenario.own(week))
        return {form: rollups.get(rollup) for form, rollup in made.items()}

    def file_upward(self, made: dict[str, RollupDetail]) -> None:
        """The city files both forms with the province, and keeps them as official files."""
        city = self.person(CITY_CLERK)
        for form, rollup in made.items():

            def send(reason: str | None, rollup: RollupDetail = rollup) -> RollupDetail:
                terms: FileTerms = {"reason": reason} if reason else {}
                return city.rollups.file(rollup, **terms)

            filed = self.insist(f"市局{FORMS[form]}", send, "情况属实")
            if filed.submission is None:
                raise WentWrong("汇总没有报上去")
            submission = self.verified(city.submissions.get(filed.submission.uid))
            if form == TABLE:
                self.teller.aside(escape(in_words(submission.receipts[0])))
            for suffix in _OFFICIAL:
                path = self.out / f"晋城市_{rollup.period}_{FORMS[form]}.{suffix}"
                city.rollups.download(filed, suffix, path)
                self.written.append(path)

    def province_accepts(self, week: date) -> None:
        """The province accepts what the city filed."""
        province = self.person(PROVINCE_REVIEWER).submissions
        for submission in list(province.find(unit=CITY, period=week, state="submitted")):
            self.verified(province.accept(submission))
