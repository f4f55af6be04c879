"""A race: several libraries and modes train the same net, round by round, each in a process of its own.

A measurement is a `fit` over all images (shuffled, no callbacks, silent) divided by its number of batches;
nothing is taken off it. The first step, which compiles, and one whole `fit` are not counted.
"""

import statistics
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from . import data, table, timing
from .nets import NETS
from .process import TITLES, Setup, Worker, WorkerError, available, come_to_rest
from .training import MODES

TOLERANCE = 0.10  # libraries draw other batches and dropout masks: mean losses may differ by this fraction


class Contender(NamedTuple):
    """One way to train; `use` chooses tinynet's kernels by name, `options` go to its compile."""

    library: str
    mode: str
    threads: int
    use: dict[str, str] = {}  # noqa: RUF012  (never changed)
    options: dict[str, Any] = {}  # noqa: RUF012

    def __str__(self) -> str:
        return f"{TITLES[self.library]}, {self.mode}, {table.count(self.threads, 'thread')}"


def images(net: str, wanted: int | None = None) -> int:
    """Images of one `fit`: enough that its beginning and end cost little beside its steps."""
    return wanted or (8192 if NETS[net].megaflops > 5 else 16384)


def contenders(setup: Setup, libraries: Sequence[str], modes: Sequence[str] | None = None) -> list[Contender]:
    """All modes of the libraries that are installed."""
    return [
        Contender(library, mode, setup.threads)
        for library in available(setup, list(libraries))
        for mode in MODES[library]
        if not modes or mode in modes
    ]


def write_data(net: str, count: int, folder: Path) -> str:
    """Images, labels and the common first weights of a net as files; what the images are."""
    from .training import keras_net, load_library

    arrays, title = data.load(NETS[net].data, count)
    weights = keras_net(load_library("tinynet"), net).get_weights()
    data.save(folder, weights, **arrays)
    return title


class Race:
    """Several contenders train the same net, round by round, each in its own process."""

    def __init__(self, setup: Setup, net: str, batch: int, count: int) -> None:
        self.setup, self.net, self.batch, self.count = setup, net, batch, max(count // batch, 1) * batch
        self.answers: dict[str, dict[str, Any]] = {}  # by the name of the contender
        self.left_out: list[str] = []

    def run(self, entered: Sequence[Contender], rounds: int) -> list[dict[str, Any]]:
        """A record for each contender that finished; a line about each that did not."""
        with ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            title = write_data(self.net, self.count, Path(folder))
            workers: dict[str, Worker] = {}
            for contender in entered:
                print(f"preparing {contender}", flush=True)
                with self._forgiving(str(contender), workers):
                    setup = self.setup._replace(threads=contender.threads)
                    worker = stack.enter_context(Worker(contender.library, setup))
                    workers[str(contender)] = worker
                    self.answers[str(contender)] = self._prepare(worker, contender, folder)
            for number in range(rounds + 1):
                names = list(workers)
                for i in range(len(names)):
                    name = names[(i + number) % len(names)]  # nobody is always behind the same other one
                    with self._forgiving(name, workers):
                        self._train(name, workers[name])
            for name, worker in workers.items():
                self.answers[name]["peak_bytes"] = worker.ask("memory")
            return self._records([c for c in entered if str(c) in workers], title)

    def _prepare(self, worker: Worker, contender: Contender, folder: str) -> dict[str, Any]:
        answer = worker.ask(
            "prepare", net=self.net, mode=contender.mode, batch=self.batch, folder=folder,
            use=contender.use, options=contender.options,
        )  # fmt: skip
        return {
            "library": contender.library,
            "versions": worker.ask("versions"),
            "losses": [],
            "seconds": [],
            **answer,
        }

    def _train(self, name: str, worker: Worker) -> None:
        come_to_rest()
        answer = worker.ask("train")
        self.answers[name]["losses"].append(answer["loss"])
        self.answers[name]["seconds"].append(answer["seconds"])

    @contextmanager
    def _forgiving(self, name: str, workers: dict[str, Worker]) -> Iterator[None]:
        """A contender that fails leaves the race; the others go on."""
        try:
            yield
        except WorkerError as error:
            print(f"{name} is left out: {error.last_line()}")
            self.left_out.append(name)
            if (worker := workers.pop(name, None)) is not None:
                worker.close()

    def _records(self, finished: Sequence[Contender], title: str) -> list[dict[str, Any]]:
        steps = self.count // self.batch
        means = [statistics.fmean(self.answers[str(c)]["losses"]) for c in finished]
        middle = statistics.median(means) if means else 0.0
        records = []
        for c, mean in zip(finished, means, strict=True):
            a = self.answers[str(c)]
            records.append({
                "net": self.net, "batch": self.batch, "library": c.library, "mode": c.mode,
                "threads": c.threads,
                "data": title, "images": self.count,
                "step_s": timing.summary([s / steps for s in a["seconds"][1:]]),
                "rounds_s": [s / steps for s in a["seconds"][1:]],
                "import_s": a["import_s"], "first_step_s": a["first_step_s"], "losses": a["losses"],
                "same_loss": abs(mean - middle) <= TOLERANCE * middle + 0.01,
                "import_bytes": a["import_bytes"], "peak_bytes": a["peak_bytes"],
            })  # fmt: skip
        return records

    def versions(self) -> dict[str, dict[str, str]]:
        """Versions of the packages of each library."""
        return {answer["library"]: answer["versions"] for answer in self.answers.values()}
