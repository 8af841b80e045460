"""One target in a process of its own: `python fuzz/child.py TARGET SECONDS FOLDER [INPUT]`.

Every crash is kept once, by where it was raised, with its shortest input; a hang and a memory beyond the limit end the
process, which libFuzzer then says. What was seen is written into `FOLDER/figures.json` every second.
"""

import hashlib
import json
import resource
import sys
import time
import traceback
from contextlib import suppress
from pathlib import Path
from typing import Any

import atheris

LONGEST_SECONDS = 20
MOST_MEMORY_MB = 1024
AGAIN = 4

with atheris.instrument_imports(include=["gmsafety", "docx"]):
    from targets import TARGETS

    TARGET = TARGETS[sys.argv[1]]
    FOLDER = Path(sys.argv[3])
    SEEDS = list(TARGET.seeds())
    if len(sys.argv) <= AGAIN:
        for seed in SEEDS:  # what is imported late is imported now, and instrumented
            with suppress(BaseException):  # it is met again, and kept, below
                TARGET.run(seed)


class Watch:
    """What was seen so far."""

    def __init__(self) -> None:
        self.inputs, self.longest, self.written = 0, 0.0, 0.0
        self.crashes: dict[str, dict[str, Any]] = {}

    def one(self, data: bytes) -> None:
        """Run one input."""
        begun = time.perf_counter()
        try:
            TARGET.run(data)
        except TARGET.declared:
            pass
        except Exception as error:
            self.keep(data, error)
        took = time.perf_counter() - begun
        self.inputs += 1
        if took > self.longest:
            self.longest = took
            (FOLDER / "slowest").write_bytes(data)
        if begun - self.written > 1:
            self.write()
            self.written = begun

    def keep(self, data: bytes, error: BaseException) -> None:
        """Keep the shortest input of each crash."""
        frames = [f for f in traceback.extract_tb(error.__traceback__) if "/fuzz/child.py" not in f.filename]
        place = f"{type(error).__name__} {Path(frames[-1].filename).name}:{frames[-1].lineno}"
        inner = [f for f in frames if "/gmsafety/" in f.filename]
        place += f" < {Path(inner[-1].filename).name}:{inner[-1].lineno}" if inner else ""
        known = self.crashes.get(place)
        if known and known["bytes"] <= len(data):
            return
        name = f"crash-{hashlib.sha256(place.encode()).hexdigest()[:10]}"
        (FOLDER / name).write_bytes(data)
        (FOLDER / f"{name}.txt").write_text("".join(traceback.format_exception(error, limit=-12))[-6000:], "utf-8")
        self.crashes[place] = {"bytes": len(data), "input": name}
        self.write()

    def write(self) -> None:
        """Write the figures down."""
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
        told = {"inputs": self.inputs, "longest": self.longest, "memory": memory, "crashes": self.crashes}
        (FOLDER / "figures.json").write_text(json.dumps(told, ensure_ascii=False), "utf-8")


def main() -> None:
    """Fuzz until the time is over; or run one kept input."""
    if len(sys.argv) > AGAIN:
        TARGET.run(Path(sys.argv[AGAIN]).read_bytes())
        return
    corpus = FOLDER / "corpus"
    corpus.mkdir(parents=True, exist_ok=True)
    for seed in SEEDS:
        (corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    options = [
        sys.argv[0], f"-max_total_time={sys.argv[2]}", f"-timeout={LONGEST_SECONDS}", f"-rss_limit_mb={MOST_MEMORY_MB}",
        f"-max_len={TARGET.largest}", f"-artifact_prefix={FOLDER}/", "-print_final_stats=0", "-len_control=0",
        str(corpus),
    ]  # fmt: skip
    extra = {"custom_mutator": TARGET.mutate} if TARGET.mutate else {}
    atheris.Setup(options, Watch().one, **extra)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
