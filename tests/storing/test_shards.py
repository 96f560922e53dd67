"""Shards with local images and a store: each puts its own there, and merged they are one folder with both."""

from __future__ import annotations

from tests.pictures import a_picture


def test_shards_share_a_stage_and_a_store_and_merge_into_one_folder(batch, fake, here, bucket):
    names = [f"scene-{number}" for number in range(6)]
    a_picture(batch.home / "cat.png")
    batch.write(*({"id": name, "text": name, "images": ["cat.png"]} for name in names))
    places = ("--stage", f"{bucket.url}/refs", "--store", f"{bucket.url}/films", "--drop-local")

    codes = [here.run("--shard", f"{index}/2", *places).code for index in (1, 2)]
    before = here("results", here.folder, "--json").lines
    merged = here("merge", here.folder)
    after = here("results", here.folder, "--json").lines

    assert (codes, merged.code, fake.posts()) == ([0, 0], 0, len(names))
    stored = [line["outputs"][0]["store"] for line in after]
    assert [line["outputs"][0]["store"] for line in before] == stored
    assert len({url.removeprefix(f"{bucket.url}/") for url in stored} & set(bucket.names())) == len(names)
    assert all(line["local_files"] == before[0]["local_files"] for line in after)
    assert here("verify", here.folder).code == 0
    assert (here.run().code, fake.posts(), len(fake.calls("film"))) == (0, len(names), len(names))
