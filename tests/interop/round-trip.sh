#!/bin/bash
# One data directory, real etcd 3.4.23 and ours in turn, after clean stops and after kill -9: key
# count, revision, HashKV and leases agree each time.
source "$(dirname "$0")/lib.sh"
need_oracle

FAILED=0
DATA=$WORK/data

revision() { ctl get probe -w json | sed -E 's/.*"revision":([0-9]+).*/\1/'; }

# fingerprint: what both servers must agree on
fingerprint() {
  printf 'revision %s\n' "$(revision)"
  printf 'hashkv %s\n' "$(ctl endpoint hashkv | cut -d, -f2)"
  printf 'keys %s\n' "$(ctl get '' --prefix --keys-only | grep -c .)"
  printf 'contents %s\n' "$(ctl get '' --prefix -w json | sed -E 's/"raft_term":[0-9]+//' | sha256sum | cut -d' ' -f1)"
  printf 'leases %s\n' "$(ctl lease list | sort | sha256sum | cut -d' ' -f1)"
  printf 'members %s\n' "$(ctl member list)"
}

# write_some SEED: puts, overwrites, deletes, a txn, a lease with keys, a compaction
write_some() {
  local seed=$1 i lease
  for i in 1 2 3 4 5 6 7 8; do ctl put "key/$i" "value $seed.$i" >/dev/null || return 1; done
  ctl put "big/$seed" "$(head -c 40000 /dev/zero | tr '\0' x)" >/dev/null || return 1
  ctl del "key/$((seed % 8 + 1))" >/dev/null || return 1
  printf 'version("key/1") > "0"\n\nput txn/%s yes\ndel key/2\n\nput txn/%s no\n\n' "$seed" "$seed" | ctl txn >/dev/null || return 1
  lease=$(ctl lease grant 5000 | grep -oE '[0-9a-f]{16}')
  ctl put "leased/$seed" v --lease="$lease" >/dev/null || return 1
  [ $((seed % 3)) -ne 0 ] || ctl compaction "$(($(revision) - 4))" >/dev/null || return 1
}

# turn SEED KIND SIGNAL: starts KIND on what is there, compares, writes, remembers, stops by SIGNAL
turn() {
  local seed=$1 kind=$2 signal=$3
  if ! start_server "$kind" "$DATA" --snapshot-count 40; then
    echo "turn $seed: FAILED: $kind does not start on the directory"
    tail -5 "$WORK/$kind.log"
    FAILED=1
    return 1
  fi
  if [ -f "$WORK/before" ]; then
    fingerprint >"$WORK/after"
    if diff "$WORK/before" "$WORK/after" >"$WORK/diff"; then
      echo "turn $seed: $kind agrees after $LAST"
    else
      echo "turn $seed: FAILED: $kind differs after $LAST (< before, > now)"
      cat "$WORK/diff"
      FAILED=1
    fi
  fi
  write_some "$seed" || { echo "turn $seed: FAILED: a write to $kind failed"; FAILED=1; }
  fingerprint >"$WORK/before"
  stop_server "$signal"
  LAST="$kind stopped by $signal"
}

choose_ports
seed=1
for pair in etcd:TERM member:TERM etcd:KILL member:KILL member:KILL etcd:TERM member:TERM member:KILL etcd:KILL etcd:TERM member:TERM; do
  turn "$seed" "${pair%:*}" "${pair#*:}" || break
  seed=$((seed + 1))
done

rm -rf "$DATA" "$WORK/before"
for pair in member:KILL etcd:TERM member:TERM etcd:KILL member:TERM; do
  turn "$seed" "${pair%:*}" "${pair#*:}" || break
  seed=$((seed + 1))
done
[ "$FAILED" -eq 0 ] && echo "$((seed - 1)) turns agree"
exit "$FAILED"
