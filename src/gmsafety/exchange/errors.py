"""Broken promises of the exchange.

GmsafetyError
├── ExtraMissing      the libraries of `gmsafety[client]` or `gmsafety[sm]` are not installed
├── NotCanonical      a value that canonical JSON cannot carry; also a ValueError
├── Malformed         JSON from outside that is not what it should be, everything wrong at once; also a ValueError
├── UnknownAlgorithm  a signature algorithm that this version cannot check
├── KeyUnreadable     a file that holds no signing key
└── WrongPassphrase   a signing key that does not open
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from ..errors import GmsafetyError


class ExtraMissing(GmsafetyError):
    """The exchange was used, but its libraries were not installed with gmsafety."""

    is_usage = True

    def __init__(self, module: str, *, extra: str = "client") -> None:
        self.module = module
        super().__init__(f"缺少软件包 {module}，不能签名和核对回执。请运行：pip install gmsafety[{extra}]")


class NotCanonical(GmsafetyError, ValueError):
    """A value has no canonical JSON; `path` says which, such as `rows[3].money`."""

    def __init__(self, path: str, text: str) -> None:
        self.path = path
        super().__init__(f"{path}：{text}")


class Malformed(GmsafetyError, ValueError):
    """JSON from outside that cannot be taken; `problems` holds one sentence for each thing wrong."""

    def __init__(self, noun: str, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__(f"{noun}的格式不对：{'；'.join(self.problems)}")


class UnknownAlgorithm(GmsafetyError):
    """A key or signature of an algorithm that this version does not know; it may need a newer one."""

    def __init__(self, algorithm: str, known: Iterable[str]) -> None:
        self.algorithm, self.known = algorithm, tuple(known)
        super().__init__(f"不认识签名算法“{algorithm}”，无法核对。本版本认识：{'、'.join(self.known)}")


class KeyUnreadable(GmsafetyError):
    """A file was given as a signing key and is none."""

    def __init__(self) -> None:
        super().__init__("这不是签名密钥文件（PEM格式的Ed25519或SM2私钥），或文件已损坏。")


class WrongPassphrase(GmsafetyError):
    """The pass-phrase (口令) does not open the key, is missing, or cannot be one."""

    is_usage = True


@contextmanager
def client_extra() -> Iterator[None]:
    """Around an import of a library of the extra: say how to install it where it is missing."""
    try:
        yield
    except ModuleNotFoundError as missing:
        raise ExtraMissing(missing.name or "") from missing
