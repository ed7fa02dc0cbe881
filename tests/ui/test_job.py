"""A process as pages show it, whichever tool it is of."""

from typing import Any

import pytest

from hexwave_app.processes import Process, ProcessStatus, ProviderJob
from hexwave_app.processes.model import KeptPicture
from hexwave_app.processes.transition import Progressed, transition
from hexwave_app.ui.fact import facts
from hexwave_app.ui.job import Job, Standing, frames, outcome

CLIP = {"prompt": "sea", "aspectRatio": "9:16", "seconds": 4, "camera": "pan-left", "seed": 7}


def process(tool: str, req: dict[str, Any]) -> Process:
    provider = ProviderJob(name="demo", model="painter")
    return Process.begin(user_id="g_a", tool_name=tool, category="video", req=req, provider=provider)


@pytest.mark.parametrize(
    ("req", "parameters", "size"),
    [
        (CLIP, "9:16 · 4 s · pan left · seed 7", (9, 16)),
        ({"prompt": "sea", "picture": "p_1/0", "scale": 2}, "2 times as large", (1, 1)),
        ({}, "", (1, 1)),
    ],
)
def test_a_job_of_any_tool_can_be_shown(req: dict[str, Any], parameters: str, size: tuple[int, int]) -> None:
    """What it has no word for is left out; nothing that another tool asks for is missed."""
    begun = process("some-tool", req)
    job = Job.of(begun)
    assert (job.parameters, (job.width, job.height)) == (parameters, size)
    assert job.prompt == req.get("prompt", "some-tool")
    assert Standing.of(begun).running
    assert len(frames(begun)) == 1
    assert facts(begun, "Demo painter")[0].value == "Demo painter"


def test_one_that_waits_says_how_many_come_first() -> None:
    """Where its provider tells."""
    queued = process("some-tool", {})
    assert Standing.of(queued).figure == ""
    queued = transition(queued, Progressed(ahead=2), queued.updated_at)
    assert (Standing.of(queued).word, Standing.of(queued).figure) == ("Queued", "2 ahead")


def test_a_clip_is_shown_by_its_thumbnail() -> None:
    """In its own size, as something that plays."""
    begun = process("video-generator", CLIP)
    kept = KeptPicture(width=432, height=768, colour="#000000", blur="AAAA", seconds=4.0)
    data = begun.data.model_copy(update={"generations": ("/media/p_1/0.mp4",), "pictures": (kept,)})
    done = begun.model_copy(update={"status": ProcessStatus.COMPLETED, "data": data})
    [frame] = frames(done)
    assert (frame.shown, frame.full, frame.clip) == ("/media/p_1/0-512.webp", "/media/p_1/0.mp4", True)
    assert (frame.duration, frame.blur) == ("0:04", "data:image/webp;base64,AAAA")
    assert outcome(done) == "1 clip ready"
    assert (Job.of(done).width, Job.of(done).height) == (432, 768)
    assert {fact.name: fact.value for fact in facts(done, "Demo painter")} == {
        **{"Model": "Demo painter", "Shape": "9:16, 432 × 768", "Length": "4 s"},
        **{"Camera": "pan left", "Seed": "7"},
    }
