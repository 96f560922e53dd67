"""Defaults are filled from rows, the matrix multiplies them."""

from __future__ import annotations

import pytest

from batchrunner.manifest import fingerprint

JOBS = "jobs:\n- {id: fox, text: a, images: ['https://images.example.com/a.png']}\n"
NO_TEXT = "jobs:\n- {id: fox, subject: fox, images: ['https://images.example.com/a.png']}\n"


def inputs_of(result, name):
    return [job.inputs.get(name) for job in result.jobs]


def test_a_rows_own_value_wins_over_the_default(read):
    assert read("defaults: {text: d, seed: 1}\n" + JOBS).only.inputs["text"] == "a"


def test_defaults_may_give_model_and_notes(read):
    job = read(
        "defaults: {model: bytedance/seedance-1-0/lite/reference-to-video, meta: {a: 1}, meta.b: x}\n" + JOBS,
        model=None,
    ).only

    assert job.meta == {"a": 1, "b": "x"}


def test_a_default_id_is_refused(read):
    assert read("defaults: {id: x}\n" + JOBS).said == [
        "m.yaml:1: id: an id belongs to one job and has no default"
    ]


def test_a_wrong_default_is_one_problem_at_its_own_line(read):
    result = read("defaults:\n  duration: 13\n" + JOBS + JOBS.removeprefix("jobs:\n").replace("fox", "hen"))

    assert result.said == ["m.yaml:2: duration: 13 is not one of 2 to 12"]
    assert result.jobs == []


def test_an_unknown_default_is_one_problem_at_its_own_line(read):
    (said,) = read("defaults:\n  duratoin: 5\n" + JOBS).said

    assert said.startswith("m.yaml:2: duratoin:")


def test_a_placeholder_is_filled_from_the_rows_column_which_is_not_sent(read):
    assert read('defaults: {text: "a {subject} in {{snow}}"}\n' + NO_TEXT).only.inputs == {
        "text": "a fox in {snow}",
        "images": ["https://images.example.com/a.png"],
    }


def test_placeholders_are_filled_inside_lists_and_from_notes_ids_and_inputs(read):
    job = read(
        "defaults:\n  text: '{id} {meta.k} {ratio}'\n  images: ['https://a.example/{id}/{meta.k}.png']\n"
        "jobs:\n- {id: fox, ratio: 1:1, meta: {k: 07}}\n"
    ).only

    assert job.inputs["text"] == "fox 07 1:1"
    assert job.inputs["images"] == ["https://a.example/fox/07.png"]


def test_text_that_is_one_placeholder_takes_the_value_and_its_type(read):
    assert (
        read("defaults: {seed: '{n}'}\n" + JOBS.replace("text: a", "text: a, n: 5")).only.inputs["seed"] == 5
    )


def test_a_filled_number_is_typed_by_the_schema(read):
    assert (
        read("defaults: {seed: '1{n}'}\n" + JOBS.replace("text: a", "text: a, n: 5")).only.inputs["seed"]
        == 15
    )


def test_a_rows_own_text_is_no_template(read):
    assert read(JOBS.replace("text: a", "text: '{subject} }{'")).only.inputs["text"] == "{subject} }{"


def test_a_default_may_fill_a_placeholder_where_the_row_is_empty(read):
    assert (
        read("defaults: {subject: hen, text: 'a {subject}'}\n" + JOBS.replace("text: a, ", "")).only.inputs[
            "text"
        ]
        == "a hen"
    )


def test_a_placeholder_that_nothing_fills_is_a_problem_with_the_nearest_name(read):
    assert read("defaults: {text: 'a {subjct}'}\n" + NO_TEXT).said[0] == (
        "m.yaml:3: job 'fox' text: nothing fills {subjct}: the row has no value of that name"
        " (did you mean `subject`?)"
    )


