"""YAML manifests mean what people mean."""

from __future__ import annotations

import pytest

JOB = "images: ['https://images.example.com/a.png']"


def test_plain_scalars_are_what_the_schema_wants(read):
    job = read(f"- {{id: 007, text: no, ratio: 16:9, duration: 5, seed: -3, {JOB}}}").only

    assert job.id == "007"
    assert job.inputs == {
        "text": "no", "ratio": "16:9", "duration": 5, "seed": -3, "images": ["https://images.example.com/a.png"],
    }  # fmt: skip
    assert type(job.inputs["text"]) is str


@pytest.mark.parametrize(
    "text", ["on", "yes", "1.10", "2024-01-01", "0x1F", "1_000", "12:30:45", "true", ".inf"]
)
def test_text_stays_as_it_is_written(read, text):
    assert read(f"- {{text: {text}, {JOB}}}").only.inputs["text"] == text


@pytest.mark.parametrize(
    ("written", "kept"),
    [("5", 5), ("1.5", 1.5), ("true", True), ("007", "007"), ("1.10", "1.10"), ("no", "no"), ("'5'", "5"),
     ("1e3", "1e3"), ("9" * 5000, "9" * 5000), ("[a, 2, ~]", ["a", 2, None])],
)  # fmt: skip
def test_notes_are_numbers_only_where_they_would_be_written_back_the_same(read, written, kept):
    assert read(f"- {{text: a, meta: {{note: {written}}}, {JOB}}}").only.meta == {"note": kept}


def test_a_whole_float_is_the_whole_number_it_is(read):
    job = read(f"- {{text: a, duration: 5.0, {JOB}}}").only

    assert (job.inputs["duration"], type(job.inputs["duration"])) == (5, int)


def test_quoted_text_is_no_number_and_the_hint_says_so(read):
    assert read(f"- {{text: a, seed: '5', {JOB}}}").said == [
        'm.yaml:1: seed: "5" is not a whole number (write it without quotes)'
    ]


def test_null_is_absent_so_that_the_default_applies(read):
    job = read(
        f"defaults: {{ratio: 1:1}}\njobs:\n- {{text: a, ratio: ~, seed: null, resolution: , {JOB}}}"
    ).only

    assert job.inputs.keys() == {"text", "images", "ratio"}
    assert job.inputs["ratio"] == "1:1"


def test_a_problem_names_the_line_of_its_field_and_of_its_row(read):
    (problem,) = read(
        "jobs:\n\n- id: a\n  text: a\n  images:\n    - https://a.example/1\n    - nope\n"
    ).problems

    assert (problem.place.line, problem.place.row, problem.id, problem.field) == (7, 3, "a", "images[1]")


def test_a_repeated_name_is_refused_with_both_lines(read):
    assert read(f"- text: a\n  text: b\n  {JOB}\n").said == [
        'm.yaml:2: "text" stands twice, here and on line 1'
    ]


def test_a_repeated_name_at_the_top_is_refused_with_both_lines(read):
    assert read(f"jobs: [{{text: a, {JOB}}}]\nmodel: x\nmodel: y\n", model=None).said[0] == (
        'm.yaml:3: "model" stands twice, here and on line 2'
    )


def test_defaults_may_stand_after_the_jobs(read):
    assert read(f"jobs:\n- {{text: a, {JOB}}}\ndefaults:\n  ratio: 1:1\n").only.inputs["ratio"] == "1:1"


def test_aliases_and_merge_keys_work(read):
    job = read(
        f"jobs:\n- &first {{id: a, text: a, ratio: 1:1, {JOB}}}\n- {{<<: *first, id: b, ratio: 4:3}}\n"
    ).jobs[1]

    assert (job.id, job.inputs["text"], job.inputs["ratio"]) == ("b", "a", "4:3")


def test_of_several_merged_mappings_the_first_wins(read):
    job = read(
        f"defaults: &d {{seed: 1, ratio: 1:1}}\njobs:\n- {{id: a, text: a, {JOB}, <<: [{{seed: 2}}, *d]}}\n"
    ).only

    assert (job.inputs["seed"], job.inputs["ratio"]) == (2, "1:1")


def test_a_quoted_merge_sign_is_a_name(read):
    assert read(f"- {{text: a, {JOB}, meta: {{'<<': {{a: 1}}}}}}").only.meta == {"<<": {"a": 1}}


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system", "!!binary", "!mine", "!!timestamp"])
def test_tags_that_make_objects_are_refused(read, tag):
    (said,) = read(f"- {{text: {tag} ls, {JOB}}}").said

    assert "is not allowed (write the value without a tag)" in said


