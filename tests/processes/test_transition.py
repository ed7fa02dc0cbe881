"""The one rule of change, held against whatever may arrive."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hexwave_app.processes import (
    Answered,
    Completed,
    Failed,
    Process,
    ProcessStatus,
    Progressed,
    ProviderJob,
    Stage,
    Submitted,
    Update,
    transition,
)
from hexwave_app.processes.model import EVENTS_KEPT, EventType

AT = datetime(2030, 1, 1, tzinfo=UTC)

urls = st.sampled_from(["/media/a.webp", "/media/b.webp", "/media/c.webp"])
updates: st.SearchStrategy[Update] = st.one_of(
    st.builds(Submitted, st.sampled_from(["job-1", "job-2"])),
    st.builds(
        Progressed,
        progress=st.none() | st.integers(0, 100),
        stage=st.none() | st.sampled_from(Stage),
        ahead=st.none() | st.integers(0, 3),
        preview=st.none() | st.lists(st.none() | urls, max_size=4).map(tuple),
        notice=st.none() | st.just("a notice"),
    ),
    st.builds(Answered, st.fixed_dictionaries({"results": st.lists(urls, min_size=1, max_size=2)})),
    st.builds(Completed, st.lists(urls, min_size=1, max_size=4).map(tuple)),
    st.builds(Failed, st.just("It failed."), st.sampled_from(["cancelled", "timeout", "provider_refused"])),
)


def begun() -> Process:
    return Process.begin(
        user_id="g_1",
        tool_name="image-generator",
        category="image",
        req={"prompt": "a sea"},
        provider=ProviderJob(name="demo"),
    )


def after(*said: Update) -> Process:
    process = begun()
    for update in said:
        process = transition(process, update, AT)
    return process


@given(st.lists(updates, max_size=30))
def test_a_process_ends_at_most_once_and_its_sequence_only_grows(said: list[Update]) -> None:
    """Whatever arrives, in any order, any number of times; by one where a message has something to tell."""
    process = begun()
    for update in said:
        changed = transition(process, update, AT)
        if process.terminal:
            assert changed is process
        news = (changed.status, changed.data) != (process.status, process.data)
        assert changed.sequence == process.sequence + news
        process = changed


@given(st.lists(updates, max_size=30))
def test_news_told_twice_is_told_once(said: list[Update]) -> None:
    """Repeating an update right away says nothing new."""
    process = begun()
    for update in said:
        process = transition(process, update, AT)
        assert transition(process, update, AT) is process


@given(st.lists(updates, max_size=30))
def test_what_is_known_is_never_unlearned(said: list[Update]) -> None:
    """Progress, stage and previews of a running process only go forward."""
    process = begun()
    for update in said:
        changed = transition(process, update, AT)
        if not changed.terminal:
            assert (changed.data.progress or 0) >= (process.data.progress or 0)
            assert changed.data.stage is not None
            assert process.data.stage is not None
            assert list(Stage).index(changed.data.stage) >= list(Stage).index(process.data.stage)
            known = process.data.preview or ()
            for index, url in enumerate(known):
                assert url is None or (changed.data.preview or ())[index] is not None
        process = changed


@given(st.lists(updates, max_size=300))
def test_the_timeline_is_bounded_and_begins_at_the_beginning(said: list[Update]) -> None:
    """However talkative a provider is, the document stays small."""
    process = after(*said)
    assert len(process.events) <= EVENTS_KEPT
    assert process.events[0].type is EventType.CREATED
    assert process.events[-1].sequence == process.sequence


def test_many_updates_drop_the_oldest_but_the_first() -> None:
    """The bound is reached by plain progress, and the newest lines are the ones kept."""
    process = after(*(Progressed(progress=i // 2, notice=str(i)) for i in range(150)))
    assert len(process.events) == EVENTS_KEPT
    assert [event.sequence for event in process.events[:2]] == [1, process.sequence - EVENTS_KEPT + 2]


def test_progress_that_lags_behind_is_late_news() -> None:
    """A reordered report does not take the bar, or a preview, back."""
    process = after(Progressed(64, preview=("/media/sharp.webp",)))
    assert transition(process, Progressed(18, preview=("/media/coarse.webp",)), AT) is process


def test_a_preview_that_is_missing_from_a_report_is_kept() -> None:
    """A null, or a shorter list, says nothing about that picture."""
    process = after(
        Progressed(10, preview=(None, "/media/b.webp")), Progressed(20, preview=("/media/a.webp",))
    )
    assert process.data.preview == ("/media/a.webp", "/media/b.webp")


def test_an_empty_notice_takes_the_earlier_one_back() -> None:
    """Where nothing is said of it, it stands."""
    told = after(Progressed(notice="No such scene."))
    assert transition(told, Progressed(10), AT).data.notice == "No such scene."
    assert transition(told, Progressed(10, notice=""), AT).data.notice is None
    assert transition(told, Completed(("/media/a",), ""), AT).data.notice is None


@pytest.mark.parametrize(
    "update", [Progressed(10), Progressed(stage=Stage.PAINTING), Answered({"results": ["x"]}), Completed()]
)
def test_nobody_is_ahead_once_work_has_begun(update: Update) -> None:
    """While it is queued, the last count stands until the next."""
    queued = after(Progressed(stage=Stage.QUEUED, ahead=2))
    assert transition(queued, Progressed(notice="Busy."), AT).data.ahead == 2
    assert transition(queued, Progressed(ahead=1), AT).data.ahead == 1
    assert transition(queued, update, AT).data.ahead is None


def test_an_earlier_stage_does_not_come_back() -> None:
    """Once results are being kept, a late `painting` changes nothing."""
    process = after(Answered({"results": ["x"]}))
    assert process.data.stage is Stage.SAVING
    assert transition(process, Progressed(99, Stage.PAINTING), AT) is process


def test_the_first_answer_stands() -> None:
    """Two contradicting successes keep the results of one."""
    process = after(Answered({"results": ["first"]}), Answered({"results": ["second"]}))
    assert process.answer == {"results": ["first"]}


@pytest.mark.parametrize("end", [Completed(("/media/a.webp",)), Failed("It failed.", "timeout")])
def test_an_ended_process_keeps_no_answer_and_no_preview(end: Update) -> None:
    """What was needed only on the way is dropped at the end."""
    process = after(Progressed(10, preview=("/media/p.webp",)), Answered({"results": ["x"]}), end)
    assert process.terminal
    assert process.answer is None
    assert process.data.preview is None
    assert process.data.stage is None


def test_cancelled_is_failed_with_a_code() -> None:
    """The wire knows three statuses and no other."""
    process = after(Failed("You stopped this one.", "cancelled"))
    assert process.status is ProcessStatus.FAILED
    assert process.data.error_code == "cancelled"
    assert process.events[-1].type is EventType.CANCELLED


def test_the_job_id_is_set_once() -> None:
    """A second acceptance of one submission does not rename the job."""
    assert after(Submitted("job-1"), Submitted("job-2")).provider.job_id == "job-1"


def test_a_figure_means_that_work_has_begun() -> None:
    """A provider that reports progress need not say that the job has left its queue."""
    assert after(Progressed(progress=1)).data.stage is Stage.PAINTING
    assert after(Progressed(notice="waiting")).data.stage is Stage.QUEUED
