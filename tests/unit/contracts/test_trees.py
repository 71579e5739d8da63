"""Every function has a tree of its branches; each branch that ends in an outcome has the test of its name.

A tree's first line names the function; below it stand conditions (`given` a state, `when` an argument) and,
under them, outcomes (`it …`). The name of a condition's test is the condition's own words.
"""

import ast
import re
from pathlib import Path

import pytest

HERE = Path(__file__).parent
TREES = sorted(HERE.glob("*.tree"))
WITHOUT_TREE = {"test_trees"}


def branches(tree: Path) -> list[str]:
    """The conditions of a tree under which an outcome stands, as names of tests."""
    found, path = [], {}
    for line in tree.read_text().splitlines()[1:]:
        depth = len(re.match(r"[\s│├└─]*", line)[0])
        words = line[depth:].strip()
        if not words.startswith("it "):
            path = {at: name for at, name in path.items() if at < depth} | {depth: words}
            continue
        over = path[max(at for at in path if at < depth)]
        if over not in found:
            found.append(over)
    return ["test_" + re.sub(r"\W+", "_", name.replace("'", "")).strip("_") for name in found]


def written_in(module: Path) -> list[str]:
    nodes = ast.walk(ast.parse(module.read_text()))
    return [
        node.name for node in nodes if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    ]


@pytest.mark.parametrize("tree", TREES, ids=lambda tree: tree.stem)
def test_every_branch_has_its_test_and_every_test_its_branch(tree):
    planned, written = branches(tree), written_in(HERE / f"test_{tree.stem}.py")
    assert planned
    assert len(planned) == len(set(planned)), "two conditions of one name"
    assert sorted(written) == sorted(planned)


def test_every_module_has_its_tree():
    modules = {module.stem for module in HERE.glob("test_*.py")} - WITHOUT_TREE
    assert modules == {f"test_{tree.stem}" for tree in TREES}
