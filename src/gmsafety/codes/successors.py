"""Withdrawn county-level codes of Shanxi and Tianjin that still stand inside older unified social credit codes."""

from types import MappingProxyType

SUCCESSOR_CODES = MappingProxyType(
    {
        # 滨海新区 took over 塘沽, 汉沽 and 大港: 国函〔2009〕125号
        "120107": ("120116",),
        "120108": ("120116",),
        "120109": ("120116",),
        # 宁河县, 静海县 (2015) and 蓟县 (2016) became districts
        "120221": ("120117",),
        "120223": ("120118",),
        "120225": ("120119",),
        # 大同: 城区 and 南郊区 were divided, 矿区 went to 云冈区, 大同县 became 云州区: 国函〔2018〕22号
        "140202": ("140213", "140214"),
        "140203": ("140214",),
        "140211": ("140212", "140213", "140214"),
        "140227": ("140215",),
        # 长治: 城区 and 郊区 became 潞州区; 长治县, 屯留县 and 潞城市 became districts: 国函〔2018〕87号
        "140402": ("140403",),
        "140411": ("140403",),
        "140421": ("140404",),
        "140424": ("140405",),
        "140481": ("140406",),
        # 怀仁县 became a city: 民函〔2018〕46号
        "140624": ("140681",),
        # 太谷县 became a district: 国函〔2019〕104号
        "140726": ("140703",),
    }
)
"""Withdrawn code → the codes of today that hold its territory; more than one where it was divided."""


def successor(code: str) -> str | None:
    """The one division of today behind a withdrawn code; None if the code is not withdrawn, or was divided."""
    successors = SUCCESSOR_CODES.get(code, ())
    return successors[0] if len(successors) == 1 else None
