"""Dialogues with the offline responder, line by line, and what must be true after each line.

An expectation is a text: `x` must be in the reply, `!x` must not; `=x` must be the reply, `^x` its beginning;
`a<b` both, in that order; `+x` must be in a line of core memory, `-x` in none, `-^x` at the beginning of none.
"""

from collections.abc import Iterator
from pathlib import Path

from support.agents import reply, run, session

Dialogue = list[tuple[str, ...]]
"""What is said, and the expectations."""


def held(human: str, answer: str, expected: str) -> bool:
    """Whether one expectation holds, after comparing without regard to case."""
    lines = human.lower().split("\n")
    kind, text = (expected[0], expected[1:]) if expected[0] in "!+-=^" else ("", expected)
    text, answer = text.lower(), answer.lower()
    if kind == "=":
        return answer == text
    if kind == "^":
        return answer.startswith(text)
    if "<" in text:
        first, _, second = text.partition("<")
        return -1 < answer.find(first) < answer.find(second)
    if kind == "+":
        return any(text in line for line in lines)
    if kind == "-":
        found = [line.startswith(text[1:]) if text.startswith("^") else text in line for line in lines]
        return not any(found)
    return (text in answer) != (kind == "!")


def failures(home: Path, dialogue: Dialogue) -> Iterator[str]:
    """The lines of a dialogue whose expectations do not all hold, each with its reply and core memory."""
    with session(home, model="offline") as agent:
        for said, *expected in dialogue:
            answer = reply(run(agent, said))
            human = agent.store.blocks.get("human").value
            broken = [text for text in expected if not held(human, answer, text)]
            if broken:
                yield f"{said}\n   -> {answer}\n   human: {human!r}\n   broken: {broken}"
