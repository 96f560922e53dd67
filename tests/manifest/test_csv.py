"""CSV and TSV manifests, as spreadsheets and people write them."""

from __future__ import annotations

import pytest

HEAD = "id,text,images,duration\n"
URL = "https://images.example.com/a.png"


def test_cells_are_typed_by_the_schema(read):
    job = read(f"id,text,images,duration,seed\n007,5,{URL},5,-1\n", "m.csv").only

    assert job.id == "007"
    assert job.inputs == {"text": "5", "images": [URL], "duration": 5, "seed": -1}


@pytest.mark.parametrize("cell", ["5.0", "five", "05", "+5", " 5", "5e0", "٥"])
def test_what_is_no_whole_number_stays_text_and_is_refused(read, cell):
    (said,) = read(f"{HEAD}a,a,{URL},{cell}\n", "m.csv").said

    assert said.startswith(f"m.csv:2: job 'a' duration: \"{cell}\" is not a whole number (2 to 12)")


@pytest.mark.parametrize("cell", [f"{URL}|{URL}?2", f"{URL} | {URL}?2", f'"[""{URL}"", ""{URL}?2""]"'])
def test_images_are_joined_by_bars_or_a_json_array(read, cell):
    assert read(f"{HEAD}a,a,{cell},\n", "m.csv").only.inputs["images"] == [URL, f"{URL}?2"]


def test_an_empty_item_is_refused(read):
    (said,) = read(f"{HEAD}a,a,{URL}||{URL},\n", "m.csv").said

    assert "images: item 2 of" in said
    assert "is empty (items are joined by |)" in said


def test_a_broken_json_array_is_refused_with_what_is_wrong(read):
    (said,) = read(f'{HEAD}a,a,"[""{URL}""",\n', "m.csv").said

    assert "is not a JSON list: expecting ',' delimiter at character" in said


def test_an_empty_cell_is_absent(read):
    assert "duration" not in read(f"{HEAD}a,a,{URL},\n", "m.csv").only.inputs


def test_notes_and_explicit_inputs_have_columns_of_their_own(read):
    job = read(f"id,text,images,meta.take,input.seed\na,a,{URL},07,3\n", "m.csv").only

    assert job.meta == {"take": "07"}
    assert job.inputs["seed"] == 3


def test_a_meta_column_holds_a_json_mapping(read):
    assert read(f'text,images,meta\na,{URL},"{{""a"": 1}}"\n', "m.csv").only.meta == {"a": 1}


