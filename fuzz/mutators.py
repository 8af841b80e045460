"""How inputs are changed: inside the parts of a package, by characters, inside JSON; bytes are left to libFuzzer."""

import io
import json
import zipfile
import zlib
from copy import deepcopy
from random import Random
from typing import Any

import atheris
from lxml import etree

NUMBERS = (
    "",
    "-1",
    "0",
    "1e999",
    "NaN",
    "1" * 5000,
    "9" * 20,
    "２",
    "²",
    "①",
    "十二",
    "3.5",
    "1,234",
    "1048577",
    "2.5E-300",
)
ADDRESSES = ("A0", "A1", "XFD1048577", "A1:XFD1048576", "C3:B2", "AAAA1", "$A$1", "A1:B2:C3", "R1C1")
WORDS = (
    "**", "xx", "/", "无", "零报告", "一般问题隐患", "重大事故隐患", "家企业", "条，已整改", "万元", "约", "（", "）",
    "。", "；", "、", "\n", " ", "　", "\u200b", "\ufeff", "\u202e", "_x000D_", "_x005F_x000D_", "=1/0", "2024.12.20",
    "2024年2月30日", "12月20日", "二〇二四年十二月二十日", "20241220", "45646", "85.7%", "本周五", "是", "否", "不涉及",
)  # fmt: skip
YAML = ("- ", ": ", "&a ", "*a", "<<: *a", "[", "]", "{", "}", "!!int ", "|\n", "? ", "# ", "'", '"', "~", "---\n", "%")
DEEP = 600
MOST = 400


def change_package(data: bytes, max_size: int, seed: int) -> bytes:
    """Change one XML part of a zip package, seldom the bytes of the zip."""
    chance = Random(seed)
    parts = _unpacked(data) if chance.random() > 0.05 else None
    if not parts:
        return bytes(atheris.Mutate(data, max_size))
    name = chance.choice(_weighted(parts))
    for _ in range(chance.choice((1, 1, 2, 5))):
        how = chance.random()
        if how < 0.75:
            parts[name] = _tree_changed(parts[name], chance)
        elif how < 0.95:
            parts[name] = bytes(atheris.Mutate(parts[name], max_size)) if parts[name] else b"<a/>"
        else:
            other = chance.choice(list(parts))
            parts[name] = parts[other]
    if chance.random() < 0.02:
        del parts[name]
    changed = _packed(parts)
    return changed if len(changed) <= max_size else data


def change_text(data: bytes, max_size: int, seed: int) -> bytes:
    """Change text by characters and words, so that it stays text; the first two bytes choose what reads it."""
    return _text_changed(data, max_size, seed, (*WORDS, *NUMBERS))


def change_yaml(data: bytes, max_size: int, seed: int) -> bytes:
    """The same, with the marks of YAML."""
    return _text_changed(data, max_size, seed, (*YAML, *YAML, *WORDS, *NUMBERS))


def change_json(data: bytes, max_size: int, seed: int) -> bytes:
    """Change a value inside JSON; the first two bytes choose what reads it."""
    chance = Random(seed)
    choice, told = bytearray(data[:2].ljust(2, b"\0")), data[2:]
    if chance.random() < 0.1:
        choice[chance.randrange(2)] = chance.randrange(256)
    try:
        tree = [json.loads(told)]
    except (ValueError, RecursionError):
        return bytes(choice) + b"{}"
    for _ in range(chance.choice((1, 1, 2, 4))):
        _json_changed(tree, chance)
    made = bytes(choice) + json.dumps(tree[0], ensure_ascii=False).encode("utf-8", "replace")
    return made if len(made) <= max_size else data


def _unpacked(data: bytes) -> dict[str, bytes] | None:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            if sum(i.file_size for i in package.infolist()) > 4 * 2**20:
                return None
            return {i.filename: package.read(i) for i in package.infolist()}
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, ValueError):
        return None


