"""`make fuzz`: every reader is given bytes that no office suite wrote, one reader at a time, for a bounded time.

`ARGS="--seconds 30 --only docx"` shortens it; `--again FILE --only docx` runs one kept input and shows what it does;
`--page` puts the figures into docs/reliability.md. What was found stands in `out/fuzz/READER`; a crash, a hang or a
memory beyond the limit makes it fail.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
OUT = ROOT / "out/fuzz"
PAGE = ROOT / "docs/reliability.md"
READERS = (
    "xlsx", "docx", "ods", "xls", "text", "sentence", "types", "json", "content", "register", "checklist",
)  # fmt: skip
GRACE = 120
_TABLE = re.compile(r"(?<=<!-- fuzz -->\n).*?(?=<!-- /fuzz -->)", re.DOTALL)


def main() -> int:
    """Fuzz the readers and say what was found."""
    asked = _asked()
    try:
        import atheris  # noqa: F401, PLC0415 - looked for before anything is begun
    except ImportError as error:
        print(f"atheris cannot be loaded here ({platform.platform()}, Python {platform.python_version()}): {error}")
        return 2
    if asked.again:
        return subprocess.run(_command(asked.only[0], 0, OUT, asked.again), check=False).returncode
    told = {reader: _fuzzed(reader, asked.seconds) for reader in asked.only}
    print("\n" + table(told))
    for reader, figures in told.items():
        for place, crash in figures["crashes"].items():
            print(f"{reader}: {place}: out/fuzz/{reader}/{crash['input']}")
        for name in figures["ended"]:
            print(f"{reader}: ended by out/fuzz/{reader}/{name}")
    if asked.page:
        last = {reader: json.loads(_figures(reader).read_bytes()) for reader in READERS if _figures(reader).exists()}
        PAGE.write_text(_TABLE.sub(lambda _: table(last) + "\n", PAGE.read_text("utf-8")), "utf-8")
    return int(any(figures["crashes"] or figures["ended"] for figures in told.values()))


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=90, help="for each reader")
    parser.add_argument("--only", action="append", choices=READERS)
    parser.add_argument("--again", metavar="FILE", type=Path, help="run one input of one reader")
    parser.add_argument(
        "--page", action="store_true", help="put the last figures of every reader into docs/reliability.md"
    )
    asked = parser.parse_args()
    asked.only = asked.only or list(READERS)
    return asked


def _fuzzed(reader: str, seconds: int) -> dict[str, Any]:
    folder = OUT / reader
    folder.mkdir(parents=True, exist_ok=True)
    for old in [*folder.glob("*-*"), folder / "figures.json"]:
        old.unlink(missing_ok=True)
    with (folder / "log.txt").open("wb") as log:
        ended = subprocess.run(
            _command(reader, seconds, folder), stdout=log, stderr=log, timeout=seconds + GRACE, check=False
        ).returncode
    figures = _figures(reader)
    told: dict[str, Any] = json.loads(figures.read_bytes()) if figures.exists() else {"inputs": 0, "crashes": {}}
    told["ended"] = [p.name for p in folder.glob("*-*") if p.name.split("-")[0] in ("timeout", "oom", "leak")]
    if ended and not told["ended"]:
        told["ended"] = ["log.txt"]
    figures.write_text(json.dumps(told, ensure_ascii=False), "utf-8")
    print(f"{reader}: {told['inputs']} inputs, {len(told['crashes'])} crashes", flush=True)
    return told


def _figures(reader: str) -> Path:
    return OUT / reader / "figures.json"


def _command(reader: str, seconds: int, folder: Path, again: Path | None = None) -> list[str]:
    child = [sys.executable, str(ROOT / "fuzz/child.py"), reader, str(seconds), str(folder)]
    patient = ["nice", "-n", "15"] if os.name == "posix" else []
    return [*patient, *child, *([str(again)] if again else [])]


def table(told: dict[str, dict[str, Any]]) -> str:
    """The figures as a table."""
    lines = [
        "| reader | inputs | crashes | hangs, out of memory | longest input | most memory |",
        "|---|---|---|---|---|---|",
    ]
    for reader, f in told.items():
        lines.append(
            f"| {reader} | {f['inputs']:,} | {len(f['crashes'])} | {len(f.get('ended', ()))} "
            f"| {f.get('longest', 0) * 1000:,.0f} ms | {f.get('memory', 0):,.0f} MB |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
