"""What programs read: the shapes of ``--json`` and of the files a run writes."""

from __future__ import annotations

import hashlib
import json

from .acts import answers, status
from .command import FAST
from .fake_service import MODEL, film_of

STATES = {"pending", "submitting", "submitted", "ready", "succeeded", "failed", "cancelled", "unknown"}
RESULT_KEYS = {
    "id", "row", "model", "status", "inputs", "meta", "request_id", "attempts", "outputs", "error",
    "cost_usd", "submitted_at", "completed_at", "saved_at", "in_manifest",
}  # fmt: skip


def test_validate_names_every_problem_of_every_row_in_one_pass(batch):
    batch.write("fox", {"id": "two", "text": "x", "duration": 99, "ratio": "5:4"}, {"id": "fox", "text": "y"})

    outcome = batch.call("validate", batch.manifest, "--json")

    errors = outcome.json["errors"]
    assert outcome.code == 65
    assert outcome.json["jobs"] == 1
    assert {(e["line"], e["id"], e["field"]) for e in errors} == {
        (2, "two", "duration"), (2, "two", "ratio"), (3, "fox", "id")
    }  # fmt: skip
    assert all(set(e) == {"file", "line", "row", "id", "field", "message"} for e in errors)
    assert all(e["file"].endswith("jobs.jsonl") for e in errors)


def test_validate_of_a_good_manifest_says_how_many_jobs(batch, fake):
    batch.write("fox", "owl")

    outcome = batch.call("validate", batch.manifest, "--json", RUNCOMFY_API_TOKEN="")

    assert outcome.code == 0
    assert outcome.json == {"jobs": 2, "errors": []}
    assert fake.seen == []


def test_validate_without_a_single_job_still_answers_in_json(batch):
    batch.manifest.write_text("")

    outcome = batch.call("validate", batch.manifest, "--json")

    assert outcome.code == 65
    assert outcome.json["jobs"] == 0
    assert len(outcome.json["errors"]) == 1


def test_the_plan_adds_up_and_is_what_the_run_then_does(batch, fake):
    batch.write("fox", "owl", "cat")
    batch.run("--only", "fox")
    batch.run("--only", "owl", "--submit-only")
    posts = fake.posts()

    plan = batch.plan("--limit", 1)
    batch.run("--limit", 1)

    assert {"total", "submit", "collect", "skip", "reasons", "cost_usd"} <= set(plan)
    assert (plan["total"], plan["submit"], plan["collect"], plan["skip"]) == (3, 1, 1, 1)
    assert sum(plan["reasons"].values()) == plan["total"]
    assert fake.posts() == posts + plan["submit"]
    assert batch.states == {"succeeded": 3}


def test_a_plan_leaves_the_folder_as_it_is(batch):
    batch.write("fox")
    batch.run()
    before = {path.name: path.read_bytes() for path in batch.folder.iterdir() if path.is_file()}
    batch.write({"id": "fox", "text": "a red fox"}, "owl")

    plan = batch.plan("--redo", "*")

    after = {path.name: path.read_bytes() for path in batch.folder.iterdir() if path.is_file()}
    assert plan["submit"] == 2
    assert {name: after[name] for name in before} == before


def test_run_prints_one_event_a_line_and_the_summary_last(batch, fake):
    batch.write("fox", "owl")
    fake.always("result", status("failed", error="the dog ate it"), text="owl")

    outcome = batch.run("--json", "--max-attempts", 1)

    events = outcome.lines
    summary = events[-1]
    assert all("event" in event for event in events)
    assert [event["event"] for event in events].count("summary") == 1
    assert summary["event"] == "summary"
    assert summary["exit_code"] == outcome.code == 1
    assert set(summary["states"]) == STATES
    assert {k: n for k, n in summary["states"].items() if n} == {"succeeded": 1, "failed": 1}
    assert summary["cost_usd"] == 0.07


def test_run_ends_in_a_summary_also_where_it_cannot_begin(batch):
    batch.write({"id": "fox", "text": "fox", "duration": 99})

    invalid = batch.run("--json")
    batch.write("fox")
    without_token = batch.run("--json", RUNCOMFY_API_TOKEN="")

    assert [invalid.lines[-1]["exit_code"], without_token.lines[-1]["exit_code"]] == [65, 77]
    assert {line["event"] for line in invalid.lines + without_token.lines} == {"summary"}


def test_status_counts_all_eight_states_and_they_add_up(batch, fake):
    batch.write("fox", "owl", "cat")
    batch.run("--only", "fox")
    batch.write({"id": "fox", "text": "a red fox"}, "owl")
    batch.run("--submit-only")

    found = batch.status()

    assert set(found["states"]) == STATES
    assert sum(found["states"].values()) == found["total"] == 2
    assert (found["gone"], found["superseded"]) == (1, 1)


