"""The document and the message, as the contracts have them."""

import pickle

from hypothesis import given
from hypothesis import strategies as st

from hexwave_app.processes import (
    Completed,
    Failed,
    Process,
    Progressed,
    Stage,
    StatusMessage,
    Submitted,
    transition,
)
from tests.processes.test_transition import AT, after, begun, updates


def test_the_document_has_the_names_of_the_contract() -> None:
    """camelCase, and nothing that is not set."""
    document = after(Submitted("job-1")).wire()
    assert set(document) == {
        *("processId", "userId", "toolName", "category", "status", "sequence", "published", "revision"),
        *("data", "provider", "events", "favourite", "createdAt", "updatedAt"),
    }
    assert document["data"] == {"req": {"prompt": "a sea"}, "stage": "queued"}
    assert document["provider"] == {"name": "demo", "jobId": "job-1"}


def test_a_status_message_tells_the_whole_state_without_the_request() -> None:
    """`{status, processId, data, error?, timestamp, sequence}`; the prompt stays in the store."""
    process = after(Failed("It failed.", "timeout"))
    assert StatusMessage.of(process).wire() == {
        "status": "failed",
        "processId": process.process_id,
        "data": {"error": "It failed.", "errorCode": "timeout"},
        "error": "It failed.",
        "timestamp": round(AT.timestamp() * 1000),
        "sequence": 2,
    }


@given(st.lists(updates, max_size=20))
def test_a_process_survives_its_wire_form(said: list) -> None:
    """What a store reads back is what was saved."""
    process = after(*said)
    assert Process.model_validate(process.wire()) == process


@given(st.lists(updates, max_size=20), st.integers(0, 20))
def test_a_message_brings_an_older_version_up_to_date(said: list, lag: int) -> None:
    """From any earlier version, one message is enough for everything but the timeline."""
    versions = [begun()]
    for update in said:
        versions.append(transition(versions[-1], update, AT))
    newest, older = versions[-1], versions[max(0, len(versions) - 1 - lag)]
    message = StatusMessage.model_validate(StatusMessage.of(newest).wire())
    told = message.onto(older)
    assert told.data == newest.data
    assert (told.status, told.sequence) == (newest.status, newest.sequence)


def test_a_message_of_a_newer_version_is_taken() -> None:
    """With fields and a stage that are unknown here; the data is as it was sent."""
    sent = StatusMessage.of(after(Progressed(10))).wire()
    sent |= {"audience": "all", "data": sent["data"] | {"stage": "polishing", "quality": 1}}
    told = StatusMessage.model_validate(sent).onto(
        begun().model_copy(update={"process_id": sent["processId"]})
    )
    assert told.data.stage == "polishing"
    assert told.data.wire() == sent["data"] | {"req": {"prompt": "a sea"}}


def test_a_stage_of_a_newer_version_is_no_reason_to_stand_still() -> None:
    """Nobody here knows whether it comes before ours or after."""
    process = after(Progressed(10))
    ahead = process.model_copy(update={"data": process.data.model_copy(update={"stage": Stage("polishing")})})
    assert transition(ahead, Progressed(20, Stage.PAINTING), AT).data.progress == 20
    assert pickle.loads(pickle.dumps(ahead)) == ahead


def test_a_message_that_is_not_newer_changes_nothing() -> None:
    """Doubled, late and foreign messages give the same object back."""
    early, late = after(Progressed(10)), after(Progressed(10), Completed(("/media/a.webp",)))
    assert StatusMessage.of(early).onto(late) is late
    assert StatusMessage.of(early).onto(early) is early
    assert StatusMessage.of(begun()).onto(late) is late


def test_a_newer_version_of_the_app_may_add_fields() -> None:
    """A message with a field that this version does not know is read, not refused."""
    wire = StatusMessage.of(begun()).wire() | {"mood": "good"}
    assert StatusMessage.model_validate(wire).sequence == 1


def test_process_ids_are_unguessable_and_safe_in_a_channel_name() -> None:
    """120 random bits in `[A-Za-z0-9_-]`, never the same twice."""
    ids = {begun().process_id for _ in range(1000)}
    assert len(ids) == 1000
    assert all(len(id_) == 22 and id_.replace("_", "").replace("-", "").isalnum() for id_ in ids)
