"""Short texts for people: cut to one line, counted."""


def one_line(text: str, most: int = 60) -> str:
    """The beginning of a text, on one line of at most `most` characters."""
    flat = " ".join(text.split())
    return flat if len(flat) <= most else f"{flat[: most - 1]}…"


def counted(number: int, what: str) -> str:
    """`1 message`, `2 messages`."""
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
