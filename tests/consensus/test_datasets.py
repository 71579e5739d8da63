"""The shipped datasets are what their papers and `meta.json` say."""

import pytest

from earnest import datasets
from earnest.consensus.table import LabelTable, RatingTable


@pytest.mark.parametrize("name", datasets.CATEGORICAL + datasets.RATINGS)
def test_counts_are_those_of_the_source(name):
    data = datasets.load(name)
    assert isinstance(data.table, RatingTable if name in datasets.RATINGS else LabelTable)
    assert len(data.table.tasks) == data.meta["tasks"]
    assert len(data.table.workers) == data.meta["workers"]
    assert len(data.table) == data.meta["labels"]
    assert len(data.truth) == data.meta["gold"]
    assert set(data.truth) <= set(data.table.tasks)


def test_every_set_names_its_source():
    sources = (datasets.FOLDER / "SOURCES.md").read_text(encoding="utf-8")
    for name in datasets.CATEGORICAL + datasets.RATINGS:
        assert f"`{name}`" in sources
        assert datasets.load(name).meta["repo"].split("/")[1] in sources


def test_an_unknown_set_is_refused():
    with pytest.raises(ValueError, match="'birds'; there are bluebird"):
        datasets.load("birds")
