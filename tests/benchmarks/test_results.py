"""The JSON: it is checked when it is read, kept whole when it is written, and described."""

import json
from pathlib import Path

import pytest
import tiny

from benchmarks import results, roof, timing

SCHEMA = (Path(results.__file__).parent / "SCHEMA.md").read_text(encoding="utf-8")


def test_a_file_comes_back_as_it_was(tmp_path):
    path = tmp_path / "a.json"
    results.save(path, tiny.content())
    assert results.load(path) == json.loads(json.dumps(tiny.content()))
    assert results.check(tiny.content()) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c.pop("machine"), "has no 'machine'"),
        (lambda c: c.update(schema=7), "schema 7"),
        (lambda c: c["levels"]["steps"][1].pop("net"), r"steps\[1\] has no 'net'"),
        (lambda c: c["levels"]["steps"][0].update(batch="128"), r"steps\[0\].batch is '128'"),
        (lambda c: c["levels"]["steps"][0].update(same_loss=1), "same_loss"),
        (lambda c: c["levels"]["kernels"][0]["seconds"].pop("q1"), r"kernels\[0\].seconds has no 'q1'"),
        (lambda c: c["levels"].update(stairs=[]), "unknown level 'stairs'"),
        (lambda c: c["runs"][0].pop("commit"), r"runs\[0\] has no 'commit'"),
    ],
)
def test_a_mistake_is_named(tmp_path, change, words):
    content = tiny.content()
    change(content)
    path = tmp_path / "a.json"
    path.write_text(json.dumps(content))
    with pytest.raises(SystemExit, match=words):
        results.load(path)


def test_what_is_no_result_is_refused(tmp_path):
    with pytest.raises(SystemExit, match="No such file"):
        results.load(tmp_path / "nothing.json")
    (tmp_path / "text.json").write_text("no")
    with pytest.raises(SystemExit, match="not a JSON file"):
        results.load(tmp_path / "text.json")


def test_every_field_is_described():
    for level, fields in results.FIELDS.items():
        assert f"`{level}`" in SCHEMA
        for name in [*fields, *results.SECONDS, *results.ORIGIN]:
            assert f"`{name}`" in SCHEMA or f".{name}`" in SCHEMA, name


def test_new_records_take_the_place_of_old_ones(tmp_path):
    kept = results.Results(tmp_path / "new" / "a.json", tiny.content()["machine"])
    kept.begin("steps", {"date": "", "commit": "", "threads": 2, "versions": {}}, fresh=False)
    kept.add("steps", [tiny.step("tinynet", "fit", 0.5), tiny.step("torch", "eager", 0.6)])
    kept.add("steps", [tiny.step("tinynet", "fit", 0.4)])
    again = results.Results(tmp_path / "new" / "a.json", tiny.content()["machine"])
    assert [r["step_s"]["median"] for r in again.records("steps")] == [0.6, 0.4]
    assert again.has("steps", net="model-9", library="torch")
    assert not again.has("steps", net="model-7")
    again.begin("steps", {"date": "", "commit": "", "threads": 2, "versions": {}}, fresh=True)
    assert again.records("steps") == []


def test_another_machine_has_another_file(tmp_path):
    results.save(tmp_path / "a.json", tiny.content())
    with pytest.raises(SystemExit, match="another machine"):
        results.Results(tmp_path / "a.json", {"processor": "B"})
    same_name = {**tiny.content()["machine"], "core": "znver5"}
    with pytest.raises(SystemExit, match=r"A processor; this is A processor \(znver5\)"):
        results.Results(tmp_path / "a.json", same_name)
    xeon = {"processor": "Intel(R) Xeon(R) CPU @ 2.30GHz", "core": "cascadelake"}
    assert results.default_path(xeon).name == "intel-xeon-2.30ghz-cascadelake.json"


def test_the_roof_is_the_lower_of_peak_and_bandwidth():
    peak = tiny.content()["levels"]["peak"][0]
    assert roof.floor(peak, 4.4e11, 1000.0) == (1.0, "compute")
    assert roof.floor(peak, 1.0, 1 << 20) == ((1 << 20) / 2e11, "memory")
    assert roof.bandwidth(peak, 1 << 24) == roof.bandwidth(peak, 1 << 30) == 3e10
    faster = {
        **peak,
        "flops": 5e11,
        "bandwidth": [{**entry, "bytes_per_s": 1e11} for entry in peak["bandwidth"]],
    }
    best = roof.higher(peak, faster)
    assert best["flops"] == 5e11
    assert [entry["bytes_per_s"] for entry in best["bandwidth"]] == [2e11, 1e11]


def test_summaries():
    assert timing.summary([3.0, 1.0, 2.0]) == {"median": 2.0, "q1": 1.5, "q3": 2.5, "min": 1.0, "samples": 3}
    assert timing.summary([3.0])["q3"] == 3.0
    calls = []
    assert len(timing.sample(lambda: calls.append(1), 1e-4)) == 2
    assert len(calls) > 3
