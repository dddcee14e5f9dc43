"""The error tree. Every error has a message, a hint that says how to fix it, and an exit code.

MemGPTError                  1  any error that the program reports on purpose
├── BudgetError              1  a budget or the limit on steps was reached; nothing is damaged
├── DocumentError            1  a file cannot be read as a document
├── UsageError               2  the command line or the arguments are invalid
│   ├── ConfigError          2  a setting, a settings file or a prompt file is invalid
│   ├── LimitError           2  a text does not fit a block, or a window is too small
│   └── FunctionArgumentError 2 a memory function was called with invalid arguments
├── NotFoundError            3  no such agent, block, message or passage
├── APIKeyError              4  an API key is missing or was refused
├── StorageError             5  the record cannot be read or written
│   ├── AgentBusyError       5  another process holds the agent's lock
│   └── EmbedderMismatchError 5 the stored vectors come from another embedder
└── ModelError               6  the model or the network failed
    ├── ModelLoadingError    6  the server is still loading the model
    ├── ContextLengthError   6  the server refused the prompt as over its window
    ├── ReplyLengthError     6  the reply used up its tokens before any text
    └── RateLimitError       6  the server's rate limit was reached

Python's own errors are bugs. They end in a traceback (with `--debug`) or a one-line report.
"""

from enum import IntEnum


class ExitCode(IntEnum):
    """Process exit codes; scripts may rely on them."""

    OK = 0
    FAILURE = 1
    USAGE = 2
    NOT_FOUND = 3
    KEY = 4
    STORAGE = 5
    MODEL = 6
    INTERRUPTED = 130


class MemGPTError(Exception):
    """Any error that the program reports on purpose.

    `message` says what happened; `hint` names the command or setting that fixes it (may be empty).
    """

    exit_code: ExitCode = ExitCode.FAILURE
    code: str = "failure"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class BudgetError(MemGPTError):
    """A budget in tokens, money or steps was reached."""

    code = "budget"


class DocumentError(MemGPTError):
    """A file cannot be read as a document; the message gives the reason without the file's name."""

    code = "document"


class UsageError(MemGPTError):
    """The command line or the arguments are invalid."""

    exit_code = ExitCode.USAGE
    code = "usage"


class ConfigError(UsageError):
    """A setting, a settings file or a prompt file is invalid."""

    code = "config"


class LimitError(UsageError):
    """A text does not fit: a block is over its limit, or a window is below the minimum."""

    code = "limit"


class FunctionArgumentError(UsageError):
    """A memory function was called with invalid arguments; the message is written for the model."""

    code = "argument"


class NotFoundError(MemGPTError):
    """No such agent, block, message or passage."""

    exit_code = ExitCode.NOT_FOUND
    code = "not_found"


class APIKeyError(MemGPTError):
    """An API key is missing or was refused."""

    exit_code = ExitCode.KEY
    code = "key"


class StorageError(MemGPTError):
    """The record on disk cannot be read or written."""

    exit_code = ExitCode.STORAGE
    code = "storage"


class AgentBusyError(StorageError):
    """Another process holds the agent's lock."""

    code = "busy"


class EmbedderMismatchError(StorageError):
    """The stored vectors were made by an embedder other than the configured one."""

    code = "embedder"


class ModelError(MemGPTError):
    """The model, its server or the network failed. `transient` means that a retry may succeed."""

    exit_code = ExitCode.MODEL
    code = "model"

    def __init__(self, message: str, *, hint: str = "", transient: bool = False) -> None:
        super().__init__(message, hint=hint)
        self.transient = transient


class ContextLengthError(ModelError):
    """The server refused a prompt as longer than its window.

    `limit` and `counted` are the server's numbers in tokens, if its message states them.
    """

    code = "context_length"

    def __init__(self, message: str, *, hint: str = "", limit: int | None = None, counted: int | None = None) -> None:
        super().__init__(message, hint=hint)
        self.limit = limit
        self.counted = counted


class ReplyLengthError(ModelError):
    """The model used up the reply's tokens before it returned any text, usually on reasoning."""

    code = "reply_length"


class ModelLoadingError(ModelError):
    """The server is still loading the model; retry later."""

    code = "loading"

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message, hint=hint, transient=True)


class RateLimitError(ModelError):
    """The server's rate limit was reached, after the client's own retries.

    `retry_after_s` is the wait in seconds that the server requests, if it states one.
    """

    code = "rate_limit"

    def __init__(self, message: str, *, hint: str = "", retry_after_s: float | None = None) -> None:
        super().__init__(message, hint=hint, transient=True)
        self.retry_after_s = retry_after_s
