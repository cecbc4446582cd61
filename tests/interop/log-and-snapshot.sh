#!/bin/bash
# Real etcd starts on logs and snapshots that our libraries wrote: one segment or many, from the
# first entry or from a snapshot on. Key count, revision and HashKV stay, and it goes on writing.
source "$(dirname "$0")/lib.sh"
need_oracle

FAILED=0
fail() { FAILED=1; echo "FAILED: $*"; }
# facts: what must not change
facts() {
  ctl endpoint hashkv | cut -d' ' -f2
  ctl get '' --prefix --limit 1 -w fields | grep -E 'Count|Revision'
  ctl member list
}

# rewritten NAME FROM [SEGMENT_BYTES]: our copy of FROM (its db as it is) serves the same facts
rewritten() {
  local name=$1 from=$2 to
  to=$(mktemp -d "$WORK/copy.XXXX")
  "$TRUSS_BIN/rewrite_log" "$from" "$to" ${3:+"$3"} || { fail "$name: not rewritten"; return; }
  cp "$from/member/snap/db" "$to/member/snap/db"
  local segments
  segments=$(ls "$to"/member/wal/*.wal | wc -l)
  start_server etcd "$to" --snapshot-count 20 || { fail "$name: etcd did not start"; return; }
  facts >"$WORK/after"
  for i in $(seq 30); do ctl put "more$i" x >/dev/null || fail "$name: no more puts"; done
  stop_server
  diff "$WORK/before" "$WORK/after" || { fail "$name: other facts"; return; }
  echo "ok: $name: $segments segments, hashkv $(head -1 "$WORK/after")"
  WRITTEN_ON=$to
}

choose_ports
start_server etcd "$WORK/real" --snapshot-count 20 || { echo "FAILED: etcd did not start"; exit 1; }
for i in $(seq 70); do ctl put "key$((i % 40))" "value $i" >/dev/null; done
ctl del key7 >/dev/null
ctl compaction 30 >/dev/null
facts >"$WORK/before"
stop_server

rewritten 'one segment' "$WORK/real"
rewritten 'many segments' "$WORK/real" 2048
# etcd has purged the copy's oldest segments meanwhile or will have; read what it left, from its snapshot
if [ -n "${WRITTEN_ON:-}" ]; then
  start_server etcd "$WRITTEN_ON" && facts >"$WORK/before"
  stop_server
  rm "$WRITTEN_ON"/member/wal/0000000000000000-*.wal
  rewritten "from a snapshot on" "$WRITTEN_ON" 1024
fi
exit "$FAILED"
