"""How large the sheets of an Excel 97-2003 workbook are, before the reader lays them out in full."""

import struct

_FREE = 0xFFFFFFFA
_VALUES = frozenset({0x0006, 0x0206, 0x0406, 0x0203, 0x0204, 0x0205, 0x027E, 0x00FD, 0x00D6})
_MANY_VALUES = 0x00BD
_BEGINS = frozenset({0x0009, 0x0209, 0x0409, 0x0809})
_CLAIM = 0x0200
_NAMES = ("workbook", "book")
_ROOT = 5
_BROKEN = "文件内部结构有误"


def cells_of_workbook(data: bytes) -> int:
    """Count the cells of the rectangles around the values of all sheets; ValueError where the file is broken."""
    try:
        return sum(_area(stream) for stream in _streams(data))
    except (struct.error, IndexError, ValueError) as error:
        raise ValueError(_BROKEN) from error


def _area(stream: bytes) -> int:
    """The same for one stream, in which the sheets stand one after the other."""
    total = at = 0
    top, bottom, left, right = 1 << 16, -1, 1 << 16, -1
    while at + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, at)
        at += 4
        if kind in _BEGINS:
            total += max(0, bottom - top + 1) * max(0, right - left + 1)
            top, bottom, left, right = 1 << 16, -1, 1 << 16, -1
        elif (kind in _VALUES or kind == _MANY_VALUES) and length >= 6:
            row, first = struct.unpack_from("<HH", stream, at)
            last = struct.unpack_from("<H", stream, at + length - 2)[0] if kind == _MANY_VALUES else first
            top, bottom, left, right = min(top, row), max(bottom, row), min(left, first), max(right, last)
        elif kind == _CLAIM and length >= 12:
            _judge_claim(*struct.unpack_from("<IIHH", stream, at))
        at += length
    return total + max(0, bottom - top + 1) * max(0, right - left + 1)


def _judge_claim(first_row: int, last_row: int, first_col: int, last_col: int) -> None:
    """A sheet may say that it is large, but not larger than any sheet can be: room is made for what it says."""
    if max(first_row, last_row) > 1 << 16 or max(first_col, last_col) > 1 << 8:
        raise ValueError(_BROKEN)


def _streams(data: bytes) -> list[bytes]:
    """The streams of a compound file that hold a workbook; every chain that a reader follows has an end."""
    size = 1 << struct.unpack_from("<H", data, 30)[0]
    if size not in (512, 4096):
        raise ValueError(_BROKEN)
    directory, _, cutoff, small = struct.unpack_from("<IIII", data, 48)
    body = data[size:]
    table = _table(data, body, size)
    entries = _chain(body, directory, table, size)
    root = next((_start(entries, at)[0] for at in _places(entries) if entries[at + 66] == _ROOT), _FREE)
    packed, small_table = _chain(body, root, table, size), _numbers(_chain(body, small, table, size))
    found = []
    for at in _places(entries):
        length = struct.unpack_from("<H", entries, at + 64)[0]
        if entries[at : at + max(0, length - 2)].decode("utf-16-le", "replace").lower() in _NAMES:
            start, told = _start(entries, at)
            large = told >= cutoff
            found.append((_chain(body, start, table, size) if large else _chain(packed, start, small_table, 64))[:told])
    if not found:
        raise ValueError(_BROKEN)
    return found


def _places(entries: bytes) -> range:
    return range(0, len(entries) - 127, 128)


def _start(entries: bytes, at: int) -> tuple[int, int]:
    start, told = struct.unpack_from("<II", entries, at + 116)
    return start, told


def _table(data: bytes, body: bytes, size: int) -> tuple[int, ...]:
    """For each sector the one that comes after it."""
    parts = [n for n in struct.unpack_from("<109I", data, 76) if n < _FREE]
    following, seen = struct.unpack_from("<I", data, 68)[0], 0
    while following < _FREE:
        *more, following = _numbers(body[following * size : (following + 1) * size])
        parts += [n for n in more if n < _FREE]
        if (seen := seen + 1) > len(body) // size:
            raise ValueError(_BROKEN)
    if len(parts) > len(body) // size + 1:
        raise ValueError(_BROKEN)
    return _numbers(b"".join(body[n * size : (n + 1) * size] for n in parts))


def _numbers(data: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(data) // 4}I", data[: len(data) // 4 * 4])


def _chain(body: bytes, start: int, table: tuple[int, ...], size: int) -> bytes:
    """The sectors of a chain; IndexError where it leads nowhere, ValueError where it has no end."""
    found: list[bytes] = []
    while start < _FREE:
        if len(found) > len(table):
            raise ValueError(_BROKEN)
        found.append(body[start * size : (start + 1) * size])
        start = table[start]
    return b"".join(found)
