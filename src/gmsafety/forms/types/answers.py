"""Answers to the questions of a checklist: 是, 否 or 不涉及, with what the inspector adds."""

import re
from typing import Any

from .fields import FieldType, Setting, as_text
from .problem import Parsed, Trouble
from .text import shorten, squash

_ANSWERS = {"√": "是", "✓": "是", "✔": "是", "×": "否", "✗": "否", "✘": "否", "不适用": "不涉及", "无此项": "不涉及"}
_ANSWER = re.compile(
    rf"(?:[(（]?\d{{1,2}}(?:[.、．)）]|(?=\D)))?\s*(不涉及|是|否|{'|'.join(_ANSWERS)})(?!不是|[否是])\s*(.*)$",
    re.DOTALL,
)


class Answer(FieldType):
    """An answer to a question of a checklist: one of the choices, and perhaps a remark: 否（未及时落实）."""

    name = "answer"
    derived = ("answer", "remark")

    def _read(self, raw: object, setting: Setting) -> Parsed:
        text = squash(as_text(raw))
        match = _ANSWER.match(text)
        word = _ANSWERS.get(match.group(1), match.group(1)) if match else ""
        if not match or word not in setting.choices:
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
    text = text.strip(" \n，,。；;:：")
    inside = text[1:-1] if text[:1] in "(（" and text[-1:] in ")）" else text
    return inside.strip().replace("（", "〔").replace("）", "〕") if "（" in inside else inside.strip()
