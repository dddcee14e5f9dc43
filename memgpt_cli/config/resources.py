"""Locate the packaged prompts and configs: beside the code in an installed package, else in the checkout."""

from pathlib import Path

from memgpt_cli.errors import ConfigError

_PACKAGE = Path(__file__).resolve().parent.parent


def packaged(folder: str, name: str) -> Path:
    """Return the file `name` of `prompts` or `configs`, from a wheel (`memgpt_cli/_data/...`) or a checkout.

    Raises ConfigError if it is in neither place.
    """
    for root in (_PACKAGE / "_data", _PACKAGE.parent):
        path = root / folder / name
        if path.is_file():
            return path
    raise ConfigError(
        f"the package holds no {folder}/{name}",
        hint="the installation is incomplete: pip install --force-reinstall memgpt-cli",
    )
