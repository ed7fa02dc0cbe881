"""ComfyUI, over real HTTP and a real websocket, from the prompt to our own webhook."""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from hexwave_app.media.fetch import Fetcher
from hexwave_app.media.library import Library
from hexwave_app.processes.errors import (
    InvalidRequest,
    ProviderNotReady,
    ProviderUnavailable,
    ResultLost,
    SettingsError,
    SubmissionUnknown,
)
from hexwave_app.processes.model import ProviderJob, Stage
from hexwave_app.providers.comfyui import provider as module
from hexwave_app.providers.comfyui import watch
from hexwave_app.providers.comfyui.provider import ComfyUI
from hexwave_app.providers.comfyui.workflow import SDXL, Workflow
from hexwave_app.tools.image_generator import ImageRequest
from hexwave_app.tools.provider import Job, Report
from tests.conftest import eventually, free_port
from tests.providers.fake_comfyui import FakeComfyUI, comfyui
from tests.providers.journey import served_app, travelling
from tests.providers.servers import Webhook, listening
from tests.tools.conftest import picture

SAVED = {"filename": "hexwave_00001_.png", "subfolder": "", "type": "output"}
SHOWN = {"filename": "temp_00001_.png", "subfolder": "", "type": "temp"}
ASKED = {
    "prompt": "a %seed% by the sea",
    "negativePrompt": "people",
    "aspectRatio": "3:2",
    "count": 2,
    "seed": 7,
}


@dataclass
class Bench:
    comfyui: FakeComfyUI
    webhook: Webhook
    library: Library
    provider: ComfyUI
    fetcher: Fetcher

    def job(self, key: str = "p_1", **asked: Any) -> Job:
        (model,) = self.provider.models
        request = ImageRequest.read(ASKED | asked)
        model.check(request)
        return Job(key, request, model, self.webhook.url)

    async def submitted(self) -> str:
        """The id of a prompt that is listened to."""
        prompt_id = await self.provider.submit(self.job())
        await self.comfyui.watched(prompt_id)
        return prompt_id

    async def running(self) -> str:
        prompt_id = await self.submitted()
        await self.comfyui.run(prompt_id)
        return prompt_id

    async def status(self, prompt_id: str) -> Report:
        return await self.provider.status(ProviderJob(name="comfyui", job_id=prompt_id))

    async def cancel(self, prompt_id: str) -> None:
        await self.provider.cancel(ProviderJob(name="comfyui", job_id=prompt_id))

    async def idle(self) -> None:
        async def none_left() -> bool:
            return not followed()

        await eventually(none_left)


def followed() -> list[str]:
    return [task.get_name() for task in asyncio.all_tasks() if task.get_name().startswith("follow ")]


@pytest_asyncio.fixture
async def bench(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Bench]:
    monkeypatch.setattr(watch, "_PAUSES", (0.01,) * 8)
    monkeypatch.setattr(watch, "LOOK_INTERVAL", 3600.0)
    library = Library(data_dir / "media")
    async with (
        comfyui() as fake,
        listening() as webhook,
        Fetcher.open() as fetcher,
        ComfyUI.open(library, fetcher, f"{fake.origin}/") as provider,
    ):
        yield Bench(fake, webhook, library, provider, fetcher)


async def test_the_template_is_filled_and_queued(bench: Bench) -> None:
    """Numbers stay numbers, and what looks like a slot in the prompt is only words."""
    prompt_id = await bench.submitted()
    (asked,) = bench.comfyui.prompts
    nodes = asked["prompt"]
    assert nodes["prompt"]["inputs"]["text"] == "a %seed% by the sea"
    assert nodes["negative"]["inputs"]["text"] == "people"
    assert nodes["latent"]["inputs"] == {"width": 1216, "height": 832, "batch_size": 2}
    assert nodes["sampler"]["inputs"]["seed"] == 7
    assert nodes["sampler"]["inputs"]["model"] == ["checkpoint", 0]
    assert nodes["checkpoint"]["inputs"]["ckpt_name"] == "sd_xl_base_1.0.safetensors"
    assert (asked["prompt_id"], asked["client_id"]) == (prompt_id, prompt_id)
    assert bench.webhook.url not in json.dumps(asked)


