"""The rules of the house, read from the source: who may import whom, what things are called, what is never used."""

import ast
import functools
from pathlib import Path

_ROOT = Path(__file__).parents[1]
_PRODUCT = sorted([*(_ROOT / "hpo_core").rglob("*.py"), *(_ROOT / "pages").rglob("*.py"), _ROOT / "app.py"])
_ALL = sorted({*_PRODUCT, *(_ROOT / "tests").rglob("*.py")})

# From the ground up; a part imports from floors below, and from itself. The names are modules or folders of hpo_core.
_FLOORS = (
    {"errors", "formats", "fit_result"},
    {"parameters", "discovery", "options", "pareto", "warping", "glossary"},
    {"ranges", "pruning"},
    {"space"},
    {"cube", "gaussian_process", "preparation", "schedule"},
    {"acquisition", "datasets"},
    {"models", "landscapes", "metrics", "protocol"},
    {"training"},
    {"problem"},
    {"hypergradients", "picture"},
    {"worker", "studies", "methods"},
    {"nursery"},
    {"analysis"},
    {"search"},
    {"plots"},
    {"export"},
    {"lessons"},
    {"cli"},
)  # fmt: skip
_FLOOR_OF = {part: floor for floor, parts in enumerate(_FLOORS) for part in parts}
_MOST_LINES = 450
_UNPICKLERS = {"pickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
_VAGUE = {"utils", "helpers", "common", "manager"}


def _each(files):
    """Makes a check of one file a test of all: it names every file that breaks the rule."""

    def over_all(check):
        @functools.wraps(check, updated=())
        def test():
            faults = []
            for file in files:
                try:
                    check(file)
                except AssertionError as fault:
                    faults.append(f"{file.relative_to(_ROOT)}: {fault}")
            assert not faults, "\n".join(faults)

        del test.__wrapped__  # or pytest asks it for its arguments
        return test

    return over_all


@functools.cache
def _nodes(file):
    return tuple(ast.walk(ast.parse(file.read_text())))


def _imports(file):
    """Every imported dotted name, inside functions too."""
    for node in _nodes(file):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file.name}:{node.lineno} imports relatively"
            yield from ((f"{node.module}.{alias.name}", node) for alias in node.names)


def _part_of(file):
    inside = file.relative_to(_ROOT / "hpo_core")
    return inside.parts[0].removesuffix(".py")


def _engine_files():
    return [f for f in _PRODUCT if (_ROOT / "hpo_core") in f.parents and _part_of(f) not in ("__init__", "__main__")]


@_each(_engine_files())
def test_a_floor_imports_only_from_floors_below(file):
    own = _part_of(file)
    assert own in _FLOOR_OF, f"{own} has no floor yet: give it one here and in the design"
    for name, node in _imports(file):
        if name.startswith("hpo_core."):
            other = name.split(".")[1]
            is_below = other == own or _FLOOR_OF[other] < _FLOOR_OF[own]
            assert is_below, f"line {node.lineno}: {own} must not import from {other}"


@_each(_engine_files())
def test_the_engine_knows_no_screen(file):
    for name, node in _imports(file):
        top = name.split(".")[0]
        assert top not in ("streamlit", "pages", "app"), f"line {node.lineno} imports {name}"


@_each([f for f in _PRODUCT if (_ROOT / "pages" / "_shared") not in f.parents])
def test_session_state_and_caches_have_one_home(file):
    for node in _nodes(file):
        name = node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""
        assert name not in ("session_state", "cache_data", "cache_resource"), f"line {node.lineno}: {name}"


@_each(_PRODUCT)
def test_underscored_names_stay_at_home(file):
    """A name belongs to its module; a module belongs to its folder."""
    modules = {}
    for name, node in _imports(file):
        module, _, imported = name.rpartition(".")
        if name.split(".")[0] not in ("hpo_core", "pages"):
            continue
        path = _ROOT.joinpath(*name.split("."))
        is_module = path.with_suffix(".py").exists() or path.is_dir()
        folder = path.parent if is_module else _ROOT.joinpath(*module.split(".")).parent
        if is_module and isinstance(node, ast.ImportFrom):
            modules[imported] = name
        private = [p for p in (name if is_module else module).split(".") if p.startswith("_") and p != "_shared"]
        assert not private or folder == file.parent, f"line {node.lineno} imports {name} of another folder"
        assert is_module or not imported.startswith("_"), f"line {node.lineno} imports the name {name}"
    for node in _nodes(file):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            assert not node.attr.startswith("_"), f"line {node.lineno}: {node.value.id}.{node.attr}"


@_each(_ALL)
def test_files_are_short_and_called_by_what_they_hold(file):
    assert file.stem.strip("_") not in _VAGUE, "a vague name"
    n_lines = len(file.read_text().splitlines())
    assert n_lines <= _MOST_LINES, f"{n_lines} lines"


@_each(_PRODUCT)
def test_nothing_is_executed_that_came_as_data(file):
    """No unpickling, no evaluation of text: what a study, a URL or a file holds is data and stays so."""
    for name, node in _imports(file):
        is_whole_module = isinstance(node, ast.Import) and node.names[0].asname is None
        assert name.split(".")[0] not in _UNPICKLERS or is_whole_module, f"line {node.lineno} imports {name}"
    for node in _nodes(file):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        assert called not in ("eval", "exec", "compile", "__import__", "os.system"), f"line {node.lineno}: {called}"
        module, _, function = called.rpartition(".")
        assert module not in _UNPICKLERS or function.startswith("dump"), f"line {node.lineno}: {called}"
        assert not any(k.arg == "shell" and ast.unparse(k.value) != "False" for k in node.keywords), called


def test_the_rules_see_the_whole_house():
    assert len(_PRODUCT) > 80
    assert {_part_of(f) for f in _engine_files()} >= {"space", "problem", "studies", "methods", "search", "cli"}
