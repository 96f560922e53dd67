#!/bin/bash
# One batch over several machines by GNU parallel and ssh: each machine does one shard at a time, then the next.
#
#   examples/parallel-over-ssh.sh jobs.yaml film node1,node2,node3
#
# Manifest and folder are on a file system that all machines share, under the same path.  The same command again
# goes on after any interruption; a shard whose machine went away is tried on another one.
set -euo pipefail
manifest=$(realpath "$1") folder=$(realpath -m "$2") hosts=$3
shards=${4:-12}                # many small ones: whoever is done early takes the next
at_once=16                     # jobs in flight on each machine

# --concurrency is of the whole batch, so of all shards, as if they all ran at once.
seq "$shards" | parallel --sshlogin "$hosts" --jobs 1 --retries 3 --line-buffer --tag \
  "set -a; . ~/.config/batchrunner.env; set +a;
   batchrunner run '$manifest' -o '$folder' --shard {}/$shards --concurrency $((at_once * shards)) --progress plain"

batchrunner merge "$folder"