async def test_a_prompt_becomes_progress_and_results(bench: Bench) -> None:
    """Everything that a person sees of it, and the pictures at the end."""
    prompt_id = await bench.running()
    await bench.comfyui.progress(prompt_id, 5, 20)
    shown = bench.provider.parse(await bench.webhook.first(lambda report: report.get("progress") == 25))
    assert (shown.outcome, shown.stage, shown.job_id) == ("processing", Stage.PAINTING, prompt_id)
    await bench.comfyui.preview(prompt_id, b"\xff\xd8 half")
    seen = bench.provider.parse(await bench.webhook.first(lambda report: report.get("preview")))
    assert seen.previews is not None
    assert seen.previews[0] is not None
    assert await bench.provider.fetch(seen.previews[0]) == b"\xff\xd8 half"
    assert seen.progress == 25
    bench.comfyui.files["output//hexwave_00001_.png"] = b"\x89PNG"
    await bench.comfyui.succeed(prompt_id, SAVED, SHOWN)
    done = bench.provider.parse(await bench.webhook.final())
    assert (done.outcome, done.job_id, len(done.results)) == ("succeeded", prompt_id, 1)
    assert await bench.provider.fetch(done.results[0]) == b"\x89PNG"
    await bench.idle()
    assert [report["status"] for report in bench.webhook.reports].count("success") == 1


async def test_a_workflow_that_only_shows_its_pictures_has_those(bench: Bench) -> None:
    prompt_id = await bench.running()
    await bench.comfyui.succeed(prompt_id, SHOWN)
    assert "type=temp" in bench.provider.parse(await bench.webhook.final()).results[0]


@pytest.mark.parametrize("kind", ["execution_error", "execution_interrupted"])
async def test_a_failure_is_reported(bench: Bench, kind: str) -> None:
    """Of the provider; its words are for the log."""
    prompt_id = await bench.running()
    await bench.comfyui.fail(prompt_id, kind, exception_message="CUDA out of memory " * 500)
    report = bench.provider.parse(await bench.webhook.final())
    assert (report.outcome, report.job_id, report.error_code) == ("failed", prompt_id, "provider_failed")
    assert kind in (report.error or "")


async def test_a_success_without_a_picture_is_a_failure(bench: Bench) -> None:
    prompt_id = await bench.running()
    await bench.comfyui.succeed(prompt_id)
    assert (await bench.webhook.final())["errorCode"] == "provider_failed"


