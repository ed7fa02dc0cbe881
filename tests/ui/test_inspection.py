"""What the Inspector shows, in words and figures."""

import json

from hexwave_app.activity.samples import Samples
from hexwave_app.health.check import Check, State
from hexwave_app.processes import Completed, Process, Progressed, ProviderJob, Submitted, transition
from hexwave_app.processes.model import utc_now
from hexwave_app.ui.inspection import Found, Tile, duration, sparkline


def finished() -> Process:
    process = Process.begin(
        user_id="g_a",
        tool_name="image-generator",
        category="image",
        req={"prompt": "sea", "aspectRatio": "1:1", "count": 1},
        provider=ProviderJob(name="demo"),
    )
    for update in (Submitted("job"), Progressed(8), Progressed(96), Completed(("/media/p/0.webp",))):
        process = transition(process, update, utc_now())
    return process


def test_a_process_is_shown_without_what_is_secret() -> None:
    """Neither the provider's answer, nor what opens a shared link."""
    secret = finished().model_copy(update={"answer": {"results": ["https://x/?sig=1"]}, "share": "nonce"})
    document = json.loads(Found.of(secret, "").document)
    assert document["processId"] == secret.process_id
    assert not {"answer", "share"} & document.keys()


def test_progress_is_one_step_of_the_short_timeline() -> None:
    steps = [step.title for step in Found.of(finished(), "").steps]
    assert steps == ["Created", "Sent to provider", "Progress 8 → 96%", "Saved"]


def test_a_tile_that_is_down_says_what_to_do_instead_of_figures() -> None:
    times = Samples()
    times.add(0.003)
    times.add(0.005)
    well = Tile.of(Check("store", "MongoDB", State.HEALTHY, "Takes writes", "Not needed"), times)
    assert (well.figure, well.unit, well.remedy) == ("4.0", "ms median", "")
    assert well.detail == "p95 5.0 ms, takes writes"
    down = Tile.of(Check("store", "MongoDB", State.DOWN, "No answer in 5 s.", "Start it."), times)
    assert (down.figure, down.tone, down.detail, down.remedy) == (
        "",
        "down",
        "No answer in 5 s.",
        "Start it.",
    )


def test_a_sparkline_needs_two_points_and_stays_inside() -> None:
    assert sparkline([1.0], 100, 30) == ""
    points = [tuple(map(float, point.split(","))) for point in sparkline([0, 2, 1], 100, 30).split()]
    assert [x for x, _ in points] == [0, 48.5, 97]
    assert [y for _, y in points] == [27, 3, 15]


def test_durations_have_the_unit_that_fits() -> None:
    assert [duration(each) for each in (None, 0.00001, 0.0034, 0.25, 2.14)] == [
        *("", "0.1 ms", "3.4 ms", "250 ms", "2.1 s"),
    ]
