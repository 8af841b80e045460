"""The story: three Fridays of six counties, one county late, one with nothing to report, one at odds with itself."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from gmsafety.client.rolled import Basis, RollupDetail

from .cast import Cast, WentWrong
from .people import CITY_CLERK, CITY_REVIEWER, DEPARTMENTS, TOWNS, Person
from .scenario import FORMS, LEDGER, TABLE, Arrival, Scenario, at
from .stage import OPENING, Stage
from .telling import Teller, clock

FOUND = "self.major.found"
_MINUTE = timedelta(minutes=1)
_SHOWN = 4


@dataclass
class Story:
    """One performance."""

    stage: Stage
    scenario: Scenario
    cast: Cast
    teller: Teller

    def play(self) -> None:
        """Play the three weeks."""
        self._introduce()
        *ordinary, last = self.scenario.due
        for number, week in enumerate(ordinary, 1):
            self.teller.chapter(f"第{number}周　{week}（周五12:00截止）")
            self.ordinary_week(week)
        self.teller.chapter(f"第{len(ordinary) + 1}周　{last}（周五12:00截止）")
        self.last_week(last)
        self._look_back(last)

    def _introduce(self) -> None:
        self.teller.title(
            "首个周五",
            "晋城市冶金工贸行业专项行动：每周五12:00前，六个县（市、区）报周调度统计表和重大事故隐患台账。\n"
            "以下三周都经由真实的接口：登录、报送、回执、审核、汇总、上报。演示只拨快时钟，回执带“测试”标记。\n"
            "单位是真的，企业和数字是虚构的。",
        )
        towns = "、".join(t.name for t in TOWNS)
        self._turn(at(OPENING.date(), 9), f"晋城市的管理员在泽州县下设立{towns}（这次没有报送任务）。")
        self.cast.open_towns(OPENING.date())
        first = min(self.scenario.due)
        self.stage.turn_to(at(first, 8))
        due = self.cast.person("zezhou").board.due(first=first, last=first)
        owed = "、".join(f"{d.caption}（报{d.upper_name}，{clock(d.due_at)}截止）" for d in due.items)
        self.teller.say(f"{due.unit_name}登录，看到本周要报：{owed}。", due.now)

    def _look_back(self, last: date) -> None:
        self.teller.say("\n三周的进度（周调度统计表）：")
        self.teller.board(self.cast.person(CITY_REVIEWER).board.show(item=TABLE, last=last))

    def ordinary_week(self, week: date) -> None:
        """All is well: filed in time, accepted, rolled up, filed with the province, accepted."""
        self.cast.filed.clear()
        self._departments(week, DEPARTMENTS)
        self.cast.file_week(self.scenario.week(week))
        self._turn(at(week, 13, 30), f"市局审核，接受全部{len(self.cast.filed)}份。")
        self.cast.accept(self.cast.filed)
        self._turn(at(week, 14, 30), "市局汇总六县（市、区）的表，填上市本级自己的部分：")
        made = self.cast.roll_up(week)
        self._tell_result(made)
        self._turn(at(week, 15), "报省厅，收到省厅的回执：")
        self.cast.file_upward(made)
        self._turn(at(week, 16), "省厅接受。")
        self.cast.province_accepts(week)

    def _departments(self, week: date, people: Sequence[Person]) -> None:
        with self.stage.node.db.read() as tx:
            units = self.stage.node.directory(tx)
        names = "、".join(units.name(p.unit) for p in people)
        self._turn(at(week - timedelta(days=1), 16), f"{names}没有要报的，由程序报零报告（JSON）。")
        self.cast.file_nil(people, week)

    def _turn(self, moment: datetime, text: str) -> None:
        self.stage.turn_to(moment)
        self.teller.say(text, moment)

    def _tell_result(self, made: dict[str, RollupDetail]) -> None:
        table, ledger = made[TABLE], made[LEDGER]
        figures = "，".join(f"{figure.label} {figure.shown}" for figure in (table[FOUND], table["penalty.fine"]))
        self.teller.aside(f"{figures}；台账{len(ledger.rows)}行。")
        missing = [m.unit_name for m in table.missing if m.of_level]
        if missing:
            self.teller.aside(f"[red]未计入：{'、'.join(missing)}[/]")
        wrong = [f for rollup in made.values() for f in rollup.findings if f.severity != "info"]
        self.teller.findings(wrong)
        if not wrong:
            self.teller.aside("[green]核对没有问题。[/]")

    def last_week(self, week: date) -> None:
        """One is late, one has nothing to report, one does not agree with itself."""
        *in_time, late = self.scenario.week(week)
        self.cast.filed.clear()
        self._departments(week, DEPARTMENTS[:-1])
        self.cast.file_week(in_time)
        wrong = next(key for key, s in self.cast.filed.items() if s.errors + s.warnings)
        nil = next(a.county.area for a in in_time if self.cast.filed[a.county.login, TABLE].nil)
        board = self.cast.person(CITY_REVIEWER).board
        self.stage.turn_to(self.scenario.due[week] + _MINUTE)
        missing = "、".join(r.unit_name for r in board.show(item=TABLE, first=week, last=week, state="missing").rows)
        said = f"截止。进度表上，未报的是{missing}；{nil}报的是零报告。"
        self._turn(self.scenario.due[week] + _MINUTE, said)
        fine = [key for key in self.cast.filed if key != wrong]
        self._turn(at(week, 13, 30), f"市局接受{len(fine)}份，先用已报的表试着汇总：")
        self.cast.accept(fine)
        made = self.cast.roll_up(week, basis="submitted")
        self._tell_result(made)
        self._open(made[TABLE])
        self._return_and_correct(week, wrong)
        self._refresh(made, "submitted")
        self._take_the_late_one(late)
        made = self._refresh(made, "accepted")
        self._tell_result(made)
        self._turn(at(week, 16, 55), "报省厅，收到省厅的回执：")
        self.cast.file_upward(made)

    def _open(self, rollup: RollupDetail) -> None:
        cell = self.cast.person(CITY_CLERK).rollups.open(rollup, FOUND)
        self.teller.aside(f"点开“{cell.label}”{cell.shown}，看每个数从哪里来：")
        for part in cell.parts:
            self.teller.aside(f"  {part.area} {part.shown} [dim]← {part.file} {part.place}[/]")

    def _return_and_correct(self, week: date, key: tuple[str, str]) -> None:
        submission = self.cast.filed[key]
        finding = next(f for f in submission.findings if f.severity == "error")
        self._turn(at(week, 14), f"市局退回{submission.unit_name}，写明是哪一格：{finding.where} {finding.message}")
        reviewer = self.cast.person(CITY_REVIEWER).submissions
        returned = reviewer.give_back(submission, [(finding.where, finding.message)])
        self.cast.filed[key] = self.cast.verified(returned)
        self._turn(at(week, 15, 20), f"{submission.unit_name}改正后重报，是第2版，核对没有问题；市局接受。")
        ledger = self.cast.filed[key[0], LEDGER].body or {}
        right = sum(row["stage"] == "企业自查" for row in ledger["rows"])
        corrected = self.cast.correct(*key, {FOUND: right})
        if corrected.errors or corrected.revision != submission.revision + 1:
            raise WentWrong("更正没有成为没有问题的第2版")
        self.cast.accept([key])

    def _take_the_late_one(self, late: Arrival) -> None:
        self.cast.file_week([late])
        keys = [(late.county.login, form) for form in FORMS]
        minutes = self.cast.filed[keys[0]].late_minutes
        said = f"{late.county.area}迟了{minutes}分钟，以回执上的收到时间为准；市局接受。"
        self._turn(late.moment + 4 * _MINUTE, said)
        self.cast.accept(keys)

    def _refresh(self, made: dict[str, RollupDetail], basis: Basis) -> dict[str, RollupDetail]:
        """Count what is in force now; show what that changes in the table."""
        rollups = self.cast.person(CITY_CLERK).rollups
        changes = rollups.get(made[TABLE]).changes
        self.teller.aside(f"汇总已标为过时，更新会改变{len(changes)}格：")
        for change in changes[:_SHOWN]:
            why = "、".join(f"{b.unit_name}第{b.after}版" for b in change.because)
            self.teller.aside(f"  {change.label} {change.before or '空'} → {change.after} [dim]（{why}）[/]")
        if len(changes) > _SHOWN:
            self.teller.aside("  [dim]……[/]")
        fresh = {form: rollups.remake(rollups.get(rollup), basis) for form, rollup in made.items()}
        return {form: rollups.get(rollup) for form, rollup in fresh.items()}
