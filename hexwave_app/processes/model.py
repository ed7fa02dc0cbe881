"""What a process is, at rest (the document) and on the wire (the status message)."""

import secrets
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

EVENTS_KEPT = 100
"""The timeline's bound: a document stays small however talkative its provider is."""

_PROCESS_ID_BYTES = 15


class Wire(BaseModel):
    """An immutable record whose fields are snake_case in Python and camelCase on the wire.

    Unknown fields are passed over, so that a newer version's documents and messages can be read.
    """

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, frozen=True)

    def wire(self) -> dict[str, Any]:
        """This record as JSON-ready values under its wire names, without what is not set."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class Kept(Wire):
    """A part of a document: what only a newer version knows of it stays in it, and is saved again."""

    model_config = ConfigDict(extra="allow")


class Word(StrEnum):
    """A value that a newer version may have more of: one that is unknown here is kept as it is."""

    @classmethod
    def _missing_(cls, value: object) -> "Word | None":
        if not isinstance(value, str):
            return None
        word = str.__new__(cls, value)
        word._name_ = word._value_ = value
        return word


class ProcessStatus(StrEnum):
    """The three values of a status. Cancelled, refused and timed out are `FAILED` with an error code."""

    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"

    @property
    def terminal(self) -> bool:
        return self is not ProcessStatus.PROCESSING


class Stage(Word):
    """How far a process in `PROCESSING` is; a later stage never gives way to an earlier one."""

    QUEUED = "queued"
    PAINTING = "painting"
    SAVING = "saving"


class EventType(Word):
    """What a line of the timeline tells.

    `WEBHOOK` is the provider's last word, `IGNORED` what changed nothing (its detail says why),
    `RECONCILED` that the provider was asked.
    """

    CREATED = "created"
    SUBMITTED = "submitted"
    PROGRESS = "progress"
    WEBHOOK = "webhook"
    SAVED = "saved"
    PUBLISHED = "published"
    IGNORED = "ignored"
    RECONCILED = "reconciled"
    CANCELLED = "cancelled"
    FAILED = "failed"


class Source(Word):
    """Where the news of a timeline's line came from."""

    USER = "user"
    SERVER = "server"
    WEBHOOK = "webhook"
    RECONCILER = "reconciler"


class ProcessEvent(Kept):
    """One line of a process's timeline; `sequence` is the process's after it."""

    type: EventType
    at: datetime
    source: Source
    sequence: int
    detail: str | None = None


class ProviderJob(Kept):
    """Who works on the process; `job_id` is the provider's own id, known once it has accepted."""

    name: str
    model: str | None = None
    job_id: str | None = None


class KeptPicture(Kept):
    """What a page needs to hold a picture's place: its size in pixels, and its average colour, `#rrggbb`.

    `blur` is the picture in a few pixels, a WebP in base64; empty where it is transparent, and in older
    processes. A video has a `poster`, the URL of its first frame, and `seconds`, its length.
    """

    width: int
    height: int
    colour: str
    blur: str = ""
    poster: str | None = None
    seconds: float | None = None


class ProcessData(Kept):
    """The part of a process that its tool and its provider fill.

    `progress` is a percentage, 0 to 100; `ahead` is how many jobs the provider does first, while it is
    queued there. `preview` and `generations` are lists of our own URLs, in picture order; a preview is null
    until that picture has its first. `pictures` goes with `generations`; older processes have none.
    `result` is what else it came to, in the tool's own words.
    """

    req: dict[str, Any] = Field(default_factory=dict)
    generations: tuple[str, ...] | None = None
    pictures: tuple[KeptPicture, ...] | None = None
    error: str | None = None
    error_code: str | None = None
    progress: int | None = None
    stage: Stage | None = None
    ahead: int | None = None
    preview: tuple[str | None, ...] | None = None
    notice: str | None = None
    result: dict[str, Any] | None = None


