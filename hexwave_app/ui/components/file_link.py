"""Links to files and to places on the page, where `rx.el.a` is a link of the client's router to pages."""

import reflex as rx
from reflex_components_core.el.elements.inline import A


def file_link(*children: rx.Component | str, **props) -> rx.Component:
    return A.create(*children, **props)
