"""Short texts for people: cut to one line, counted."""

from memgpt_cli.services.secrets import masked

_LONGEST_KEY = 8_000


def one_line(text: str, most: int = 60) -> str:
    """The beginning of a text, on one line of at most `most` characters; a key in it is masked before it is cut."""
    flat = " ".join(masked(text[: 4 * most + _LONGEST_KEY]).split())
    return flat if len(flat) <= most else f"{flat[: most - 1]}…"


def counted(number: int, what: str) -> str:
    """`1 message`, `2 messages`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def undo_brings_back(number: int) -> str:
    """The hint after a deletion of so many things."""
    return f"memgpt undo brings {'it' if number == 1 else 'them'} back"
