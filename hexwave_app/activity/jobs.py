"""How long each provider's jobs take."""

from collections import defaultdict

from hexwave_app.activity.samples import Samples
from hexwave_app.processes.model import Process
from hexwave_app.processes.observer import Act, Deed

_Alike = tuple[str, str, str, int, int, bool]


class JobTimes:
    """Seconds from created to completed: by the provider's name, and of jobs alike."""

    def __init__(self) -> None:
        self._times: defaultdict[str, Samples] = defaultdict(Samples)
        self._alike: defaultdict[_Alike, Samples] = defaultdict(Samples)

    def of(self, provider: str) -> Samples:
        return self._times[provider]

    def typical(self, process: Process) -> float | None:
        """The median of jobs for the same tool, by the same model, of as much; None before any."""
        like = _like(process)
        return self._alike[like].median if like in self._alike else None

    def observe(self, act: Act) -> None:
        if act.deed is Deed.SAVED and act.process is not None:
            process = act.process
            seconds = (process.updated_at - process.created_at).total_seconds()
            self._times[process.provider.name].add(seconds)
            self._alike[_like(process)].add(seconds)


def _like(process: Process) -> _Alike:
    """How many results, how long they are, and whether a picture begins them: that is what takes time."""
    provider, req = process.provider, process.data.req
    extent = req.get("count", 1), req.get("seconds", 0), "firstFrame" in req
    return process.tool_name, provider.name, provider.model or "", *extent
