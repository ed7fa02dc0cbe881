"""Where a picture comes from, written into its file for whoever opens it anywhere."""

import re
from dataclasses import dataclass
from datetime import datetime
from xml.sax.saxutils import escape, quoteattr

from PIL.ExifTags import IFD, Base
from PIL.Image import Exif
from PIL.PngImagePlugin import PngInfo

_SOFTWARE = "Hexwave"
_SOURCE_TYPES = "http://cv.iptc.org/newscodes/digitalsourcetype/"
# What XML 1.0 has no place for, and no encoding either.
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


@dataclass(frozen=True)
class Origin:
    """What a picture was asked for, of whom and when; `ai` is false for what was drawn by rules."""

    prompt: str
    negative_prompt: str | None
    seed: int | None
    model: str | None
    provider: str
    process_id: str
    created_at: datetime
    ai: bool

    def xmp(self) -> bytes:
        """An XMP packet (ISO 16684-1) with the IPTC's digital source type."""
        kind = "trainedAlgorithmicMedia" if self.ai else "algorithmicMedia"
        created = self.created_at.isoformat()
        values = {
            "xmp:CreatorTool": _SOFTWARE,
            "xmp:CreateDate": created,
            "Iptc4xmpExt:DigitalSourceType": _SOURCE_TYPES + kind,
            "hexwave:NegativePrompt": self.negative_prompt,
            "hexwave:Seed": self.seed,
            "hexwave:Model": self.model,
            "hexwave:Provider": self.provider,
            "hexwave:ProcessId": self.process_id,
        }
        attributes = "\n    ".join(
            f"{name}={quoteattr(_writable(str(value)))}"
            for name, value in values.items()
            if value is not None
        )
        return f"""<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about=""
    xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:xmp="http://ns.adobe.com/xap/1.0/"
    xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
    xmlns:hexwave="urn:hexwave:origin:"
    {attributes}>
   <dc:description>
    <rdf:Alt><rdf:li xml:lang="x-default">{escape(_writable(self.prompt))}</rdf:li></rdf:Alt>
   </dc:description>
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="r"?>""".encode()

    def tags(self) -> dict[str, str]:
        """What players show of a video."""
        return {"title": _writable(self.prompt), "comment": _SOFTWARE}

    def png_text(self, size: tuple[int, int]) -> PngInfo:
        """A PNG's text chunks: the packet, two of the standard's keywords, and `parameters`."""
        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", self.xmp().decode())
        for keyword, text in (
            ("Software", _SOFTWARE),
            ("Description", _writable(self.prompt)),
            ("parameters", self.parameters(size)),
        ):
            info.add_text(keyword, text)
        return info

    def exif(self, size: tuple[int, int]) -> Exif:
        exif = Exif()
        # Pillow would write text as ASCII; readers take these for UTF-8.
        exif[Base.ImageDescription] = _writable(self.prompt).encode()
        exif[Base.Software] = _SOFTWARE
        exif.get_ifd(IFD.Exif)[Base.UserComment] = b"UNICODE\0" + self.parameters(size).encode("utf-16-be")
        return exif

    def parameters(self, size: tuple[int, int]) -> str:
        """In the form of the Stable Diffusion web UI, which most of the picture tools read."""
        lines = [self.prompt]
        if self.negative_prompt:
            lines.append(f"Negative prompt: {self.negative_prompt}")
        settings = {
            "Seed": self.seed,
            "Size": f"{size[0]}x{size[1]}",
            "Model": self.model,
            "Version": _SOFTWARE,
        }
        lines.append(", ".join(f"{name}: {value}" for name, value in settings.items() if value is not None))
        return _writable("\n".join(lines))


def _writable(text: str) -> str:
    return _UNWRITABLE.sub("", text)
