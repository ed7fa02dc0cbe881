"""The timeline in people's words: what is folded, what is greyed, and from where time is counted."""

from datetime import timedelta

from hexwave_app.processes import (
    Answered,
    Completed,
    Failed,
    Process,
    Progressed,
    ProviderJob,
    Source,
    Submitted,
    transition,
)
from hexwave_app.processes.model import EventType, ProcessEvent
from hexwave_app.processes.transition import PassedOn, Update
from hexwave_app.ui.timeline import parts, timeline, whole

MS = timedelta(milliseconds=1)


def begun() -> Process:
    req = {"prompt": "Harbour", "aspectRatio": "1:1", "count": 1}
    return Process.begin(
        user_id="g_1",
        tool_name="image-generator",
        category="image",
        req=req,
        provider=ProviderJob(name="demo"),
    )


def told(process: Process, *updates: tuple[int, Update], source: Source = Source.WEBHOOK) -> Process:
    """The process after the updates, each so many milliseconds after its beginning."""
    for at, update in updates:
        process = transition(process, update, process.created_at + at * MS, source)
    return process


def noted(process: Process, at: int, type_: EventType, detail: str | None, source: Source) -> Process:
    sequence = process.sequence
    event = ProcessEvent(
        type=type_, at=process.created_at + at * MS, source=source, sequence=sequence, detail=detail
    )
    return process.amended(event)


def done() -> Process:
    process = told(
        begun(),
        (100, Submitted("j1")),
        (600, Progressed(8)),
        (1100, Progressed(50)),
        (2100, Progressed(90)),
        (2300, Answered({"results": ["x"], "notice": None})),
    )
    process = noted(process, 2350, EventType.IGNORED, "Duplicate", Source.WEBHOOK)
    process = told(process, (2700, Completed(("/media/p/0.webp",))), source=Source.SERVER)
    return noted(process, 2800, EventType.PUBLISHED, None, Source.SERVER)


def test_progress_is_one_line_and_can_be_unfolded() -> None:
    """It says from where to where, and each update is still there with its own time."""
    line = timeline(done(), "Demo painter")[2]
    assert (line.title, line.detail) == ("Progress 8 → 90%", "3 updates")
    assert [(step.title, step.delta) for step in line.steps] == [
        ("8%", "+0.500"),
        ("50%", "+0.500"),
        ("90%", "+1.000"),
    ]
    assert line.delta == "+2.000"


def test_what_changed_nothing_is_greyed_says_why_and_counts_for_nothing() -> None:
    """The next time counts from the last line that mattered."""
    lines = {line.title: line for line in timeline(done(), "Demo painter")}
    again = lines["Webhook received again"]
    assert (again.kind, again.detail, again.delta) == ("ignored", "Duplicate, ignored", "")
    assert lines["Saved"].delta == "+0.400"
    late = noted(done(), 2900, EventType.IGNORED, "Already completed", Source.WEBHOOK)
    assert timeline(late, "Demo painter")[-1].detail == "Already completed, ignored"


def test_late_progress_among_progress_does_not_break_the_fold() -> None:
    process = told(begun(), (100, Submitted("j1")), (200, Progressed(30)))
    process = noted(process, 250, EventType.IGNORED, "Late news", Source.WEBHOOK)
    process = told(process, (300, Progressed(40)))
    line = timeline(process, "Demo painter")[2]
    assert (line.title, line.detail) == ("Progress 30 → 40%", "2 updates, 1 ignored")
    assert [step.ignored for step in line.steps] == [False, True, False]
    assert line.steps[2].delta == "+0.100"


def test_a_job_that_was_passed_on_is_a_line_of_its_own() -> None:
    process = told(begun(), (100, PassedOn("fal", "flux")), (200, Submitted("j1")), (300, Progressed(10)))
    titles = [line.title for line in timeline(process, "fal")]
    assert titles == ["Created", "Passed on to fal", "Sent to provider", "Progress 10%", "Painting"]


def test_what_is_told_twice_is_marked_the_second_time() -> None:
    """The reconciler may repeat what was perhaps not told."""
    process = noted(done(), 3000, EventType.PUBLISHED, None, Source.RECONCILER)
    first, second = timeline(process, "Demo painter")[-2:]
    assert (first.title, first.kind) == ("Published", "done")
    assert (second.title, second.kind, second.delta) == ("Published again", "ignored", "")


def test_the_last_node_is_the_screen_only_where_it_was_seen() -> None:
    process = done()
    on_screen = process.created_at + 2950 * MS
    assert timeline(process, "Demo painter")[-1].title == "Published"
    last = timeline(process, "Demo painter", on_screen)[-1]
    assert (last.kind, last.title, last.delta) == ("screen", "On your screen", "+0.150")
    assert whole(process) == ("2.80 s", "from click to published")
    assert whole(process, on_screen) == ("2.95 s", "from click to screen")


def test_what_was_told_on_the_way_is_not_taken_for_the_end() -> None:
    """A reconciler that makes up for an update while the job runs shortens nothing."""
    process = noted(told(begun(), (100, Submitted("j1"))), 500, EventType.PUBLISHED, None, Source.RECONCILER)
    process = told(process, (2000, Answered({"results": ["x"], "notice": None})))
    process = told(process, (2700, Completed(("/media/p/0.webp",))), source=Source.SERVER)
    process = noted(process, 2800, EventType.PUBLISHED, None, Source.SERVER)
    assert whole(process) == ("2.80 s", "from click to published")
    assert parts(process)[-1].seconds == "0.10"


def test_the_time_has_five_parts_that_are_the_whole() -> None:
    process = done()
    found = parts(process, process.created_at + 3000 * MS)
    assert [(part.name, part.seconds) for part in found] == [
        ("Send", "0.10"),
        ("Paint", "2.00"),
        ("Webhook", "0.20"),
        ("Save", "0.40"),
        ("Deliver", "0.30"),
    ]


def test_without_progress_the_webhook_ends_the_painting() -> None:
    """Nobody can tell the one from the other."""
    process = told(
        begun(),
        (100, Submitted("j1")),
        (900, Answered({"results": ["x"], "notice": None})),
        (1000, Completed(("/media/p/0.webp",))),
    )
    assert [(part.name, part.seconds) for part in parts(process)] == [
        ("Send", "0.10"),
        ("Paint", "0.80"),
        ("Save", "0.10"),
    ]


def test_a_webhook_that_outruns_the_submission_takes_no_time_away() -> None:
    """No part is less than nothing."""
    process = told(begun(), (50, Progressed(20)), (90, Submitted("j1")), (100, Progressed(30)))
    process = told(
        process, (110, Answered({"results": ["x"], "notice": None})), (120, Completed(("/m/0.webp",)))
    )
    assert all(part.share >= 0 for part in parts(process))


def test_a_failure_says_its_code_and_our_sentence() -> None:
    """Never what the provider said."""
    process = told(begun(), (100, Failed("raw words of a provider", "timeout")))
    line = timeline(process, "Demo painter")[-1]
    assert (line.kind, line.title) == ("failed", "Failed")
    assert line.detail == "timeout · The provider gave no answer in time. Your prompt is safe."
    assert parts(process) == []
    assert whole(process) == ("0.10 s", "until it failed")


def test_what_runs_ends_in_a_node_without_a_time() -> None:
    last = timeline(begun(), "Demo painter")[-1]
    assert (last.kind, last.title, last.at) == ("running", "Waiting for the provider", "")
    assert whole(begun()) == ("", "")