async def test_previews_are_not_more_than_two_a_second(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many come, only what is due is kept; the progress with them all is told."""
    monkeypatch.setattr(module, "PREVIEW_INTERVAL", 3600.0)
    prompt_id = await bench.running()
    for step in range(1, 6):
        await bench.comfyui.preview(prompt_id, b"preview %d" % step)
    await bench.comfyui.progress(prompt_id, 1, 2)
    seen = bench.provider.parse(await bench.webhook.first(lambda report: report.get("progress") == 50))
    assert seen.previews == ("raw:p_1/raw-preview-0",)
    assert await bench.library.get("p_1", "raw-preview-0") == b"preview 1"
    assert await bench.library.get("p_1", "raw-preview-1") is None


async def test_what_is_not_understood_is_passed_over(bench: Bench) -> None:
    """Extensions' own messages, other prompts' and other kinds of binary ones."""
    prompt_id = await bench.running()
    await bench.comfyui.progress(prompt_id, 1, 2)
    for message in (
        "no json",
        "[]",
        '{"type": "crystools.monitor", "data": {"cpu": 1}}',
        '{"type": "progress", "data": {"prompt_id": "other", "value": 1, "max": 2}}',
        json.dumps({"type": "progress", "data": {"prompt_id": prompt_id, "value": 0, "max": 0}}),
        json.dumps({"type": "progress", "data": {"prompt_id": prompt_id, "value": 3, "max": 2}}),
        json.dumps({"type": "progress", "data": {"prompt_id": prompt_id, "value": -1, "max": 2}}),
        json.dumps({"type": "executing", "data": {"prompt_id": "other", "node": None}}),
        b"",
        b"\0\0\0\1",
        b"\0\0\0\3text of a node",
    ):
        await bench.comfyui.send(prompt_id, message)
    await bench.comfyui.preview(prompt_id, b"a metadata preview", kind=4)
    await bench.comfyui.preview(prompt_id, b"a preview")
    seen = bench.provider.parse(await bench.webhook.first(lambda report: "preview" in report))
    assert seen.progress == 50
    assert await bench.library.get("p_1", "raw-preview-0") == b"a preview"


async def test_it_listens_again_after_a_broken_connection(bench: Bench) -> None:
    """And finds by asking what it missed meanwhile."""
    prompt_id = await bench.running()
    await bench.comfyui.hang_up()
    await bench.comfyui.watched(prompt_id)
    await bench.comfyui.progress(prompt_id, 1, 2)
    await bench.webhook.first(lambda report: report.get("progress") == 50)
    bench.comfyui.end(prompt_id, "success", [], SAVED)
    await bench.comfyui.hang_up()
    assert (await bench.webhook.final())["status"] == "success"


async def test_an_end_without_a_word_is_found_by_looking(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even while other messages come all the time."""
    monkeypatch.setattr(watch, "LOOK_INTERVAL", 0.05)
    prompt_id = await bench.running()
    bench.comfyui.end(prompt_id, "success", [], SAVED)

    async def chattering() -> bool:
        await bench.comfyui.send(prompt_id, '{"type": "crystools.monitor", "data": {}}')
        return any(report["status"] == "success" for report in bench.webhook.reports)

    await eventually(chattering)


async def test_it_does_not_listen_for_ever(bench: Bench) -> None:
    """After so many broken connections the rest is left to whoever asks."""
    prompt_id = await bench.running()

    async def given_up() -> bool:
        await bench.comfyui.hang_up()
        return not followed()

    await eventually(given_up)
    assert bench.comfyui.connections == 8
    bench.comfyui.end(prompt_id, "success", [], SAVED)
    assert (await bench.status(prompt_id)).outcome == "succeeded"


async def test_any_worker_can_say_how_it_is(bench: Bench) -> None:
    """Queued, running, done: from ComfyUI's own queue and history."""
    prompt_id = await bench.submitted()
    async with ComfyUI.open(bench.library, bench.fetcher, bench.comfyui.origin) as other:
        job = ProviderJob(name="comfyui", job_id=prompt_id)
        assert await other.status(job) == Report("processing", prompt_id, stage=Stage.QUEUED, ahead=0)
        assert await other.find("p_1") == prompt_id
        await bench.comfyui.run(prompt_id)
        assert await other.status(job) == Report("processing", prompt_id, stage=Stage.PAINTING)
        assert await other.find("p_1") == prompt_id
        await bench.comfyui.succeed(prompt_id, SAVED)
        assert await other.status(job) == bench.provider.parse(await bench.webhook.final())
        assert await other.find("p_1") == prompt_id


async def test_it_is_told_how_many_come_first(bench: Bench) -> None:
    """The prompt that runs and those with lower numbers, in whatever order ComfyUI lists them."""
    prompt_id = await bench.submitted()
    [[number, *rest]] = bench.comfyui.pending
    bench.comfyui.pending = [[number + 1, "later"], [number, *rest], [number - 1, "sooner"], []]
    report = await bench.status(prompt_id)
    assert (report.stage, report.ahead) == (Stage.QUEUED, 1)


async def test_a_prompt_that_comfyui_forgot_has_failed(bench: Bench) -> None:
    """A restart loses its queue; nobody else will ever say so."""
    prompt_id = await bench.submitted()
    bench.comfyui.pending = []
    report = await bench.status(prompt_id)
    assert (report.outcome, report.error_code) == ("failed", "provider_failed")
    assert await bench.provider.find("p_1") is None


async def test_a_comfyui_that_is_away_is_no_answer(bench: Bench) -> None:
    prompt_id = await bench.submitted()
    bench.comfyui.down = True
    with pytest.raises(ProviderUnavailable):
        await bench.status(prompt_id)
    with pytest.raises(SubmissionUnknown):
        await bench.provider.find("p_1")


@pytest.mark.parametrize("entry", [[], {"outputs": []}, {"outputs": {"a": {"images": [{}]}}}])
async def test_a_history_that_cannot_be_read_is_no_answer(bench: Bench, entry: Any) -> None:
    prompt_id = await bench.submitted()
    bench.comfyui.pending, bench.comfyui.history = [], {prompt_id: entry}
    with pytest.raises(ProviderUnavailable):
        await bench.status(prompt_id)


async def test_a_workflow_that_cannot_run_is_the_operators(bench: Bench) -> None:
    """A missing checkpoint, or custom node: nothing that a person at the page could mend."""
    bench.comfyui.missing = "ckpt_name: 'x' not in []"
    with pytest.raises(ProviderNotReady) as error:
        await bench.provider.submit(bench.job())
    assert "ckpt_name" not in error.value.message


async def test_a_comfyui_that_chooses_the_ids_is_too_old(bench: Bench) -> None:
    """No other worker could look its prompts up."""
    bench.comfyui.old = True
    with pytest.raises(ProviderNotReady):
        await bench.provider.submit(bench.job())
    assert followed() == []


async def test_where_nobody_listens_nothing_was_submitted(bench: Bench) -> None:
    async with ComfyUI.open(bench.library, bench.fetcher, f"http://127.0.0.1:{free_port()}") as nowhere:
        with pytest.raises(ProviderUnavailable):
            await nowhere.submit(bench.job())


async def test_a_failing_server_leaves_it_unknown(bench: Bench) -> None:
    bench.comfyui.down = True
    with pytest.raises(SubmissionUnknown):
        await bench.provider.submit(bench.job())


async def test_a_waiting_prompt_is_taken_from_the_queue(bench: Bench) -> None:
    """What runs meanwhile, of somebody else, is not interrupted."""
    prompt_id = await bench.submitted()
    bench.comfyui.running = [[0, "another", {}, {}, []]]
    await bench.cancel(prompt_id)
    assert bench.comfyui.pending == []
    assert bench.comfyui.interrupts == []
    assert followed() == []
    assert bench.webhook.reports == []


async def test_a_running_prompt_is_interrupted_by_its_id(bench: Bench) -> None:
    prompt_id = await bench.running()
    await bench.cancel(prompt_id)
    assert bench.comfyui.interrupts == [{"prompt_id": prompt_id}]
    assert followed() == []


async def test_to_cancel_what_has_ended_is_no_error(bench: Bench) -> None:
    prompt_id = await bench.running()
    await bench.comfyui.succeed(prompt_id, SAVED)
    await bench.webhook.final()
    await bench.idle()
    await bench.cancel(prompt_id)
    await bench.cancel("never-heard-of")
    assert bench.comfyui.interrupts == []


async def test_nothing_listens_once_the_provider_is_closed(bench: Bench) -> None:
    async with ComfyUI.open(bench.library, bench.fetcher, bench.comfyui.origin) as closing:
        prompt_id = await closing.submit(bench.job())
        await bench.comfyui.watched(prompt_id)
    assert followed() == []


async def test_only_its_own_pictures_are_fetched(bench: Bench) -> None:
    """No other path of it, no other place."""
    bench.comfyui.history["x"] = {}
    for url in (f"{bench.comfyui.origin}/history/x", "https://example.org/view?filename=x", "raw:p_1/0.webp"):
        with pytest.raises(ResultLost):
            await bench.provider.fetch(url)


async def test_a_hostile_report_is_refused(bench: Bench) -> None:
    for body in (None, [], {"status": "done"}, {"status": "success", "images": ["u"] * 17}):
        with pytest.raises(InvalidRequest):
            bench.provider.parse(body)


def node(**inputs: Any) -> dict[str, Any]:
    return {"1": {"class_type": "Any", "inputs": {"text": "%prompt%"} | inputs}}


def written(directory: Path, workflow: Any) -> Path:
    path = directory / "ink.json"
    path.write_text(workflow if isinstance(workflow, str) else json.dumps(workflow))
    return path


@pytest.mark.parametrize(
    ("workflow", "reason"),
    [
        ("{", "JSON"),
        ("[" * 100_000, "JSON"),
        ([], "API format"),
        ({}, "API format"),
        ({"nodes": [], "links": []}, "API format"),
        (node(seed="%sed%"), "%sed%"),
        ({"1": {"class_type": "Any", "inputs": {"text": "a cat"}}}, "%prompt%"),
        (node(width="%width%"), "together"),
    ],
)
def test_a_template_that_cannot_work_stops_the_start(tmp_path: Path, workflow: Any, reason: str) -> None:
    """With the setting, the file and what to do in the error."""
    with pytest.raises(SettingsError) as error:
        Workflow.read(written(tmp_path, workflow), "x")
    assert "COMFYUI_WORKFLOW" in error.value.message
    assert "ink.json" in error.value.message
    assert reason in error.value.message


def test_a_template_that_is_not_there_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError):
        Workflow.read(tmp_path / "none.json", "x")


