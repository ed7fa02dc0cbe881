"""The stylesheets of the pages, all of which every page loads."""

import re
from itertools import combinations

from hexwave_app.ui.theme import ASSETS, STYLESHEETS

_CLASS = re.compile(r"\.(hw-[a-z0-9-]+)")


def classes(name: str) -> set[str]:
    return set(_CLASS.findall((ASSETS / name).read_text()))


def test_a_page_styles_no_class_of_another_page() -> None:
    """What two pages share is in the shared stylesheet; else one would change how the other looks."""
    shared, *pages = STYLESHEETS
    clashes = {
        (one, other): found
        for one, other in combinations(pages, 2)
        if (found := classes(one) & classes(other) - classes(shared))
    }
    assert clashes == {}
    assert all(classes(name) for name in pages)
