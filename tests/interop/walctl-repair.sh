#!/bin/bash
# walctl repair, then start: real etcd 3.4 and our member both come up on the mended directory and
# hold what fsck promised: every acknowledged key.
source "$(dirname "$0")/lib.sh"
need_oracle
WALCTL=$TRUSS_BIN/walctl
PASSED=0 FAILED=0
check() { # check WHAT COMMAND...
  local what=$1
  shift
  if "$@"; then PASSED=$((PASSED + 1)); else echo "FAILED: $what"; FAILED=$((FAILED + 1)); fi
}
verdict() { "$WALCTL" fsck -o json "$1" | sed -E 's/^\{"verdict":"([A-Z-]+)".*/\1/'; }
# offset N: where the record of entry N begins, and ends
offset_of() { "$WALCTL" dump --raw "$1" | awk -v n="$2" '$3 == "entry" && ++k == n { print $2; exit }'; }
damage_byte() { # damage_byte FILE OFFSET
  printf '\xff' | dd of="$1" bs=1 seek="$2" conv=notrunc status=none
}

# make DIR FLAGS...: a data directory of real etcd with 150 keys
make() {
  start_server etcd "$@" || { echo "FAILED: etcd"; exit 1; }
  for i in $(seq 150); do ctl put "key$i" "value$i" >/dev/null || exit 1; done
  stop_server TERM
}

choose_ports
make "$WORK/made" --snapshot-count 50
make "$WORK/plain"
segment=member/wal/0000000000000000-0000000000000000.wal

# torn: half of a record at the end, as a crash leaves it
cp -a "$WORK/made" "$WORK/torn"
end=$("$WALCTL" info -o json "$WORK/torn" | grep -oE '"usedBytes":[0-9]+' | cut -d: -f2)
printf '\x50\x00\x00\x00\x00\x00\x00\x84\x08\x02\x10\x01' | dd of="$WORK/torn/$segment" bs=1 seek="$end" conv=notrunc status=none
check "a torn tail is SAFE-TRIM" test "$(verdict "$WORK/torn")" = SAFE-TRIM

# covered: a flipped byte in an entry that the db has applied
cp -a "$WORK/made" "$WORK/covered"
damage_byte "$WORK/covered/$segment" $(($(offset_of "$WORK/covered" 60) + 40))
check "a damaged applied entry is COVERED" test "$(verdict "$WORK/covered")" = COVERED

# without any snapshot, so that one has to be made from the db
cp -a "$WORK/plain" "$WORK/late"
damage_byte "$WORK/late/$segment" $(($(offset_of "$WORK/late" 100) + 40))
check "a damaged entry that no snapshot covers is COVERED" test "$(verdict "$WORK/late")" = COVERED

for name in torn covered late; do
  "$WALCTL" repair --dry-run "$WORK/$name" >"$WORK/dry" || echo "dry run of $name: $?"
  check "$name: repair" "$WALCTL" repair "$WORK/$name"
  check "$name: CLEAN afterwards" test "$(verdict "$WORK/$name")" = CLEAN
  for server in etcd member; do
    rm -rf "$WORK/run"
    cp -a "$WORK/$name" "$WORK/run"
    check "$name: $server starts" start_server "$server" "$WORK/run"
    check "$name: $server holds every key" test "$(ctl get key --prefix --keys-only | grep -c key)" = 150
    check "$name: $server has the last value" test "$(ctl get key150 --print-value-only)" = value150
    check "$name: $server takes writes" ctl put after "$name" >/dev/null
    stop_server TERM
    check "$name: CLEAN after $server" test "$(verdict "$WORK/run")" = CLEAN
  done
done
echo "$PASSED passed, $FAILED failed, 0 skipped"
[ "$FAILED" = 0 ]
