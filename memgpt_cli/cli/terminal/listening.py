"""The address that a server of ours listens on."""

import socket

from memgpt_cli.errors import UsageError


def listening(host: str, port: int) -> socket.socket:
    """A socket that is bound to an address. Raises UsageError if that is not possible, for example for a used port."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    found = socket.socket(family, socket.SOCK_STREAM)
    try:
        found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind((host, port))
    except OSError as error:
        found.close()
        reason = error.strerror or str(error)
        raise UsageError(f"cannot listen on {host}:{port}: {reason}", hint=f"--port {port % 65_535 + 1}") from error
    return found