@pytest.mark.parametrize("ends", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le"])
def test_every_way_a_spreadsheet_saves_is_read(read, ends, delimiter, encoding):
    rows = [["id", "text", "images"], ["ä", '"a; b, c\td"', URL], ["b", "b", URL]]
    content = ends.join(delimiter.join(row) for row in rows) + ends
    mark = b"\xff\xfe" if encoding == "utf-16-le" else b""

    result = read(mark + content.encode(encoding), "m.csv")

    assert result.said == []
    assert [(job.id, job.inputs["text"], job.place.line) for job in result.jobs] == [
        ("ä", "a; b, c\td", 2),
        ("b", "b", 3),
    ]


def test_delimiters_inside_quotes_of_the_header_do_not_count(read):
    assert read(f'text,images,"meta.a;b;c;d;e"\na,{URL},x\n', "m.csv").only.meta == {"a;b;c;d;e": "x"}


def test_a_number_of_5000_digits_is_a_problem_and_no_crash(read):
    (said,) = read(f"{HEAD}a,a,{URL},{'9' * 5000}\n", "m.csv").said

    assert said.endswith("is not a whole number (2 to 12) (5,000 digits are beyond all bounds)")


def test_tsv_has_tabs_whatever_the_header_looks_like(read):
    assert read(f"id\ttext\timages\na,b\tc,d;e\t{URL}\n", "m.tsv").only.id == "a,b"


def test_a_row_has_the_line_it_starts_on(read):
    result = read(f'{HEAD}\n\na,"one\ntwo\nthree",{URL},\n,,,\nb,b,{URL},x\n', "m.csv")

    assert result.jobs[0].place.line == 4
    assert result.jobs[0].inputs["text"] == "one\ntwo\nthree"
    assert result.problems[0].place.line == 8


def test_short_and_long_rows_are_named_with_their_counts(read):
    assert read(f"{HEAD}a,a\nb,b, with a comma,{URL},5\n", "m.csv").said == [
        "m.csv:2: job 'a' 2 cells, but the header names 4 columns",
        "m.csv:3: job 'b' 5 cells, but the header names 4 columns "
        "(a cell with a delimiter or a line break in it needs quotes)",
    ]


@pytest.mark.parametrize(
    ("sign", "name"), [("|", "m.csv"), (":", "m.csv"), (" | ", "m.csv"), (",", "m.tsv"), (";", "m.tsv")]
)
def test_a_header_row_with_a_strange_delimiter_is_one_problem_that_names_it(read, sign, name):
    row = sign.join(["a", "a fox", URL])

    (said,) = read(f"{sign.join(['id', 'text', 'images'])}\n{row}\n{row}\n", name).said

    assert said.startswith(f"{name}:1: the header row is one column, ")
    assert f'for 3 columns write , instead of "{sign.strip()}"' in said


def test_an_unknown_column_is_refused_once_at_the_header(read):
    result = read(f"id,text,images,duratoin\na,a,{URL},5\nb,b,{URL},6\nc,c,{URL},x\n", "m.csv")

    assert result.said == [
        "m.csv:1: duratoin: bytedance/seedance-1-0/lite/reference-to-video has no input of this name "
        "(it has text, images, resolution, ratio, duration, seed) (did you mean `duration`?)",
        "m.csv:4: job 'c' duratoin: \"x\" is not a whole number (2 to 12)",
    ]
    assert result.jobs == []


def test_a_repeated_column_is_refused(read):
    assert read(f"id,text,images,text\na,a,{URL},\n", "m.csv").said == [
        'm.csv:1: text: the column "text" stands 2 times (columns 2, 4)'
    ]


def test_a_column_without_a_name_must_be_empty(read):
    said = read(f"id,text,images,\na,a,{URL},\nb,b,{URL},x\n", "m.csv").said

    assert said == ["m.csv:3: job 'b' \"x\" stands in column 4, which has no name"]


def test_an_input_given_by_two_columns_is_refused(read):
    assert read(f"id,text,images,seed,input.seed\na,a,{URL},1,2\n", "m.csv").said == [
        "m.csv:2: job 'a' input.seed: given twice: as `seed` and as `input.seed`"
    ]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ('a,5" disc,{url},', "m.csv:2: a quote inside a cell without quotes"),
        ('a, "b",{url},', "m.csv:2: a quote inside a cell without quotes"),
        ('a,"b"c,{url},', "m.csv:2: text after a closing quote"),
        ('a,"b,{url},\nx\ny', "m.csv:2: a quote is opened and never closed"),
        ("a,b\0,{url},", "m.csv:2: a NUL byte"),
    ],
)
def test_stray_quotes_and_nul_bytes_are_named_by_line(read, row, said):
    (only,) = read(HEAD + row.format(url=URL) + "\n", "m.csv").said

    assert only.startswith(said)


def test_after_a_broken_row_the_next_one_is_read(read):
    result = read(f'{HEAD}a,"b"c,{URL},\nb,b,{URL},\n', "m.csv")

    assert [job.id for job in result.jobs] == ["b"]


def test_doubled_quotes_are_one_quote(read):
    assert read(f'{HEAD}a,"5"" disc",{URL},\n', "m.csv").only.inputs["text"] == '5" disc'


def test_bytes_that_are_no_utf_8_are_named_by_line(read):
    said = read(HEAD.encode() + b"a,\xe4,https://a.example/x,\n", "m.csv").said

    assert said == ["m.csv:2: bytes that are not UTF-8 (save the file as CSV UTF-8)"]


def test_a_cut_utf_16_file_is_a_problem(read):
    assert read((HEAD + "a").encode("utf-16")[:-1], "m.csv").said == [
        "m.csv:2: bytes that are not UTF-16 (save the file as CSV UTF-8)"
    ]


def test_a_long_cell_is_read_and_judged_like_any_other(read):
    (said,) = read(f"{HEAD}a,{'x' * 200_000},{URL},\n", "m.csv").said

    assert "text: 200,000 characters, at most 500 allowed" in said


@pytest.mark.parametrize("content", ["", "\n\n", HEAD, "\ufeff"])
def test_a_file_without_rows_has_no_jobs(read, content):
    assert read(content, "m.csv").said == ["m.csv:1: no jobs at all (a manifest names at least one job)"]


def test_line_separators_of_unicode_are_text(read):
    assert read(f"{HEAD}a,x\u2028y\x85z,{URL},\n", "m.csv").only.inputs["text"] == "x\u2028y\x85z"


def test_rows_of_two_models_leave_each_others_columns_empty(read, two_models):
    schemas, other = two_models
    content = f"id,model,text,images,prompt\na,,x,{URL},\nb,{other},,,y\n"

    result = read(content, "m.csv", schemas=schemas)

    assert result.said == []
    assert [job.inputs for job in result.jobs] == [{"text": "x", "images": [URL]}, {"prompt": "y"}]
