"""The page of settings: made from the list, and current."""

from config import docs
from config.env import VARIABLES


def test_it_is_current():
    assert docs.PAGE.read_text(encoding="utf-8") == docs.settings_page(), "run: python -m config.docs"


def test_it_says_of_every_variable_what_it_is_for():
    page = docs.settings_page()
    assert [
        variable.name
        for variable in VARIABLES
        if f"| `{variable.name}` | {variable.help}" not in page.replace("\\<", "<")
    ] == []


def test_it_finds_a_page_that_is_not_current(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(docs, "PAGE", tmp_path / "settings.md")
    assert docs.main(["--check"]) == 1
    assert docs.main([]) == 0
    assert docs.main(["--check"]) == 0
    (tmp_path / "settings.md").write_text("old")
    assert docs.main(["--check"]) == 1
    assert "python -m config.docs" in capsys.readouterr().err
