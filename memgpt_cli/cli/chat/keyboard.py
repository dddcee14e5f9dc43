"""The keyboard outside the prompt: what is typed while a reply comes is not shown in its midst, but waits."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_echo() -> Iterator[None]:
    """Turn the terminal's echo off; Ctrl-C works as ever. Does nothing where there is no such terminal."""
    with _echo(on=False):
        yield


@contextmanager
def with_echo() -> Iterator[None]:
    """Turn it on again, for another program that the person types into."""
    with _echo(on=True):
        yield


def read_key() -> str:
    """The next key without waiting for Enter, or all that was typed already; empty where there is no such terminal."""
    if sys.platform == "win32":
        import msvcrt

        return msvcrt.getwch()
    import os
    import termios

    try:
        device = sys.stdin.fileno()
        before = termios.tcgetattr(device)
    except (OSError, ValueError, termios.error):
        return ""
    wanted = list(before)
    wanted[3] &= ~(termios.ICANON | termios.ECHO)
    termios.tcsetattr(device, termios.TCSANOW, wanted)
    try:
        return os.read(device, 4096).decode("utf-8", "replace")
    finally:
        termios.tcsetattr(device, termios.TCSANOW, before)


@contextmanager
def _echo(*, on: bool) -> Iterator[None]:
    try:
        import termios

        device = sys.stdin.fileno()
        before = termios.tcgetattr(device)
    except (ImportError, OSError, ValueError):
        yield
        return
    wanted = list(before)
    wanted[3] = wanted[3] | termios.ECHO if on else wanted[3] & ~termios.ECHO
    termios.tcsetattr(device, termios.TCSANOW, wanted)
    try:
        yield
    finally:
        termios.tcsetattr(device, termios.TCSANOW, before)
