"""docs/configuration.md says of every setting what the code says."""

import tomllib
from pathlib import Path

from memgpt_cli.config.options import OPTIONS, Option
from memgpt_cli.config.resources import packaged

ROOT = Path(__file__).resolve().parents[2]


def row(option: Option, defaults: dict[str, dict[str, object]]) -> str:
    section, _, name = option.key.partition(".")
    value = defaults.get(section, {}).get(name)
    default = "" if value is None else f"`{str(value).lower() if isinstance(value, bool) else value}`"
    return f"| `{option.key}`{' †' if option.guarded else ''} | {default} | {option.expected} | {option.help} |"


def test_the_table_of_settings_is_the_table_of_the_code() -> None:
    defaults = tomllib.loads(packaged("configs", "default.toml").read_text(encoding="utf-8"))
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    rows = [line for line in text.split("## Every setting")[1].splitlines() if line.startswith("| `")]
    wanted = [row(option, defaults) for option in OPTIONS]
    assert rows == wanted, "the rows of the table must be:\n" + "\n".join(wanted)


def test_every_example_of_a_key_in_the_docs_exists() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text(encoding="utf-8")
    words = {word.strip("`.,;)") for line in text.splitlines() if "memgpt config" in line for word in line.split()}
    keys = {word for word in words if word.count(".") == 1 and word.replace(".", "").replace("_", "").isalpha()}
    assert keys & {"window.tokens"}
    assert {key for key in keys if not key.endswith((".toml", ".json"))} <= {option.key for option in OPTIONS}
