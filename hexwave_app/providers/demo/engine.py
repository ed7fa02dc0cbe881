"""The painter as a service: takes orders, paints them small to large, reports to a webhook."""

import asyncio
import fcntl
import hashlib
import json
import logging
import re
import shutil
import time
from collections.abc import AsyncGenerator, Callable
from concurrent.futures.process import BrokenProcessPool
from contextlib import asynccontextmanager
from pathlib import Path
from typing import IO, Any

import httpx
from pydantic import ValidationError

from hexwave_app.background import BackgroundTasks
from hexwave_app.processes.errors import ResultLost
from hexwave_app.providers.demo import work
from hexwave_app.providers.demo.order import ORDERS, Clip, Enlargement, Order, Pictures
from hexwave_app.providers.demo.scene import Scene, read
from hexwave_app.providers.own_webhook import Reports
from hexwave_app.providers.plain_contract import parse_plain
from hexwave_app.tools.provider import Report
from hexwave_app.worker_processes import WORKERS, WorkerProcesses

log = logging.getLogger(__name__)

_PROGRESS = (10, 35, 92)
"""Per cent done when all pictures have come to each of the three sizes."""

_FRAMES_PROGRESS = 88
"""Per cent done when all frames of a clip are painted, and only have to be encoded."""

_STILLS = 12
"""Every so many frames one is shown as a preview."""

_REPORT_PATIENCE = 10.0
_JOBS_KEPT = 100
_KEPT_FOR = 3600.0
"""Seconds for which an ended job is kept in any case: whoever ordered it may still fetch its pictures."""

_ORDER = "order.json"
_END = "end.json"
_PICTURE = "picture"
_URL = re.compile(r"demo:([0-9a-f]{32})/([a-z0-9-]{1,20}\.(?:webp|jpg|mp4))")
_ABSTRACT = "These words name no scene that the demo painter knows, so it made abstract art."
_OVER_PICTURE = "The demo painter moves its camera over a picture; it does not know what is in it."

_OF_PICTURE = "The demo painter repaints the reference; of the words it takes the light and the colours."

_Painted = AsyncGenerator[tuple[int, list[Any]], None]
"""What there is of a job, as it comes: the per cent done, and the best there is of each result."""


