"""Prompts and configs travel with the package: in a wheel, in a source distribution, in an editable install."""

import subprocess
import sys
import zipfile
from pathlib import Path

WHERE = "from memgpt_cli.config.resources import packaged; print(packaged('prompts', 'summary.md').read_bytes())"


def names(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def run(code: str, *, site: Path, directory: Path) -> str:
    """Python with `site` as its first site-packages folder, started somewhere else."""
    start = f"import site, sys; site.addsitedir({str(site)!r}); sys.path.insert(0, {str(site)!r})\n{code}"
    done = subprocess.run(
        [sys.executable, "-P", "-c", start], cwd=directory, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_every_prompt_and_config_and_no_test(wheel: Path, checkout: Path) -> None:
    held = names(wheel)
    for folder in ("prompts", "configs"):
        for path in (checkout / folder).iterdir():
            assert f"memgpt_cli/_data/{folder}/{path.name}" in held
    assert not any("test" in Path(name).parts[0] for name in held)
    assert {Path(name).parts[0] for name in held} == {
        "memgpt_cli",
        next(n for n in held if "METADATA" in n).split("/")[0],
    }
    assert not [name for name in held if name.startswith("memgpt_cli/_data") and name.endswith(".py")]


def test_every_module_and_table_of_the_checkout_is_in_the_wheel(wheel: Path, checkout: Path) -> None:
    package = checkout / "memgpt_cli"
    files = {
        p.relative_to(checkout).as_posix() for p in package.rglob("*") if p.is_file() and "__pycache__" not in p.parts
    }
    assert files <= names(wheel)


def test_the_source_distribution_builds_the_same_wheel(wheel: Path, wheel_of_sdist: Path) -> None:
    assert names(wheel_of_sdist) == names(wheel)


def test_an_installed_package_reads_its_own_data(installed: Path, checkout: Path, tmp_path: Path) -> None:
    found = run("import memgpt_cli; print(memgpt_cli.__file__);" + WHERE, site=installed, directory=tmp_path)
    module, content = found.splitlines()
    assert Path(module).is_relative_to(installed)
    assert content == str((checkout / "prompts" / "summary.md").read_bytes())
    (installed / "memgpt_cli" / "_data" / "prompts" / "summary.md").touch()
    assert str(installed) in run(WHERE.replace(".read_bytes()", ""), site=installed, directory=tmp_path)


def test_an_editable_install_reads_the_checkout_so_that_an_edited_prompt_counts(
    editable: Path, checkout: Path, tmp_path: Path
) -> None:
    (path_file,) = editable.glob("*.pth")
    assert path_file.read_text().strip() == str(checkout)
    found = run(WHERE.replace(".read_bytes()", ""), site=editable, directory=tmp_path)
    assert found.strip() == str(checkout / "prompts" / "summary.md")


def test_the_metadata_says_what_it_is(installed: Path) -> None:
    (metadata,) = installed.glob("memgpt_cli-*.dist-info/METADATA")
    text = metadata.read_text()
    assert "\nName: memgpt-cli\n" in text
    assert "\nRequires-Python: >=3.11\n" in text
    assert "\nLicense-Expression: MIT\n" in text
    (entry_points,) = installed.glob("memgpt_cli-*.dist-info/entry_points.txt")
    assert "memgpt = memgpt_cli.__main__:main" in entry_points.read_text()


def test_an_installed_memgpt_talks_in_an_empty_home_without_key_or_network(installed: Path, tmp_path: Path) -> None:
    """The end of the README's first line, from a wheel; CI runs the whole line."""
    home = tmp_path / "home"
    home.mkdir()
    talk = "My name is Ada and I live in Lisbon.\nWhere do I live?\n"
    done = subprocess.run(
        [sys.executable, "-P", "-m", "memgpt_cli", "chat"],
        input=talk,
        cwd=tmp_path,
        env={"HOME": str(home), "USERPROFILE": str(home), "PYTHONPATH": str(installed), "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "Lisbon" in done.stdout
    assert "offline" in done.stderr.lower()
    assert any(home.rglob("agent.db"))
