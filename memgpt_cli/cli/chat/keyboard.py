"""The keyboard while a reply comes: what is typed meanwhile is not shown in its midst, but waits for the prompt."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_echo() -> Iterator[None]:
    """Turn the terminal's echo off; Ctrl-C works as ever. Does nothing where there is no such terminal."""
    try:
        import termios

        device = sys.stdin.fileno()
        before = termios.tcgetattr(device)
    except (ImportError, OSError, ValueError):
        yield
        return
    quiet = list(before)
    quiet[3] &= ~termios.ECHO
    termios.tcsetattr(device, termios.TCSANOW, quiet)
    try:
        yield
    finally:
        termios.tcsetattr(device, termios.TCSANOW, before)