@pytest.mark.parametrize(
    ("workflow", "inputs"),
    [
        (node(), {"prompt"}),
        (node(seed="%seed%"), {"prompt", "seed"}),
        (node(w="%width%", h="%height%"), {"prompt", "aspect_ratio"}),
        (node(text="%prompt%, %style%", prefix="%year%-%month%/%style%"), {"prompt", "style"}),
        (node(nested=[{"n": "%count%"}], x=None, y=1.5), {"prompt", "count"}),
    ],
)
def test_a_model_takes_what_its_template_has_slots_for(
    tmp_path: Path, workflow: Any, inputs: set[str]
) -> None:
    assert set(Workflow.read(written(tmp_path, workflow), "x").inputs) == inputs


def test_slots_within_words_become_words(tmp_path: Path) -> None:
    """ComfyUI's own, for the names of files, are left to it; without a style there is none."""
    workflow = node(text="%prompt%, %style%: %seed%", prefix="%year%/%seed%", seed="%seed%")
    filled = Workflow.read(written(tmp_path, workflow), "x").filled(ImageRequest(prompt="sea", seed=7))
    assert filled["1"]["inputs"] == {"text": "sea, : 7", "prefix": "%year%/7", "seed": 7}


def test_the_workflow_that_comes_along_takes_all_but_a_style() -> None:
    assert set(Workflow.read(SDXL, "x").inputs) == {
        *("prompt", "negative_prompt", "aspect_ratio", "count", "seed"),
    }