class Process(Kept):
    """One long-running operation.

    `sequence` starts at 1 and grows by one with every change that followers are told; `published` is the
    last one that they were told. `revision` grows with every write, also of the timeline alone: it is what
    writers race on. `answer` is the provider's last word, kept from its arrival until its results are ours.

    `favourite`, `deleted_at` and `share` are its owner's to set; they move `revision` alone. What is deleted
    is hidden from that time on, and purged later. `share` is a nonce while a link to it is good.
    """

    process_id: str
    user_id: str
    tool_name: str
    category: str
    status: ProcessStatus = ProcessStatus.PROCESSING
    sequence: int = 1
    published: int = 0
    revision: int = 1
    data: ProcessData
    provider: ProviderJob
    events: tuple[ProcessEvent, ...] = ()
    answer: dict[str, Any] | None = None
    idempotency_key: str | None = None
    retry_of: str | None = None
    favourite: bool = False
    share: str | None = None
    created_at: datetime
    updated_at: datetime
    deleted_at: datetime | None = None

    @property
    def terminal(self) -> bool:
        return self.status.terminal

    @property
    def unpublished(self) -> bool:
        return self.published < self.sequence

    def amended(self, event: ProcessEvent, **fields: Any) -> "Process":
        """The process with one more line of its timeline, and `fields` changed, ready to be saved."""
        last = self.events[-1]
        # Asked again and answered the same: one line, of the last time.
        again = event.type is EventType.RECONCILED and (last.type, last.detail) == (event.type, event.detail)
        events = (*(self.events[:-1] if again else self.events), event)
        if len(events) > EVENTS_KEPT:
            # The first line tells when it began; what is dropped is the oldest of the rest.
            events = (events[0], *events[-(EVENTS_KEPT - 1) :])
        return self.model_copy(update={**fields, "events": events, "revision": self.revision + 1})

    def marked(self, **fields: Any) -> "Process":
        """The process with its owner's marks changed, ready to be saved; the same object when they are so."""
        if all(getattr(self, name) == value for name, value in fields.items()):
            return self
        return self.model_copy(update={**fields, "revision": self.revision + 1})

    @classmethod
    def begin(
        cls,
        *,
        user_id: str,
        tool_name: str,
        category: str,
        req: dict[str, Any],
        provider: ProviderJob | None = None,
        idempotency_key: str | None = None,
        retry_of: str | None = None,
    ) -> "Process":
        """A process at sequence 1, with an unguessable id of 22 characters `[A-Za-z0-9_-]`.

        It begins as published: nobody can have followed what had no id.
        Without a `provider` the tool does the work by itself. `req` is JSON-ready.
        """
        now = utc_now()
        return cls(
            process_id=f"p_{secrets.token_urlsafe(_PROCESS_ID_BYTES)}",
            user_id=user_id,
            tool_name=tool_name,
            category=category,
            data=ProcessData(req=req, stage=Stage.QUEUED),
            provider=provider or ProviderJob(name=tool_name),
            published=1,
            events=(ProcessEvent(type=EventType.CREATED, at=now, source=Source.USER, sequence=1),),
            idempotency_key=idempotency_key,
            retry_of=retry_of,
            created_at=now,
            updated_at=now,
        )


class StatusMessage(Wire):
    """What followers of `process:{processId}` receive: the whole state, so that any one of them is enough.

    `data` is the process's data without `req`. `timestamp` is in milliseconds since the epoch.
    """

    status: ProcessStatus
    process_id: str
    data: ProcessData | None = None
    error: str | None = None
    timestamp: int
    sequence: int

    @classmethod
    def of(cls, process: Process) -> "StatusMessage":
        return cls(
            status=process.status,
            process_id=process.process_id,
            data=process.data.model_copy(update={"req": {}}),
            error=process.data.error,
            timestamp=round(process.updated_at.timestamp() * 1000),
            sequence=process.sequence,
        )

    def wire(self) -> dict[str, Any]:
        return self.model_dump(mode="json", by_alias=True, exclude_none=True, exclude={"data": {"req"}})

    def onto(self, process: Process) -> Process:
        """`process` as this message tells it: the same object unless the message is newer.

        The timeline is not in a message, so `events` stay those of `process`.
        """
        if self.process_id != process.process_id or self.sequence <= process.sequence or self.data is None:
            return process
        return process.model_copy(
            update={
                "status": self.status,
                "sequence": self.sequence,
                "data": self.data.model_copy(update={"req": process.data.req}),
                "updated_at": datetime.fromtimestamp(self.timestamp / 1000, UTC),
            }
        )


def utc_now() -> datetime:
    """Now, in whole milliseconds: what every store and the wire can keep exactly."""
    now = datetime.now(UTC)
    return now.replace(microsecond=now.microsecond // 1000 * 1000)
