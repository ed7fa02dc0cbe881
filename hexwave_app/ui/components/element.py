"""The custom elements which hexwave.js defines."""

from reflex_components_core.el.element import Element


class CustomElement(Element):
    """`tag` is written with an underscore: Reflex makes JavaScript names of tags, and `hw-ago` is none."""

    def _get_tag_name(self) -> str:
        return f'"{(self.tag or "").replace("_", "-")}"'