async def test_its_whole_life(data_dir: Path) -> None:
    """Asked for over our API, seen in the making, kept; and one that is stopped while it runs."""
    async with (
        served_app(data_dir) as served,
        comfyui() as fake,
        Fetcher.open() as fetcher,
        ComfyUI.open(served.services.library, fetcher, fake.origin) as provider,
        travelling(served, provider) as traveller,
    ):
        fake.files = {"output//hexwave_00001_.png": picture()}
        process_id = await traveller.asks(negativePrompt="people")
        prompt_id = await queued(fake)
        await fake.run(prompt_id)
        await fake.preview(prompt_id, picture())
        await fake.progress(prompt_id, 1, 4)
        shown = await traveller.sees(process_id, progress=25, stage="painting")
        assert await traveller.gets(shown["data"]["preview"][0])
        await fake.succeed(prompt_id, SAVED)
        done = await traveller.guest.ended(process_id)
        assert (done["status"], len(done["data"]["generations"])) == ("completed", 1)
        await traveller.sees_no_raw_files(process_id)

        process_id = await traveller.asks()
        prompt_id = await queued(fake)
        await fake.run(prompt_id)
        await traveller.guest.http.post(f"/api/processes/{process_id}/cancel")

        async def interrupted() -> bool:
            return fake.interrupts == [{"prompt_id": prompt_id}]

        await eventually(interrupted)


async def queued(fake: FakeComfyUI) -> str:
    """The id of the one prompt in the queue, once it is there and listened to."""

    async def there() -> str | None:
        return next((prompt[1] for prompt in fake.pending if prompt[1] in fake.sockets), None)

    return await eventually(there)
