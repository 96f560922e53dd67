"""report.html: written by every orderly exit and on request, and never in the way of anything else."""

from __future__ import annotations

from contextlib import closing

from batchrunner.ledger import Store
from batchrunner.outputs.remembered import look, read_tallies

from .acts import answers
from .command import FAST, simulating

DISK = 74


def test_a_run_leaves_a_page_of_its_films_and_failures(batch, fake):
    batch.write("fox", "owl")
    fake.always("submit", answers(422, {"detail": "no owls"}), text="owl")

    outcome = batch.run()

    page = (batch.folder / "report.html").read_text("utf-8")
    assert outcome.code == 1
    assert "<b>1 film</b>" in page
    assert f"batchrunner resume {batch.folder} --retry refused" in page
    assert "videos/fox.mp4" in page


def test_the_next_page_need_not_count_what_this_one_did(batch, fake):
    batch.write("fox", "owl")
    fake.always("submit", answers(422, {"detail": "no owls"}), text="owl")

    batch.run()

    with closing(Store.read_only(batch.folder / "ledger.sqlite")) as store:
        tallied = read_tallies(store, look(store))
    assert len(tallied.all) == 1
    assert tallied.new == []


def test_the_page_never_holds_the_token(batch):
    batch.write("fox")

    batch.run()

    assert batch.env()["RUNCOMFY_API_TOKEN"] not in (batch.folder / "report.html").read_text("utf-8")


def test_the_command_of_the_page_redoes_just_those_jobs(batch, fake):
    batch.write("fox", "owl")
    fake.always("submit", answers(422, {"detail": "no owls"}), text="owl")
    batch.run()
    fake.mend()

    outcome = batch.resume("--retry", "refused")

    assert outcome.code == 0
    assert batch.states == {"succeeded": 2}
    assert "2 films</b>" in (batch.folder / "report.html").read_text("utf-8")


def test_a_simulator_at_any_address_makes_the_first_page_a_rehearsal_already(batch):
    batch.write("fox")

    with simulating(batch.home, "--service-time", "0.1") as address:
        where = (batch.manifest, "-o", batch.folder, "--base-url", address)
        outcome = batch.call("run", *where, *FAST)

    assert outcome.code == 0
    assert "rehearsal" in outcome.err
    assert "<strong>REHEARSAL</strong>" in (batch.folder / "report.html").read_text("utf-8")


def test_the_end_screen_names_the_page(batch):
    batch.write("fox")

    outcome = batch.run()

    assert f"report     {batch.folder}/report.html" in outcome.err.splitlines()


def test_the_page_is_written_anew_on_request_and_its_name_told(batch):
    batch.write("fox")
    batch.run()
    (batch.folder / "report.html").unlink()

    outcome = batch.call("report", batch.folder)

    assert (outcome.code, outcome.out.strip()) == (0, str(batch.folder / "report.html"))
    assert (batch.folder / "report.html").is_file()


def test_a_folder_without_a_ledger_has_no_report(batch, tmp_path):
    assert batch.call("report", tmp_path).code == 66


def test_a_disk_that_is_full_at_the_report_loses_nothing_and_is_told(batch):
    batch.folder.mkdir()
    (batch.folder / ".report.html.part").symlink_to("/dev/full")
    batch.write("fox")

    outcome = batch.run()

    assert outcome.code == DISK
    assert "cannot be written" in outcome.err
    assert batch.states == {"succeeded": 1}
    assert (batch.folder / "metadata.jsonl").is_file()
    assert not (batch.folder / "report.html").exists()
    assert batch.run().code == 0


def test_what_stands_in_the_pages_place_is_warned_of_and_left_alone(batch):
    (batch.folder / "report.html").mkdir(parents=True)
    batch.write("fox")

    outcome = batch.run("--progress", "plain")

    assert outcome.code == 0
    assert "report.html could not be written" in outcome.err
    assert batch.states == {"succeeded": 1}
    assert not list((batch.folder / "report.html").iterdir())