def test_a_line_of_the_results_says_everything_about_its_job(batch, fake):
    batch.write(
        {"id": "fox", "text": "fox", "duration": 5, "meta": {"shelf": 3}}, {"id": "owl", "text": "owl"}
    )
    fake.always("submit", answers(422, {"detail": "no owls"}), text="owl")

    batch.run()

    fox, owl = batch.results()["fox"], batch.results()["owl"]
    (output,) = fox["outputs"]
    content = (batch.folder / output["file"]).read_bytes()
    assert set(fox) == set(owl) == RESULT_KEYS
    assert (fox["row"], owl["row"]) == (1, 2)
    assert (fox["model"], fox["status"], fox["request_id"], fox["attempts"]) == (
        MODEL,
        "succeeded",
        "rq-0001",
        1,
    )
    assert fox["inputs"] == {"text": "fox", "duration": 5, "images": ["https://images.example.com/fox.png"]}
    assert (fox["meta"], fox["error"], fox["cost_usd"], fox["in_manifest"]) == (
        {"shelf": 3},
        None,
        0.07,
        True,
    )
    assert fox["submitted_at"] <= fox["completed_at"] <= fox["saved_at"]
    assert content == film_of("fox")
    assert output == {
        "file": "videos/fox.mp4", "kind": "video", "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(), "url": f"{fake.films}/out/rq-0001/output.mp4",
    }  # fmt: skip
    assert (owl["status"], owl["request_id"], owl["outputs"]) == ("failed", None, [])
    assert set(owl["error"]) == {"code", "message", "service_code"}
    assert owl["error"]["code"] == "refused"
    assert "no owls" in owl["error"]["message"]


def test_the_metadata_carry_each_input_under_its_own_name(batch):
    batch.write({"id": "fox", "text": "a fox", "seed": 7, "meta": {"shelf": 3}})
    batch.run()

    (line,) = map(json.loads, (batch.folder / "metadata.jsonl").read_text().splitlines())

    assert line["file_name"] == "videos/fox.mp4"
    assert (line["id"], line["model"], line["text"], line["seed"]) == ("fox", MODEL, "a fox", 7)
    assert (batch.folder / "README.md").read_text().startswith("---\nconfigs:")


def test_a_readme_of_the_users_own_is_left_alone(batch):
    batch.write("fox")
    batch.folder.mkdir()
    (batch.folder / "README.md").write_text("my notes\n")

    assert batch.run().code == 0
    assert (batch.folder / "README.md").read_text() == "my notes\n"


def test_the_log_is_json_lines_and_tells_each_job_from_submission_to_end(batch):
    batch.write("fox")
    batch.run()

    events = [json.loads(line) for line in (batch.folder / "run.log").read_text().splitlines()]

    names = [event["event"] for event in events if event.get("id") == "fox"]
    assert names == ["submitting", "submitted", "ready", "succeeded"]


def test_only_what_stands_under_output_is_an_output_whatever_its_shape(batch, fake):
    def output(shape):
        return lambda exchange: status(
            "completed", output=shape(f"{fake.films}/out/{exchange.request.id}/o.mp4"),
            input={"video": "http://127.0.0.1:9/input.mp4"},
        )(exchange)  # fmt: skip

    shapes = {
        "text": lambda url: url,
        "list": lambda url: [url, url + "?second"],
        "videos": lambda url: {"videos": [url, url]},
        "nested": lambda url: {"clips": [{"file": {"url": url}}]},
    }
    batch.write(*shapes)
    for name, shape in shapes.items():
        fake.always("result", output(shape), text=name)

    outcome = batch.run()

    files = {name: [o["file"] for o in line["outputs"]] for name, line in batch.results().items()}
    assert outcome.code == 0
    assert files == {
        "text": ["videos/text.mp4"],
        "list": ["videos/list.mp4", "videos/list.2.mp4"],
        "videos": ["videos/videos.mp4"],
        "nested": ["videos/nested.mp4"],
    }


def test_every_flag_has_its_environment_name(batch, fake):
    batch.write("fox", "owl")

    outcome = batch.call(
        "run", batch.manifest, BATCHRUNNER_OUTPUT=str(batch.folder), BATCHRUNNER_BASE_URL=fake.url,
        BATCHRUNNER_POLL_INTERVAL="0.05", BATCHRUNNER_PROGRESS="none", BATCHRUNNER_LIMIT="1",
        BATCHRUNNER_JSON="1",
    )  # fmt: skip

    assert outcome.lines[-1]["states"]["succeeded"] == 1
    assert fake.posts() == 1


def test_the_service_may_be_named_by_its_official_name(batch, fake):
    batch.write("fox")

    outcome = batch.call("run", batch.manifest, "-o", batch.folder, *FAST, RUNCOMFY_BASE_URL=fake.url)

    assert outcome.code == 0
    assert fake.posts() == 1
