#!/bin/sh
# The batch by GNU parallel, curl and jq, a look a second.
#
#     with_curl.sh ADDRESS MANIFEST.jsonl FOLDER MODEL SLOTS
#
# With JOB set it does one job: that is how parallel calls it back.
set -eu
auth='Authorization: Bearer benchmark'
if [ -n "${JOB-}" ]; then
    name=$(printf %s "$JOB" | jq -r .id)
    id=$(printf %s "$JOB" | jq -c 'del(.id)' |
        curl -sS -H "$auth" -H 'Content-Type: application/json' -d @- "$ADDRESS/v1/models/$MODEL" | jq -r .request_id)
    while sleep 1; do
        status=$(curl -sS -H "$auth" "$ADDRESS/v1/requests/$id/status" | jq -r .status)
        [ "$status" = completed ] && break
    done
    film=$(curl -sS -H "$auth" "$ADDRESS/v1/requests/$id/result" | jq -r .output.video)
    curl -sS -o "$FOLDER/$name.mp4" "$film"
    exit
fi
export ADDRESS="$1" FOLDER="$3" MODEL="$4"
mkdir "$FOLDER"
parallel --will-cite -j "$5" "JOB={} sh '$0'" <"$2"