def _packed(parts: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        for name, part in parts.items():
            package.writestr(zipfile.ZipInfo(name), part, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _weighted(parts: dict[str, bytes]) -> list[str]:
    """The names of parts, those more often that hold the table."""
    telling = [n for n in parts if "sheet" in n or "document" in n or n in ("content.xml", "xl/sharedStrings.xml")]
    return [*parts, *telling * 8]


def _tree_changed(part: bytes, chance: Random) -> bytes:
    parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
    try:
        root = etree.fromstring(part, parser)
    except (etree.XMLSyntaxError, ValueError):
        return part
    nodes = [n for n in root.iter() if isinstance(n.tag, str)]
    _node_changed(chance.choice(nodes), nodes, chance)
    return bytes(etree.tostring(root, xml_declaration=True, encoding="UTF-8", standalone=True))


def _node_changed(node: Any, nodes: list[Any], chance: Random) -> None:
    above, how = node.getparent(), chance.randrange(9)
    if how == 0 and above is not None:
        above.remove(node)
    elif how == 1 and above is not None:
        for _ in range(chance.choice((1, 2, 60))):
            above.insert(above.index(node), deepcopy(node))
    elif how == 2:
        chance.choice(nodes).append(deepcopy(node))
    elif how == 3:
        node.text = chance.choice((*NUMBERS, *ADDRESSES, *WORDS))
    elif how == 4 and node.attrib:
        node.set(chance.choice(list(node.attrib)), chance.choice((*NUMBERS, *ADDRESSES, *WORDS)).replace("\n", ""))
    elif how == 5 and node.attrib:
        del node.attrib[chance.choice(list(node.attrib))]
    elif how == 6:
        node.tag = chance.choice(nodes).tag
    elif how == 7 and chance.random() < 0.2:
        for _ in range(chance.choice((3, DEEP))):
            node = etree.SubElement(node, node.tag)
    else:
        node.text, node.tail = (chance.choice(nodes).text or "")[:MOST], node.tail


def _text_changed(data: bytes, max_size: int, seed: int, words: tuple[str, ...]) -> bytes:
    chance = Random(seed)
    choice, text = bytearray(data[:2].ljust(2, b"\0")), data[2:].decode("utf-8", "ignore")
    if chance.random() < 0.2:
        choice[chance.randrange(2)] = chance.randrange(256)
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        here, there = sorted(chance.choices(range(len(text) + 1), k=2))
        there = min(there, here + 40)
        how = chance.randrange(7)
        if how == 0:
            text = text[:here] + text[there:]
        elif how == 1:
            text = text[:here] + text[here:there] * chance.choice((2, 2, 3, 50)) + text[there:]
        elif how == 2:
            text = text[:here] + chr(chance.choice((chance.randrange(0x3000), chance.randrange(0xD800)))) + text[here:]
        elif how == 3:
            text = text[:here] + str(chance.randrange(10 ** chance.randrange(1, 12))) + text[there:]
        elif how == 4 and chance.random() < 0.1:
            text = text[:here] + chance.choice(words) * chance.choice((20, DEEP)) + text[here:]
        else:
            text = text[:here] + chance.choice(words) + text[here:]
    made = bytes(choice) + text.encode("utf-8", "ignore")
    return made if len(made) <= max_size else data[: max_size // 2]


def _json_changed(tree: list[Any], chance: Random) -> None:
    """Change one value of a tree, each as likely as any other."""
    places: list[tuple[Any, Any]] = []
    waiting: list[Any] = [tree]
    while waiting:
        node = waiting.pop()
        keys = list(node) if isinstance(node, dict) else range(len(node))
        places += [(node, k) for k in keys]
        waiting += [node[k] for k in keys if isinstance(node[k], (dict, list))]
    node, key = chance.choice(places)
    other = chance.choice(places)
    value = (
        *NUMBERS, *WORDS, None, True, False, 0, -1, 3.5, 1e308, 10**30, [], {}, [[]], {"": None}, "\ud800",
    )[chance.randrange(len(NUMBERS) + len(WORDS) + 13)]  # fmt: skip
    how = chance.randrange(5)
    if how == 0 and node is not tree:
        del node[key]
    elif how == 1 and isinstance(node, dict):
        node[str(other[1])] = node.pop(key)
    elif how == 2:
        node[key] = json.loads(json.dumps(other[0][other[1]]))
    else:
        node[key] = value
