"""Answers to the questions of a checklist: 是, 否 or 不涉及, with what the inspector adds."""

import re
import unicodedata
from typing import Any

from .fields import FieldType, Setting, as_text
from .problem import BLANK, Parsed, Trouble
from .text import shorten, squash, ticked

_YES, _NO = "√✓✔☑", "×✗✘"
_ANSWERS = {**dict.fromkeys(_YES, "是"), **dict.fromkeys(f"{_NO}xX", "否")}
_ANSWERS |= dict.fromkeys(("不涉及", "不适用", "无此项", "未涉及", "无涉及"), "不涉及")
_ANSWER = re.compile(
    r"(?:第?[(（]?\d{1,2}(?:项[:：]?|[.、．)）:：]|(?=\D))|[①-⑳])?\s*"
    r"/?(?:[本我该](?:企业|公司|厂|单位))?(?:均|全部|都)?\s*"
    rf"(不涉及|未涉及|无涉及|不适用|无此项|(?:[{_YES}]\s*)?是|(?:[{_NO}]\s*)?否|[{_YES}{_NO}]|[xX]$)"
    rf"(?!不是|[否是]|[/、或]\s*[否是](?:$|\W))(?:[(（]?[{_YES}][)）]?|(?<=否)[(（]?[{_NO}][)）]?|此项)?\s*(.*)$",
    re.DOTALL,
)
_CONTRADICTS = re.compile(rf"[{_NO}]|.*(?:[□☐{_YES}]|\d[.、．)）:：])\s*(?:是|否|不涉及)(?!否)", re.DOTALL)
_BEFORE_REMARK, _AFTER_REMARK = " \n，,。；;：:、—–-", " \n，,。；;：:、"
_BRACKETS = {"(": ")", "（": "）", "[": "]", "【": "】", "〔": "〕"}


class Answer(FieldType):
    """An answer to a question of a checklist: one of the choices, and perhaps a remark: 否（未及时落实）."""

    name = "answer"
    derived = ("answer", "remark")

    def _read(self, raw: object, setting: Setting) -> Parsed:
        text = squash(as_text(raw))
        if not text:
            return BLANK
        match = _ANSWER.match(unicodedata.normalize("NFKC", text) if len(text) == 1 else ticked(text) or text)
        word = _ANSWERS.get(match.group(1), match.group(1)[-1:]) if match else ""
        if not match or word not in setting.choices or _CONTRADICTS.match(match.group(2)[:200]):
            return Parsed(text, Trouble("not-in-list", {"text": shorten(text), "choices": "、".join(setting.choices)}))
        return Parsed(joined_answer(word, _inner(match.group(2))))

    def to_printed(self, value: Any) -> Any:
        return value and split_answer(value)[0]

    def derive(self, value: Any, setting: Setting) -> dict[str, Any]:
        return dict(zip(self.derived, split_answer(value) if value else (None, None), strict=True))


def joined_answer(word: str, remark: str | None) -> str:
    """Write an answer with its remark in one cell."""
    return f"{word}（{remark}）" if remark else word


def split_answer(text: str) -> tuple[str, str | None]:
    """Take an answer and its remark apart."""
    word, _, rest = text.partition("（")
    return word, rest.removesuffix("）") or None


def _inner(text: str) -> str:
    """A remark without the punctuation that leads to it, and without the brackets around the whole of it."""
    text = text.lstrip(_BEFORE_REMARK).rstrip(_AFTER_REMARK)
    return text[1:-1].lstrip(_BEFORE_REMARK).rstrip() if _is_bracketed(text) else text


def _is_bracketed(text: str) -> bool:
    """Tell whether the bracket at the beginning is closed at the end, and not before."""
    depth = 0
    for at, character in enumerate(text):
        depth += (character in _BRACKETS) - (character in _BRACKETS.values())
        if not depth:
            return bool(at) and at == len(text) - 1
    return False