def test_the_plain_core_tags_are_allowed(read):
    job = read(f"- {{text: !!str 5, seed: !!int 5, {JOB}}}").only

    assert (job.inputs["text"], job.inputs["seed"]) == ("5", 5)


def test_an_alias_without_an_anchor_is_a_problem(read):
    assert "*nobody has no anchor &nobody before it" in read(f"- {{text: *nobody, {JOB}}}").said[0]


def test_an_alias_inside_its_own_anchor_is_a_problem(read):
    assert "*x has no anchor" in read(f"- {{text: a, {JOB}, meta: {{loop: &x [*x]}}}}").said[0]


def test_an_alias_bomb_is_refused(read):
    lines = ["- &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"- &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 12)]

    assert "aliases that stand for more than" in read("\n".join(lines)).said[-1]


@pytest.mark.parametrize(
    "opening", ["\n" + "- " * 200_000, "[" * 200_000, "{a: " * 200_000, "\n" + "[" * 200_000]
)
def test_nesting_without_end_is_one_problem(read, opening):
    (said,) = read(f"jobs: {opening}").said

    assert "nested more than 64 deep" in said


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("jobs:\n- text: a: b\n", "m.yaml:2: not valid YAML: mapping values are not allowed in this context"),
        ("jobs:\n- text: 'a\n", "m.yaml:3: not valid YAML: found unexpected end of stream"),
        ("jobs:\n\t- a\n", "m.yaml:2: not valid YAML: found character that cannot start any token"),
        ("jobs: []\n---\njobs: []\n", "m.yaml:2: a second document (---) in one manifest"),
    ],
)
def test_broken_yaml_is_one_problem_with_its_line(read, content, said):
    (only,) = read(content).said

    assert only.startswith(said)


def test_bytes_that_are_no_text_are_one_problem_with_their_line(read):
    (said,) = read(b"jobs:\n- text: \xff\n").said

    assert said.startswith("m.yaml:2: not valid YAML:")


@pytest.mark.parametrize("content", ["", "# nothing\n", "jobs:\n", "jobs: []\n", "[]", "~", "model: x\n"])
def test_a_manifest_without_jobs_is_a_problem(read, content):
    assert read(content).said == ["m.yaml:1: no jobs at all (a manifest names at least one job)"]


def test_an_unknown_name_at_the_top_is_one_problem_and_counts_as_the_one_meant(read):
    assert read(f"defualts: {{text: a}}\njobs:\n- {{{JOB}}}\n").said == [
        "m.yaml:1: defualts: not a name at the top of a manifest (these are: "
        "model, defaults, matrix, jobs, schema) (did you mean `defaults`?)"
    ]


def test_a_misspelt_jobs_still_gets_its_rows_checked(read):
    said = read(f"job:\n- {{text: 5, {JOB}}}\n- {{text: b, duration: 13, {JOB}}}\n").said

    assert [line.split(": ")[0] for line in said] == ["m.yaml:1", "m.yaml:3"]


def test_a_job_that_is_no_mapping_is_a_problem_and_the_next_is_read(read):
    result = read(f"- fox\n-\n- {{text: a, {JOB}}}\n")

    assert result.said == [
        'm.yaml:1: a job is a mapping of names to values, not "fox"',
        "m.yaml:2: an empty job (remove the lone -)",
    ]
    assert len(result.jobs) == 1


def test_all_problems_of_all_rows_come_in_one_pass(read):
    said = read("- {id: a, duration: 13}\n- {id: b, text: a, images: [], seed: x}\n").said

    assert said == [
        "m.yaml:1: job 'a' duration: 13 is not one of 2 to 12",
        "m.yaml:1: job 'a' images: missing, and the model needs it: a list of https addresses, 1 to 4 items",
        "m.yaml:1: job 'a' text: missing, and the model needs it: text, at most 500 characters",
        "m.yaml:2: job 'b' images: 0 items, at least 1 needed",
        "m.yaml:2: job 'b' seed: \"x\" is not a whole number",
    ]


def test_a_name_that_is_a_list_is_a_problem(read):
    assert "a name that is empty, a list or a mapping" in read(f"- {{[a]: b, text: a, {JOB}}}").said[0]


@pytest.mark.parametrize(
    ("content", "advice"),
    [
        (b"jobs:\n- text: a\x07b\n", "take the character U+0007 out"),
        (b"jobs:\n- text: \xff\n", "save the file as UTF-8"),
    ],
)
def test_a_control_character_is_told_from_bytes_that_are_no_text(read, content, advice):
    (said,) = read(content).said

    assert said.startswith("m.yaml:2: not valid YAML: ")
    assert said.endswith(f"({advice})")
