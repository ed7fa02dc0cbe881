"""An external API that does to its callers whatever a seed says.

Its jobs live here, in the process of the test: killing the server under test leaves them alone, as it would
leave a provider's. `POST /jobs` submits, `GET /jobs/{id}` tells, `GET /keys/{key}` finds, `DELETE` cancels.
"""

import asyncio
import contextlib
import random
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

SPAN = 2.0
"""Seconds over which a job's reports are spread."""

_POST_PATIENCE = 5.0


@dataclass
class Fate:
    """What becomes of a job: its true end, and the reports its caller gets, each after a delay."""

    end: dict[str, Any]
    reports: list[tuple[float, dict[str, Any]]]
    ends_after: float
    lose_answer: bool

    @classmethod
    def drawn(cls, job_id: str, chance: random.Random) -> "Fate":
        success = {"status": "success", "jobId": job_id, "images": [f"demo:{job_id}"]}
        error = {"status": "error", "jobId": job_id, "error": "The model said no."}
        end = success if chance.random() < 0.75 else error
        ends_after = chance.uniform(0.1, SPAN)
        said = [
            (chance.uniform(0, SPAN), {"status": "processing", "jobId": job_id, "progress": progress})
            for progress in range(10, 100, 20)
        ]
        said += [(ends_after + chance.uniform(0, 1), end)] * chance.choice([0, 1, 1, 1, 2, 3])
        if chance.random() < 0.2:
            # The provider contradicts itself: only one of its two ends can be told.
            said.append((ends_after + chance.uniform(-0.1, 1), error if end is success else success))
        kept = [report for report in said if chance.random() < 0.85]
        # A lost answer: the job was accepted, and its caller never hears it.
        return cls(end, sorted(kept, key=lambda report: report[0]), ends_after, chance.random() < 0.05)


@dataclass
class ExternalApi:
    """The API, its jobs by id, and how often each key was submitted."""

    chance: random.Random
    submitted: Counter[str] = field(default_factory=Counter[str])
    jobs: dict[str, Fate] = field(default_factory=dict[str, Fate])
    began: dict[str, float] = field(default_factory=dict[str, float])
    cancelled: set[str] = field(default_factory=set[str])
    _posting: set[asyncio.Task[None]] = field(default_factory=set[asyncio.Task[None]])

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/jobs", self._submit, methods=["POST"]),
                Route("/jobs/{job_id}", self._status, methods=["GET"]),
                Route("/jobs/{job_id}", self._cancel, methods=["DELETE"]),
                Route("/keys/{key}", self._find, methods=["GET"]),
            ]
        )

    async def _submit(self, request: Request) -> Response:
        try:
            asked = await request.json()
        except ClientDisconnect:
            # Its caller was killed while it spoke: nothing was submitted.
            return Response(status_code=400)
        key, job_id = asked["key"], f"job-{asked['key']}"
        self.submitted[key] += 1
        fate = self.jobs.setdefault(job_id, Fate.drawn(job_id, self.chance))
        self.began.setdefault(job_id, asyncio.get_running_loop().time())
        task = asyncio.create_task(self._report(asked["webhook_url"], fate))
        self._posting.add(task)
        task.add_done_callback(self._posting.discard)
        if fate.lose_answer:
            return Response(status_code=500)
        return JSONResponse({"id": job_id})

    async def _status(self, request: Request) -> Response:
        job_id = request.path_params["job_id"]
        fate = self.jobs[job_id]
        ended = asyncio.get_running_loop().time() - self.began[job_id] > fate.ends_after
        return JSONResponse(fate.end if ended else {"status": "processing", "jobId": job_id})

    async def _find(self, request: Request) -> Response:
        job_id = f"job-{request.path_params['key']}"
        return JSONResponse({"id": job_id if job_id in self.jobs else None})

    async def _cancel(self, request: Request) -> Response:
        self.cancelled.add(request.path_params["job_id"])
        return Response(status_code=204)

    async def _report(self, url: str, fate: Fate) -> None:
        began = asyncio.get_running_loop().time()
        async with httpx.AsyncClient(timeout=_POST_PATIENCE) as client:
            for delay, body in fate.reports:
                await asyncio.sleep(max(0, began + delay - asyncio.get_running_loop().time()))
                # A webhook that meets nobody is lost: this provider does not repeat itself.
                with contextlib.suppress(httpx.HTTPError):
                    await client.post(url, json=body)