def test_a_placeholder_without_a_column_is_one_problem_at_the_default(read, tmp_path):
    (tmp_path / "rows.csv").write_text(
        "id,subject,images\na,x,https://a.example/1\nb,y,https://a.example/2\n"
    )

    said = read("defaults:\n  text: a {subjct}\njobs: rows.csv\n").said

    assert [line for line in said if "nothing fills" in line] == [
        "m.yaml:2: text: nothing fills {subjct}: the row has no value of that name (did you mean `subject`?)"
    ]


def test_an_empty_cell_fills_nothing_and_its_row_is_named(read, tmp_path):
    (tmp_path / "rows.csv").write_text("id,subject,images\na,x,https://a.example/1\nb,,https://a.example/2\n")

    (said,) = read("defaults:\n  text: a {subject}\njobs: rows.csv\n").said

    assert said == "rows.csv:3: job 'b' text: nothing fills {subject}: the row has no value of that name"


@pytest.mark.parametrize("text", ["a { b", "a } b", "{a{b}"])
def test_a_lone_brace_is_a_problem(read, text):
    (said,) = read(f"defaults: {{text: '{text}'}}\n" + JOBS).said

    assert said.startswith("m.yaml:1: text: a single ")
    assert said.endswith("(write {{ and }} for braces that are meant as text)")


def test_a_template_cannot_fill_another(read):
    (said,) = read("defaults: {text: '{other}', other: '{subject}'}\n" + NO_TEXT).said

    assert "is filled from the row itself and cannot fill another value" in said


def test_a_list_cannot_stand_inside_text(read):
    (said,) = read("defaults: {text: 'a {images}'}\n" + NO_TEXT.replace("subject: fox, ", "")).said

    assert "{images} is a list or mapping and cannot stand inside text" in said


def test_the_matrix_multiplies_each_job_in_order_with_the_last_key_fastest(read):
    result = read("matrix: {ratio: [16:9, 1:1], seed: [1, 2]}\n" + JOBS)

    assert [job.id for job in result.jobs] == [
        "fox-ratio=16:9-seed=1", "fox-ratio=16:9-seed=2", "fox-ratio=1:1-seed=1", "fox-ratio=1:1-seed=2",
    ]  # fmt: skip
    assert inputs_of(result, "seed") == [1, 2, 1, 2]
    assert inputs_of(result, "ratio") == ["16:9", "16:9", "1:1", "1:1"]


def test_labels_stand_in_the_id_for_long_values(read):
    result = read("matrix: {text: {snow: 'a {subject} in the snow', sea: 'a {subject} at sea'}}\n" + NO_TEXT)

    assert [(job.id, job.inputs["text"]) for job in result.jobs] == [
        ("fox-text=snow", "a fox in the snow"),
        ("fox-text=sea", "a fox at sea"),
    ]


def test_a_list_value_without_a_label_is_numbered(read):
    result = read(
        "matrix: {images: [['https://a.example/1'], ['https://a.example/2']]}\njobs:\n- {id: a, text: b}"
    )

    assert [job.id for job in result.jobs] == ["a-images=1", "a-images=2"]


def test_a_matrix_key_may_be_a_note_a_model_or_a_placeholder(read):
    result = read(
        "matrix:\n  meta.take: [1, 2]\n  place: [sea]\n"
        "  model: {lite: bytedance/seedance-1-0/lite/reference-to-video}\n"
        "defaults: {text: 'at {place}, take {meta.take}'}\n" + NO_TEXT.replace("subject: fox, ", ""),
        model=None,
    )

    assert [(job.id, job.inputs["text"], job.meta) for job in result.jobs] == [
        ("fox-meta.take=1-place=sea-model=lite", "at sea, take 1", {"take": 1}),
        ("fox-meta.take=2-place=sea-model=lite", "at sea, take 2", {"take": 2}),
    ]


def test_without_an_id_every_combination_has_its_own_fingerprint_as_id(read):
    result = read("matrix: {seed: [1, 2]}\n" + JOBS.replace("id: fox, ", ""))

    assert [job.id for job in result.jobs] == [fingerprint(job.model, job.inputs)[:16] for job in result.jobs]
    assert len({job.id for job in result.jobs}) == 2