class Engine:
    """Paints orders. An order is on the disk before it is accepted, and its end before it is told.

    Several may share a directory of one machine: each job is painted by one of them, which holds a lock on
    its order, and any of them calls it off by deleting that. Pictures under way are painted to their end,
    and dropped.
    """

    def __init__(
        self, directory: Path, processes: WorkerProcesses, client: httpx.AsyncClient, tasks: BackgroundTasks
    ) -> None:
        self._directory = directory
        self._processes = processes
        self._client = client
        self._tasks = tasks
        self._running: dict[str, asyncio.Task[None]] = {}

    @classmethod
    @asynccontextmanager
    async def open(cls, directory: Path) -> AsyncGenerator["Engine", None]:
        """The engine with its pictures in `directory`; what a stop cut short waits for `take_up`."""
        async with (
            WorkerProcesses.open() as processes,
            httpx.AsyncClient(timeout=_REPORT_PATIENCE) as client,
            BackgroundTasks.open() as tasks,
        ):
            engine = cls(directory, processes, client, tasks)
            engine._prune()
            yield engine

    def start(self, key: str, order: Order) -> str:
        """Accept `order`; returns the job's id, 32 hexadecimal digits. One key is one job, however often."""
        job_id = self.job_id(key)
        folder = self._directory / job_id
        if not self.knows(job_id):
            folder.mkdir(exist_ok=True)
            # Renamed when whole: an order that a crash cut short was never accepted.
            unfinished = folder / "order.part"
            unfinished.write_bytes(ORDERS.dump_json(order))
            unfinished.replace(folder / _ORDER)
        self.take_up(job_id)
        return job_id

    @staticmethod
    def job_id(key: str) -> str:
        """The id of the job under `key`, whether there is one or not."""
        return hashlib.sha256(key.encode()).hexdigest()[:32]

    def knows(self, job_id: str) -> bool:
        """Whether the job was accepted."""
        return _read(self._directory / job_id / _ORDER) is not None

    def take_up(self, job_id: str) -> Report:
        """What there is to say of the job; one that nobody paints is painted here, again from its start."""
        order = _read(self._directory / job_id / _ORDER)
        if order is None:
            return Report(
                "failed", job_id, error="The demo painter has no such job.", error_code="result_lost"
            )
        end = _read_end(self._directory / job_id / _END)
        if end is not None:
            return parse_plain(end)
        if job_id not in self._running:
            self._begin(job_id, order)
        return Report("processing", job_id)

    async def cancel(self, job_id: str) -> None:
        """Stop the job and forget it; one that has ended, or never was, is left as it is."""
        task = self._running.get(job_id)
        if task is not None:
            task.cancel()
            await asyncio.wait([task])
        folder = self._directory / job_id
        if not (folder / _END).is_file():
            # The order first: without it the job is called off, whoever paints it.
            (folder / _ORDER).unlink(missing_ok=True)
            shutil.rmtree(folder, ignore_errors=True)

    def result(self, url: str) -> Path:
        """The file behind a report's URL, `demo:{jobId}/{file}`. `ResultLost` when there is none."""
        parts = _URL.fullmatch(url)
        path = self._directory / parts[1] / parts[2] if parts else None
        if path is None or not path.is_file():
            raise ResultLost("The demo painter has no such picture.")
        return path

    def _prune(self) -> None:
        """Delete what is of no more use: jobs that ended long ago, and folders whose order never came."""
        self._directory.mkdir(parents=True, exist_ok=True)
        useless = [folder for folder in self._directory.iterdir() if not _unended(folder)]
        oldest_last = sorted(((_touched(folder), folder) for folder in useless), reverse=True)
        for touched, folder in oldest_last[_JOBS_KEPT:]:
            if touched < time.time() - _KEPT_FOR:
                shutil.rmtree(folder, ignore_errors=True)

    def _begin(self, job_id: str, order: Order) -> None:
        claim = _claimed(self._directory / job_id / _ORDER)
        if claim is None:
            return
        task = self._tasks.spawn(self._paint(job_id, order), f"paint {job_id}")
        self._running[job_id] = task
        task.add_done_callback(lambda _: self._running.pop(job_id, None))
        task.add_done_callback(lambda _: claim.close())

    async def _paint(self, job_id: str, order: Order) -> None:
        if _read_end(self._directory / job_id / _END) is not None:
            # Another engine ended it just before the claim was ours.
            return
        painted, notice = self._begun(job_id, order)
        said: dict[str, Any] = {"jobId": job_id} | ({"notice": notice} if notice else {})
        async with Reports.open(self._client, order.webhook_url) as reports:
            urls: list[str] = []
            try:
                async for progress, urls in painted:
                    reports.progress({**said, "status": "processing", "progress": progress, "preview": urls})
                end = {**said, "status": "success", "images": urls}
            except Exception:
                if not self.knows(job_id):
                    # Called off at another engine.
                    return
                log.exception("job %s could not be painted", job_id)
                end = {"jobId": job_id, "status": "error", "error": "The painter failed."}
            if self._keep_end(job_id, end):
                await reports.final(end)
        await asyncio.to_thread(self._prune)

    def _keep_end(self, job_id: str, end: dict[str, Any]) -> bool:
        """Whether the end is kept: not where the job was called off, and so deleted."""
        try:
            (self._directory / job_id / _END).write_text(json.dumps(end))
        except FileNotFoundError:
            return False
        return True

    def _begun(self, job_id: str, order: Order) -> tuple[_Painted, str | None]:
        """The painting of an order, and what there is to say of it."""
        match order:
            case Pictures(reference=bytes()):
                scene = read(order.prompt, order.leave_out)
                return self._pictures(job_id, order, scene), _OF_PICTURE
            case Pictures():
                scene = read(order.prompt, order.leave_out)
                return self._pictures(job_id, order, scene), None if scene.matched else _ABSTRACT
            case Clip(picture=None):
                scene = read(order.prompt, order.leave_out)
                return self._clip(job_id, order, scene), None if scene.matched else _ABSTRACT
            case Clip():
                return self._clip(job_id, order, None), _OVER_PICTURE
            case Enlargement():
                return self._enlargement(job_id, order), None

    async def _pictures(self, job_id: str, order: Pictures, scene: Scene) -> _Painted:
        """After each picture of each size: the largest there is of each picture."""
        if order.reference is not None:
            await asyncio.to_thread((self._directory / job_id / _PICTURE).write_bytes, order.reference)
        urls: list[str | None] = [None] * order.count
        before = 0
        for size, after in zip(order.sizes(), _PROGRESS, strict=True):
            pictures = [self._picture(job_id, scene, order, i, size) for i in range(order.count)]
            tasks = [asyncio.create_task(picture, name=f"picture of {job_id}") for picture in pictures]
            try:
                for done, picture in enumerate(asyncio.as_completed(tasks), 1):
                    index, url = await picture
                    urls[index] = url
                    yield before + (after - before) * done // order.count, list(urls)
            finally:
                # Called off, or one of them failed: the rest need not be painted.
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
            before = after

    async def _work(self, work: Callable[..., None], *given: Any) -> None:
        try:
            await self._processes.run(work, *given)
        except BrokenProcessPool:
            # It is as likely that another's work killed the process: once more.
            await self._processes.run(work, *given)

    async def _picture(
        self, job_id: str, scene: Scene, order: Pictures, index: int, size: tuple[int, int]
    ) -> tuple[int, str]:
        name = f"{index}-{max(size)}.webp"
        path = self._directory / job_id / name
        drawn = (scene, order.seed + index, size, order.styles, path)
        if order.reference is None:
            await self._work(work.paint, *drawn)
        else:
            await self._work(work.repaint, path.with_name(_PICTURE), *drawn)
        return index, f"demo:{job_id}/{name}"

    async def _clip(self, job_id: str, order: Clip, scene: Scene | None) -> _Painted:
        """After each frame: the last one that is shown as a preview; at the end the clip."""
        folder, count = self._directory / job_id, order.seconds * work.RATE
        if order.picture is not None:
            await asyncio.to_thread((folder / _PICTURE).write_bytes, order.picture)
        frames = [folder / f"frame-{number:04}.jpg" for number in range(count)]
        # No more at once than there are workers: pictures of others get their turn between two frames.
        turns = asyncio.Semaphore(WORKERS)

        async def paint(number: int) -> int:
            async with turns:
                await self._work(*_frame(order, scene, number, count, frames[number]))
            return number

        tasks = [asyncio.create_task(paint(number), name=f"frame of {job_id}") for number in range(count)]
        shown = None
        try:
            for done, painted in enumerate(asyncio.as_completed(tasks), 1):
                number = await painted
                if number % _STILLS == 0:
                    shown = f"demo:{job_id}/{frames[number].name}"
                yield _FRAMES_PROGRESS * done // count, [shown]
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await self._work(work.encode, frames, order.size, folder / "clip.mp4")
        for frame in frames:
            frame.unlink(missing_ok=True)
        yield _PROGRESS[-1], [f"demo:{job_id}/clip.mp4"]

    async def _enlargement(self, job_id: str, order: Enlargement) -> _Painted:
        folder = self._directory / job_id
        await asyncio.to_thread((folder / _PICTURE).write_bytes, order.picture)
        await self._work(work.enlarge, folder / _PICTURE, order.scale, folder / "large.webp")
        yield _PROGRESS[-1], [f"demo:{job_id}/large.webp"]


def _frame(order: Clip, scene: Scene | None, number: int, count: int, path: Path) -> tuple[Any, ...]:
    """The work of a frame, and what it is given."""
    share = number / max(count - 1, 1)
    if scene is None:
        return work.move_over, path.with_name(_PICTURE), order.size, order.camera, share, path
    at = number / work.RATE
    return work.paint_frame, scene, order.seed, order.size, order.camera, at, share, path


def _claimed(order: Path) -> IO[bytes] | None:
    """The order, locked until it is closed or this process dies; `None` if another has it or it is gone."""
    try:
        file = order.open("rb")
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _read(path: Path) -> Order | None:
    try:
        return ORDERS.validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def _unended(folder: Path) -> bool:
    return (folder / _ORDER).is_file() and not (folder / _END).is_file()


def _touched(folder: Path) -> float:
    """When something was last made in the folder, in seconds since the epoch."""
    try:
        return folder.stat().st_mtime
    except FileNotFoundError:
        # Pruned by another engine.
        return 0.0


def _read_end(path: Path) -> Any:
    """What the job reported last; `None` while it is painted, or where a crash cut the file short."""
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None
