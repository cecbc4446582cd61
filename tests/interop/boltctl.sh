#!/bin/bash
# What boltctl wrote opens in real etcd 3.4.23 with the same HashKV: compact, salvage, a freelist
# stored and left out. A compaction killed at any moment leaves the old file or the new one.
source "$(dirname "$0")/lib.sh"
need_oracle

FAILED=0
DATA=$WORK/data
DB=$DATA/member/snap/db
BOLTCTL=$TRUSS_BIN/boltctl

fail() { echo "FAILED: $*"; FAILED=1; }

fingerprint() {
  printf 'hashkv %s\n' "$(ctl endpoint hashkv | cut -d, -f2)"
  printf 'contents %s\n' "$(ctl get '' --prefix -w json | sed -E 's/"raft_term":[0-9]+//' | sha256sum)"
  printf 'leases %s\n' "$(ctl lease list | sort | sha256sum)"
}

# starts_equal WHAT: real etcd comes up on the directory and agrees with before
starts_equal() {
  start_server etcd "$DATA" || { fail "etcd does not start after $1"; return; }
  fingerprint >"$WORK/after"
  if diff "$WORK/before" "$WORK/after" >"$WORK/diff"; then
    echo "etcd starts and agrees after $1"
  else
    fail "etcd differs after $1 (< before, > now)"
    cat "$WORK/diff"
  fi
  stop_server
}

choose_ports
start_server etcd "$DATA" || exit 1
big=$(head -c 20000 /dev/zero | tr '\0' x)
for i in $(seq 60); do ctl put "key/$((i % 25))" "value $i $big" >/dev/null || exit 1; done
ctl del key/3 >/dev/null
lease=$(ctl lease grant 5000 | grep -oE '[0-9a-f]{16}')
ctl put leased v --lease="$lease" >/dev/null
revision=$(ctl get x -w json | sed -E 's/.*"revision":([0-9]+).*/\1/')
ctl compaction "$((revision - 5))" --physical >/dev/null
fingerprint >"$WORK/before"

"$BOLTCTL" info "$DATA" >"$WORK/live" 2>&1 || fail "info on a live member: $(cat "$WORK/live")"
grep -q "held by process $SERVER_PID (etcd)" "$WORK/live" || fail "the holder of the lock is not named"
"$BOLTCTL" compact --in-place "$DATA" >/dev/null 2>&1
[ $? -eq 5 ] || fail "compact in place of a file in use is not refused"
stop_server

before=$(stat -c %s "$DB")
chmod 640 "$DB"
"$BOLTCTL" compact --in-place "$DATA" >"$WORK/out" 2>&1 || fail "compact: $(cat "$WORK/out")"
[ "$(stat -c %s "$DB")" -lt "$before" ] || fail "compact gave nothing back"
[ "$(stat -c %a "$DB")" = 640 ] || fail "compact did not keep the mode"
"$BOLTCTL" check "$DATA" >/dev/null || fail "check after compact"
starts_equal compact

"$BOLTCTL" freelist convert --form synced --in-place --discard-original "$DATA" >/dev/null || fail convert
"$BOLTCTL" check "$DATA" >/dev/null || fail "check after convert"
starts_equal "freelist convert"

"$BOLTCTL" salvage --in-place --discard-original "$DATA" >"$WORK/out" 2>&1 || fail "salvage: $(cat "$WORK/out")"
starts_equal salvage

kills=0
for round in $(seq 40); do
  "$BOLTCTL" compact --in-place --discard-original "$DATA" >/dev/null 2>&1 &
  pid=$!
  sleep "0.0$((RANDOM % 30 + 10))"
  kill -9 "$pid" 2>/dev/null && kills=$((kills + 1))
  wait "$pid" 2>/dev/null
  "$BOLTCTL" check "$DATA" >"$WORK/out" 2>&1 || fail "round $round: $(cat "$WORK/out")"
done
echo "$kills of 40 compactions killed"
starts_equal "kill -9 of compactions"
exit $FAILED
