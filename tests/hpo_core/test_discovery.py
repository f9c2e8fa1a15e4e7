"""Discovery over packages written for the test: what is right is found, what is wrong fails loudly."""

import sys
from dataclasses import dataclass

import pytest

from hpo_core.discovery import Catalogue, why_not_installed
from hpo_core.errors import DiscoveryError, UsageError

_THING = "from tests_things import Thing\n"


@dataclass(frozen=True, kw_only=True)
class Thing:
    key: str
    label: str
    purpose: str


@pytest.fixture
def catalogue_of(tmp_path, monkeypatch):
    """Makes a package of these files and the catalogue over it."""
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setitem(sys.modules, "tests_things", sys.modules[__name__])

    def make(**files):
        package = tmp_path / "things_of_a_test"
        package.mkdir()
        (package / "__init__.py").write_text("")
        for name, text in files.items():
            (package / f"{name}.py").write_text(_THING + text)
        return Catalogue(package.name, Thing, "thing")

    yield make
    for name in [n for n in sys.modules if n.startswith("things_of_a_test")]:
        del sys.modules[name]


def _declared(key, **fields):
    values = {"key": key, "label": "A thing", "purpose": "To be found.", **fields}
    return f"ITEM_{key} = Thing({', '.join(f'{n}={v!r}' for n, v in values.items() if v is not None)})\n"


def test_items_are_found_by_key_in_the_order_of_their_files(catalogue_of):
    things = catalogue_of(b=_declared("second"), a=_declared("first"), _private="raise RuntimeError")
    assert things.keys == ("first", "second")
    assert [t.key for t in things] == ["first", "second"]
    assert things["second"].label == "A thing"
    assert "first" in things
    assert "third" not in things
    assert len(things) == 2


def test_one_file_may_declare_several_items(catalogue_of):
    assert catalogue_of(both=_declared("one") + _declared("two")).keys == ("one", "two")


def test_unknown_key_is_refused_with_the_known_ones(catalogue_of):
    with pytest.raises(UsageError, match="There is no thing 'third'; there are first, second"):
        catalogue_of(a=_declared("first"), b=_declared("second"))["third"]


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (
            {"a": _declared("same"), "b": _declared("same")},
            "things_of_a_test.b declares the thing 'same' a second time",
        ),
        ({"a": _declared("one", label="")}, "A thing in things_of_a_test.a has no label"),
        ({"a": _declared("", label="", purpose="")}, "has no key and no label and no purpose"),
        ({"a": _declared("one", purpose=None)}, "things_of_a_test.a cannot be loaded: TypeError: .*purpose"),
        ({"a": "x = 1 +"}, "things_of_a_test.a cannot be loaded: SyntaxError"),
        ({"a": "1 / 0"}, "things_of_a_test.a cannot be loaded: ZeroDivisionError"),
        ({"a": "import no_such_module_at_all"}, "cannot be loaded: ModuleNotFoundError"),
        ({"a": "x = 1"}, "things_of_a_test.a declares no thing"),
    ],
    ids=["duplicate", "empty field", "all empty", "missing field", "syntax", "raises", "missing import", "nothing"],
)
def test_a_wrong_file_fails_loudly(catalogue_of, files, words):
    things = catalogue_of(**files)
    with pytest.raises(DiscoveryError, match=words):
        len(things)


def test_an_item_without_the_attributes_at_all_is_named(catalogue_of):
    things = catalogue_of(a="class Bare(Thing):\n    def __init__(self): pass\nBARE = Bare()\n")
    with pytest.raises(DiscoveryError, match="has no key and no label and no purpose"):
        len(things)


def test_missing_optional_dependency_is_a_sentence_not_an_exception():
    assert why_not_installed("no_such_module_at_all", package="some-thing") == "not installed: pip install some-thing"
    assert why_not_installed("json", package="json") is None
