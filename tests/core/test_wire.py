"""Dataclasses to JSON objects and back."""

from dataclasses import dataclass, field
from typing import Literal

import pytest

from tfai_jupyter.core.wire import from_json, to_json


@dataclass(frozen=True)
class Leaf:
    """A part with a key of another name."""

    colour: str
    imported: int = field(default=0, metadata={"key": "import"})


@dataclass(frozen=True)
class Tree:
    """All shapes a field can have."""

    name: Literal["oak", "elm"]
    leaves: tuple[Leaf, ...] = ()
    best: Leaf | None = None
    height: float | None = None
    notes: dict[str, object] = field(default_factory=dict)
    rings: tuple[tuple[int | None, ...], ...] = ()
    climb: object = field(default=None, metadata={"wire": False})


FULL = Tree("oak", (Leaf("red"), Leaf("green", 2)), Leaf("gold"), 2.5, {"tags": ["a", None]}, ((1, None), (2,)))


def test_every_shape_survives_the_way_there_and_back():
    """Nested records, tuples of tuples, options and mappings come back as they were."""
    assert FULL == from_json(Tree, to_json(FULL))


def test_what_is_none_is_left_out_but_not_inside_lists():
    """A field that is None has no key, while a list keeps its place for nothing."""
    assert {"name": "elm", "leaves": [], "notes": {}, "rings": []} == to_json(Tree("elm"))
    assert [[1, None], [2]] == to_json(FULL)["rings"]


def test_a_field_may_have_another_name_or_stay_at_home():
    """`import` is a keyword in Python but a key in JSON; a function never travels."""
    assert {"colour": "red", "import": 2} == to_json(Leaf("red", 2))
    assert "climb" not in to_json(Tree("oak", climb=print))


def test_unknown_keys_are_ignored_so_that_an_older_reader_survives():
    """A newer writer may add a field."""
    assert Leaf("red") == from_json(Leaf, {"colour": "red", "smell": "sweet"})


def test_a_word_outside_a_closed_vocabulary_is_refused():
    """Nobody goes on with a value that cannot be."""
    with pytest.raises(ValueError, match="'ash' is not one of 'oak', 'elm'"):
        from_json(Tree, {"name": "ash"})


def test_null_for_an_option_is_none():
    """A writer that sends null means the same as one that leaves the key out."""
    assert Tree("oak") == from_json(Tree, {"name": "oak", "best": None, "height": None})
