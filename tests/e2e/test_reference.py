"""A picture of one's own, for pictures to be made of."""

import base64
import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, expect

from tests.e2e.conftest import PATIENCE
from tests.e2e.test_journey import HARBOUR, done, generate

expect.set_options(timeout=PATIENCE)

TRANSFER = """([content, type]) => {
  const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
  const transfer = new DataTransfer();
  transfer.items.add(new File([bytes], "picture", { type }));
  return transfer;
}"""


def png() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (80, 60), "teal").save(buffer, "PNG")
    return buffer.getvalue()


def bring(page: Page, event: str, target: str, kind: str = "image/png") -> None:
    """Let go of a file over the target, or paste it there."""
    files = page.evaluate_handle(TRANSFER, [base64.b64encode(png()).decode(), kind])
    page.evaluate(
        """([event, target, files]) => {
          const Kind = event === "paste" ? ClipboardEvent : DragEvent;
          const key = event === "paste" ? "clipboardData" : "dataTransfer";
          const init = { [key]: files, bubbles: true, cancelable: true };
          document.querySelector(target).dispatchEvent(new Kind(event, init));
        }""",
        [event, target, files],
    )


def test_a_chosen_picture_is_what_the_next_is_made_of(page: Page, tmp_path: Path) -> None:
    """It stays through a reload and comes back with a remix; removed, it is sent no more."""
    file, remove = tmp_path / "mine.png", page.get_by_role("button", name="Remove reference")
    file.write_bytes(png())
    expect(remove).to_be_hidden()
    with page.expect_file_chooser() as chooser:
        page.get_by_role("button", name="Reference", exact=True).click()
    chooser.value.set_files(file)
    expect(remove).to_be_visible()
    page.reload()
    expect(page.get_by_role("img", name="Reference", exact=True)).to_be_visible()
    row = generate(page, HARBOUR)
    expect(row).to_contain_text("with a reference")
    done(row)
    expect(row).to_contain_text("repaints the reference")
    remove.click()
    expect(remove).to_be_hidden()
    expect(page.get_by_role("textbox", name="Describe a picture")).to_be_focused()
    plain = generate(page, "A second harbour")
    done(plain)
    expect(plain).not_to_contain_text("with a reference")
    earlier = page.locator("article").filter(has_text="with a reference")
    earlier.get_by_role("button", name="Remix").click()
    expect(remove).to_be_visible()


def test_a_picture_can_be_dropped_or_pasted(page: Page) -> None:
    """The bar says where; what is no picture is refused in it, and changes nothing."""
    remove = page.get_by_role("button", name="Remove reference")
    bring(page, "dragover", "#hw-prompt")
    expect(page.get_by_text("Drop to use as a reference")).to_be_visible()
    bring(page, "drop", "#hw-prompt", "text/plain")
    expect(page.get_by_text("Drop to use as a reference")).to_be_hidden()
    expect(page.get_by_role("alert")).to_have_text("That file is not a PNG, JPEG or WebP.")
    expect(remove).to_be_hidden()
    for event in ("drop", "paste"):
        bring(page, event, "#hw-prompt")
        expect(page.get_by_role("img", name="Reference", exact=True)).to_be_visible()
        expect(page.get_by_role("alert")).to_have_count(0)
        remove.click()
        expect(remove).to_be_hidden()
