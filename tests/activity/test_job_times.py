"""How long jobs take, for those that are to come."""

from datetime import timedelta

from hexwave_app.activity.jobs import JobTimes
from hexwave_app.processes import Act, Deed, Process, ProviderJob


def job(count: int = 1, model: str = "small", tool: str = "image-generator", **req: object) -> Process:
    return Process.begin(
        user_id="g_abcdefghij",
        tool_name=tool,
        category="image",
        req={"prompt": "sea", "count": count, **req},
        provider=ProviderJob(name="demo", model=model),
    )


def took(process: Process, seconds: float, deed: Deed = Deed.SAVED) -> Act:
    ended = process.created_at + timedelta(seconds=seconds)
    return Act(deed, process=process.model_copy(update={"updated_at": ended}))


def test_jobs_alike_say_how_long_a_job_takes() -> None:
    """Their median, so that one that was stuck says little."""
    times = JobTimes()
    for seconds in (6, 8, 900):
        times.observe(took(job(), seconds))
    assert times.typical(job()) == 8
    assert times.of("demo").values == [6, 8, 900]


def test_others_say_nothing() -> None:
    """Neither of another tool, model, number or length, nor with a first frame; nor one that failed."""
    times = JobTimes()
    for other in (
        *(job(count=4), job(model="large"), job(tool="video-generator")),
        *(job(seconds=6), job(firstFrame="p_1/0")),
    ):
        times.observe(took(other, 8))
    times.observe(took(job(), 8, Deed.FAILED))
    assert times.typical(job()) is None
