"""Words with which people ask for what a statement is called: "where do I live" asks for a home or an address."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from memgpt_cli.text.stems import base

_GROUPS: Final = """
home address live residence city town 住址 地址 城市 住在 家在; job work profession occupation 工作 职业
employer company work 公司 单位; car drive 车 开车; phone number call 电话 号码 手机; rent pay 房租
wife husband spouse partner married 妻子 丈夫 老公 老婆; school attend 学校 上学; diet eat 饮食; name called 名字
birthday born 生日 出生; university college study 大学 专业; doctor physician 医生; medication medicine take 药
gym train exercise 健身房; commute travel 通勤; salary earn pay 工资 薪水
"""


@lru_cache(maxsize=1)
def _groups() -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for line in _GROUPS.replace("\n", ";").split(";"):
        words = frozenset(base(word) for word in line.split())
        for word in words:
            found[word] = found.get(word, frozenset()) | words
    return found


def same_predicate(term: str) -> frozenset[str]:
    """The stems that ask for the same thing as this one, itself included."""
    return _groups().get(term, frozenset((term,)))


def with_predicates(terms: Iterable[str]) -> list[str]:
    """These stems, and what asks for the same things."""
    wanted = list(terms)
    return list(dict.fromkeys([*wanted, *(other for term in wanted for other in sorted(same_predicate(term)))]))