def test_a_key_that_row_and_matrix_both_set_is_a_problem(read):
    result = read("matrix:\n  seed: [1, 2]\n" + JOBS.replace("text: a", "text: a, seed: 3"))

    assert result.said == [
        "m.yaml:4: job 'fox' seed: set by this row, and varied by the matrix on line 2 (remove one)"
    ]
    assert result.jobs == []


def test_a_problem_of_the_row_is_not_repeated_for_every_combination(read):
    assert (
        len(read("matrix: {seed: [1, 2, 3]}\n" + JOBS.replace("text: a", "duration: 13, text: a")).said) == 1
    )


def test_a_wrong_matrix_value_is_one_problem_at_its_own_line(read):
    result = read("matrix:\n  duration: [5, 13]\n" + JOBS + "- {text: b, images: ['https://a.example/b']}\n")

    assert result.said == ["m.yaml:2: duration: 13 is not one of 2 to 12"]
    assert len(result.jobs) == 2


@pytest.mark.parametrize(
    ("matrix", "said"),
    [
        ("{seed: []}", "matrix.seed: an empty list: it would leave no job at all"),
        ("{seed: 5}", 'matrix.seed: "5" is not a list of values (nor labels with values)'),
        ("{seed: [1, ~]}", "matrix.seed: one of the values is empty"),
        ("{seed: [1, '1']}", 'matrix.seed: the value "1" stands twice: two jobs would get the same id'),
        ("{id: [a]}", "id: not a key that a matrix can vary"),
        ("{meta: [a]}", "meta: not a key that a matrix can vary (write meta.NAME or input.NAME)"),
        ("[1]", 'matrix: ["1"] is not a mapping of names to values'),
        ("{seed: [1], input.seed: [2]}", "input.seed: given twice: as `seed` and as `input.seed`"),
    ],
)
def test_a_matrix_that_multiplies_nothing_is_a_problem(read, matrix, said):
    assert read(f"matrix: {matrix}\n{JOBS}").said[0].startswith(f"m.yaml:1: {said}")


def test_a_matrix_beyond_all_bounds_is_refused(read):
    axis = f"[{', '.join(map(str, range(1001)))}]"
    (said,) = read(f"matrix: {{seed: {axis}, meta.a: {axis}}}\n{JOBS}").said

    assert said == "m.yaml:1: matrix: the matrix makes 1,002,001 jobs of each row, at most 1,000,000 allowed"


def test_an_id_that_the_matrix_makes_too_long_is_refused(read):
    (said,) = read(f"matrix: {{seed: {{{'x' * 195}: 1}}}}\n{JOBS}").said

    assert said.endswith("at most 200 allowed (give the values of the matrix short labels)")


@pytest.mark.parametrize("name", ["rows.csv", "rows.tsv", "rows.jsonl"])
def test_jobs_may_stand_in_a_file_beside_the_manifest(read, tmp_path, name):
    content = {
        "rows.csv": "id,text,images\na,,https://a.example/1\n",
        "rows.tsv": "id\ttext\timages\na\t\thttps://a.example/1\n",
        "rows.jsonl": '{"id": "a", "images": ["https://a.example/1"]}\n',
    }[name]
    (tmp_path / name).write_text(content)

    result = read(f"defaults: {{text: d}}\nmatrix: {{seed: [1, 2]}}\njobs: {name}\n")

    assert result.said == []
    assert [(job.id, job.inputs["text"]) for job in result.jobs] == [("a-seed=1", "d"), ("a-seed=2", "d")]
    assert result.jobs[0].place.file == str(tmp_path / name)


def test_a_missing_file_beside_the_manifest_is_a_problem(read):
    (said,) = read("\njobs: rows.csv\n").said

    assert said == "m.yaml:2: jobs: rows.csv cannot be read: No such file or directory"


@pytest.mark.parametrize("name", ["rows.yaml", "rows.txt", "rows"])
def test_only_files_of_rows_may_stand_beside_it(read, name):
    assert "is no CSV, TSV or JSON Lines file" in read(f"jobs: {name}\n").said[0]
