"""The keyboard outside the prompt: input during a reply is kept instead of shown in the middle of it."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_echo() -> Iterator[None]:
    """Turn the terminal's echo off; Ctrl-C still works. Does nothing without a terminal."""
    with _echo(on=False):
        yield


@contextmanager
def with_echo() -> Iterator[None]:
    """Turn the echo on again, for another program with input."""
    with _echo(on=True):
        yield


def read_key() -> str:
    """Return the next key without Enter, or all pending input; empty without a terminal."""
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
