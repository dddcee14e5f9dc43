"""docs/configuration.md says of every setting what the code says."""

import json
import tomllib
from pathlib import Path

from memgpt_cli.config.option import Option
from memgpt_cli.config.options import OPTIONS
from memgpt_cli.config.resources import packaged

ROOT = Path(__file__).resolve().parents[2]


PAGE = ROOT / "docs" / "configuration.md"
HEADING = "## Every setting\n"


def table() -> list[str]:
    defaults = tomllib.loads(packaged("configs", "default.toml").read_text(encoding="utf-8"))
    return [row(option, defaults) for option in OPTIONS]


def row(option: Option, defaults: dict[str, dict[str, object]]) -> str:
    section, _, name = option.key.partition(".")
    value = defaults.get(section, {}).get(name)
    default = "" if value is None else f"`{value if isinstance(value, str) else json.dumps(value)}`"
    return f"| `{option.key}`{'' if option.harmless else ' †'} | {default} | {option.expected} | {option.help} |"


def test_the_table_of_settings_is_the_table_of_the_code() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").split(HEADING)[1].splitlines() if line.startswith("| `")]
    assert rows == table(), "to write it anew: PYTHONPATH=. python tests/config/test_docs.py"


def test_every_example_of_a_key_in_the_docs_exists() -> None:
    text = PAGE.read_text(encoding="utf-8")
    words = {word.strip("`.,;)") for line in text.splitlines() if "memgpt config" in line for word in line.split()}
    keys = {word for word in words if word.count(".") == 1 and word.replace(".", "").replace("_", "").isalpha()}
    assert keys & {"window.tokens"}
    assert {key for key in keys if not key.endswith((".toml", ".json"))} <= {option.key for option in OPTIONS}


if __name__ == "__main__":
    before, _, after = PAGE.read_text(encoding="utf-8").partition(HEADING)
    others = [line for line in after.splitlines() if not line.startswith("| `")]
    rule = others.index("|---|---|---|---|") + 1
    PAGE.write_text("\n".join([before + HEADING, *others[1:rule], *table(), *others[rule:], ""]), encoding="utf-8")
