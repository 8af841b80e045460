"""What is fuzzed: each reader, the bytes it starts from, and the exceptions it is allowed."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import atheris
import mutators

from gmsafety import Catalog, load_catalog
from gmsafety.codes.credit import check_digit
from gmsafety.content import form_in
from gmsafety.enterprises import Enterprise
from gmsafety.errors import ContentError
from gmsafety.forms import check, fill, read
from gmsafety.forms.printed import from_printed, to_printed
from gmsafety.forms.record import Record
from gmsafety.forms.schema import from_json, to_json
from gmsafety.forms.spec import Form
from gmsafety.forms.types import FIELD_TYPES, Setting
from gmsafety.forms.types.dates import Window
from gmsafety.hazards import Hazard
from gmsafety.registers import read_register, write_register
from gmsafety.registers.register import Register
from gmsafety.testing import example_record

ROOT = Path(__file__).parents[1]
SAMPLES = ROOT / "tests/samples"
LARGEST_SEED = 200_000
Mutator = Callable[[bytes, int, int], bytes]
WINDOW = Window(date(2024, 12, 6), date(2025, 3, 31))
SETTINGS = (
    Setting(),
    Setting(window=WINDOW),
    Setting(units=("家", "条"), in_sentence=True),
    Setting(units=("万元",), in_sentence=True, window=WINDOW),
    Setting(choices=("企业自查", "市县检查", "一般", "重大")),
    Setting(parts=("责任", "措施", "资金|经费|投入", "时限", "预案")),
)


@dataclass(frozen=True)
class Target:
    """One reader: `run` raises what is not in `declared` only where the reader is broken."""

    run: Callable[[bytes], None]
    seeds: Callable[[], Iterator[bytes]]
    mutate: Mutator | None = None
    declared: tuple[type[Exception], ...] = ()
    largest: int = 2**17


CATALOG: Catalog = load_catalog()
FORMS: tuple[Form, ...] = tuple(CATALOG.forms.values())
SENTENCES = tuple(s for form in FORMS for clause in form.clauses for s in clause.sentences)


def _samples(suffix: str) -> Iterator[bytes]:
    for path in sorted(SAMPLES.rglob(f"*{suffix}")):
        if path.stat().st_size < LARGEST_SEED:
            yield path.read_bytes()


def _filled(forms: tuple[Form, ...], suffix: str) -> Iterator[bytes]:
    with TemporaryDirectory() as folder:
        for form in forms:
            yield fill(example_record(form), Path(folder) / f"form{suffix}").read_bytes()


def _form_file(suffix: str) -> Callable[[bytes], None]:
    def run(data: bytes) -> None:
        reading = read(data, CATALOG, name=f"表{suffix}")
        for found in (reading, *reading.also):
            assert found.record is not None or found.findings, "nothing read and nothing said"
            assert all(str(f) and f.remedy for f in check(found, CATALOG))

    return run


def _delimited(data: bytes) -> None:
    _form_file((".csv", ".txt", ".tsv")[data[0] % 3 if data else 0])(data[2:])


def _delimited_seeds() -> Iterator[bytes]:
    for path in sorted(SAMPLES.rglob("*.expected.json")):
        printed = json.loads(path.read_bytes())
        for rows in [printed.get("rows") or printed.get("ledger_rows")]:
            if isinstance(rows, list) and rows and isinstance(rows[0], dict):
                lines = [",".join(rows[0]), *(",".join(str(v or "") for v in row.values()) for row in rows[:20])]
                for encoding in ("utf-8", "utf-8-sig", "gb18030"):
                    yield b"\0\0" + "\r\n".join(lines).encode(encoding, "replace")
    for form in FORMS:
        record = example_record(form)
        labels = [c.label for c in form.columns]
        rows = [
            [form.by_id[c.id].kind.show(r.get(c.id)) if r.get(c.id) is not None else "" for c in form.columns]
            for r in record.rows
        ]
        yield b"\1\0" + "\n".join("\t".join(map(str, line)) for line in [labels, *rows]).encode()


def _sentence(data: bytes) -> None:
    sentence = SENTENCES[int.from_bytes(data[:2].ljust(2, b"\0")) % len(SENTENCES)]
    reading = sentence.read(data[2:].decode("utf-8", "replace"))
    sentence.say({path: parsed.value for path, parsed in reading.values.items()})


def _sentence_seeds() -> Iterator[bytes]:
    for number, sentence in enumerate(SENTENCES):
        yield number.to_bytes(2) + sentence.say({}).encode()
        filled = {b.path: 12 if b.kind.numeric else None for b in sentence.blanks}
        yield number.to_bytes(2) + sentence.say(filled).encode()


def _types(data: bytes) -> None:
    choice = data[0] if data else 0
    kind = list(FIELD_TYPES.values())[choice % len(FIELD_TYPES)]
    setting = SETTINGS[(choice // len(FIELD_TYPES)) % len(SETTINGS)]
    raw = _raw(data)
    parsed = kind.read(raw, setting)
    if parsed.value is None:
        return
    if parsed.trouble is None and "_x0" not in str(parsed.value):  # an escape that is spelt anew when white space goes
        assert kind.from_json(json.loads(json.dumps(kind.to_json(parsed.value)))) == parsed.value, (
            "another value in JSON"
        )
    kind.show(parsed.value), kind.to_printed(parsed.value), kind.to_rule(parsed.value)
    kind.derive(parsed.value, setting), kind.check(parsed.value, setting)


def _raw(data: bytes) -> Any:
    """A value as a cell may hold it."""
    given = atheris.FuzzedDataProvider(data[2:])
    what = data[1] % 12 if len(data) > 1 else 0
    if what == 1:
        return given.ConsumeIntInRange(-(2**70), 2**70)
    if what == 2:
        return given.ConsumeFloat()
    if what == 3:
        return given.ConsumeRegularFloat()
    if what == 4:
        return date.fromordinal(given.ConsumeIntInRange(1, date.max.toordinal()))
    if what == 5:
        return datetime(1, 1, 1, tzinfo=UTC) + timedelta(seconds=given.ConsumeIntInRange(0, 315 * 10**9))
    if what == 6:
        return bool(given.ConsumeBool())
    return data[2:].decode("utf-8", "replace")


def _type_seeds() -> Iterator[bytes]:
    for text in (*mutators.WORDS, *mutators.NUMBERS, "责任：某某；措施：停用", "已完成整改，完成时间2024年12月24日"):
        for choice in range(len(FIELD_TYPES)):
            yield bytes((choice, 0)) + text.encode()


def _record_in_json(data: bytes) -> None:
    form = FORMS[data[0] % len(FORMS)] if data else FORMS[0]
    told = _loaded(data[2:])
    if data[1:2] < b"\x80":
        record = from_json(told, form)
        assert from_json(json.loads(json.dumps(to_json(record))), form).same_content(record), "another record in JSON"
    else:
        record = from_printed(told, form)
        to_printed(record)


def _loaded(told: bytes) -> Mapping[str, Any]:
    try:
        data = json.loads(told)
    except RecursionError as error:
        raise ValueError from error
    if not isinstance(data, dict):
        raise ValueError("no object")
    return data


def _json_seeds() -> Iterator[bytes]:
    for number, form in enumerate(FORMS):
        record = example_record(form)
        yield bytes((number, 0)) + json.dumps(to_json(record), ensure_ascii=False).encode()
        yield bytes((number, 255)) + json.dumps(to_printed(record), ensure_ascii=False).encode()
    for path in sorted(SAMPLES.rglob("*.expected.json")):
        if path.stat().st_size < LARGEST_SEED:
            yield bytes((len(FORMS) - 6, 255)) + path.read_bytes()


def _content(data: bytes) -> None:
    form = form_in(data[2:].decode("utf-8", "replace"), "forms/表.yaml", plugin="某地")
    if form is not None:
        assert form.id


def _content_seeds() -> Iterator[bytes]:
    for path in sorted(ROOT.glob("plugins/*/gmsafety_*/**/*.yaml")):
        yield b"\0\0" + path.read_bytes()


def _register(data: bytes) -> None:
    reading = read_register(data)
    assert all(str(f) and f.remedy for f in reading.findings)


def _register_seeds() -> Iterator[bytes]:
    code = "91140525MA0K00001" + check_digit("91140525MA0K00001")
    firm = Enterprise(credit_code=code, name="示例钢铁有限公司", area="140525", gbt4754="3120")
    hazard = Hazard(id="YH-1", enterprise=code, detail="煤气报警失效", stage="市县检查", found=date(2025, 1, 6))
    with TemporaryDirectory() as folder:
        path = Path(folder) / "登记簿.xlsx"
        write_register(Register(enterprises=(firm,), hazards=(hazard,)), path)
        yield path.read_bytes()


def _checklist(data: bytes) -> None:
    for suffix in (".xlsx", ".docx"):
        reading = read(data, CATALOG, name=f"检查表{suffix}")
        record = reading.record
        checklist = CATALOG.checklists.get(record.form.ref) if record is not None else None
        if isinstance(record, Record) and checklist is not None:
            checklist.majors(checklist.outcomes(record))


def _checklist_seeds() -> Iterator[bytes]:
    lists = CATALOG.checklists.values()
    forms = (*(k.form for k in lists), *(k.as_printed for k in lists))
    yield from _filled(forms, ".xlsx")
    yield from _filled(forms, ".docx")


def _workbooks() -> Iterator[bytes]:
    yield from _samples(".xlsx")
    yield from _filled(FORMS, ".xlsx")


def _documents() -> Iterator[bytes]:
    yield from _samples(".docx")
    yield from _filled(FORMS, ".docx")


TARGETS: Mapping[str, Target] = {
    "xlsx": Target(_form_file(".xlsx"), _workbooks, mutators.change_package),
    "docx": Target(_form_file(".docx"), _documents, mutators.change_package),
    "ods": Target(_form_file(".ods"), lambda: _samples(".ods"), mutators.change_package),
    "xls": Target(_form_file(".xls"), lambda: _samples(".xls")),
    "text": Target(_delimited, _delimited_seeds, mutators.change_text, largest=2**15),
    "sentence": Target(_sentence, _sentence_seeds, mutators.change_text, largest=2**12),
    "types": Target(_types, _type_seeds, mutators.change_text, largest=2**12),
    "json": Target(_record_in_json, _json_seeds, mutators.change_json, (ValueError,), 2**16),
    "content": Target(_content, _content_seeds, mutators.change_yaml, (ContentError,), 2**15),
    "register": Target(_register, _register_seeds, mutators.change_package),
    "checklist": Target(_checklist, _checklist_seeds, mutators.change_package),
}
