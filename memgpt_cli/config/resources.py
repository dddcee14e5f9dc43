"""Where the packaged prompts and configs are: beside the code in an installed package, else in the checkout.

The one place that knows; nothing here reads them.
"""

from pathlib import Path

from memgpt_cli.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parent.parent


def packaged(folder: str, name: str) -> Path:
    """The file `name` of `prompts` or `configs`, as wheels (`memgpt_cli/_data/...`) or checkouts have it.

    Raises ConfigError when it is in neither place.
    """
    for root in (_PACKAGE / "_data", _PACKAGE.parent):
        path = root / folder / name
        if path.is_file():
            return path
    raise ConfigError(
        f"the package holds no {folder}/{name}",
        hint="the installation is incomplete: pip install --force-reinstall memgpt-cli",
    )
