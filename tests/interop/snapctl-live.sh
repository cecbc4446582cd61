#!/bin/bash
# snapctl beside running members, real and ours: save, cut, diff, extract, undelete.
source "$(dirname "$0")/lib.sh"
need_oracle
SNAPCTL=$TRUSS_BIN/snapctl
FAILED=0
fail() { echo "FAILED: $*"; FAILED=1; }

# expect CODE ARGS...: runs snapctl, its output in OUT
expect() {
  local want=$1 got
  shift
  OUT=$("$SNAPCTL" "$@" 2>&1)
  got=$?
  [ "$got" = "$want" ] || fail "snapctl $*: exit code $got instead of $want: $OUT"
}

fill() {
  local i
  for i in $(seq 30); do ctl put "app/$((i % 11))" "value $i" >/dev/null || return 1; done
  ctl put other/1 kept >/dev/null
  ctl put app/big "$(head -c 90000 /dev/zero | tr '\0' x)" >/dev/null
}

# saving KIND: a snapshot by us is the one that etcdctl makes of the same moment
saving() {
  expect 0 save "$WORK/ours.db" --endpoint "$ENDPOINT"
  ctl snapshot save "$WORK/theirs.db" >/dev/null 2>&1 || fail "etcdctl snapshot save"
  cmp "$WORK/ours.db" "$WORK/theirs.db" || fail "$1: our snapshot and etcdctl's differ"
  "$ETCDCTL" snapshot status "$WORK/ours.db" >/dev/null || fail "$1: etcdctl refuses our snapshot"
  "$ETCDCTL" snapshot restore "$WORK/ours.db" --data-dir "$WORK/by-etcdctl" >/dev/null 2>&1 ||
    fail "$1: etcdctl doesn't restore our snapshot"
  rm -rf "$WORK/by-etcdctl"
  [ ! -e "$WORK/ours.db.part" ] || fail "$1: a .part file is left"
  expect 0 verify "$WORK/ours.db"
  expect 3 save "$WORK/nowhere/x.db" --endpoint "$ENDPOINT"
}

# undeleting KIND: keys deleted and changed since the snapshot
undeleting() {
  expect 0 diff "$WORK/ours.db" "$ENDPOINT"
  local sum=$(sha256sum <"$WORK/ours.db")
  ctl del app/ --prefix >/dev/null
  ctl put app/new n >/dev/null
  expect 1 diff "$WORK/ours.db" "$ENDPOINT" -o json
  [[ $OUT == *'"added":1,"removed":12,"changed":0'* ]] || fail "$1: diff after a delete says ${OUT: -200}"
  expect 0 undelete --prefix app/ --from "$WORK/ours.db" --to "$ENDPOINT" --dry-run
  expect 1 diff "$WORK/ours.db" "$ENDPOINT" --prefix app/
  expect 0 undelete --prefix app/ --from "$WORK/ours.db" --to "$ENDPOINT"
  [[ $OUT == *'restored: 12, overwritten: 0'* ]] || fail "$1: undelete says ${OUT: -200}"
  ctl del app/new >/dev/null
  expect 0 diff "$WORK/ours.db" "$ENDPOINT"
  ctl put app/3 changed >/dev/null
  ctl del app/4 >/dev/null
  expect 5 undelete --prefix app/ --from "$WORK/ours.db" --to "$ENDPOINT"
  [ -z "$(ctl get app/4 --print-value-only)" ] || fail "$1: a refused undelete wrote a key"
  expect 0 undelete --prefix app/ --from "$WORK/ours.db" --to "$ENDPOINT" --if-changed skip
  [ "$(ctl get app/3 --print-value-only)" = changed ] || fail "$1: skip overwrote a key"
  [ -n "$(ctl get app/4 --print-value-only)" ] || fail "$1: skip restored nothing"
  expect 0 undelete --key app/3 --from "$WORK/ours.db" --to "$ENDPOINT" --if-changed overwrite
  expect 0 diff "$WORK/ours.db" "$ENDPOINT"
  expect 0 extract "$WORK/ours.db" --key app/3 --value-only
  [ "$OUT" = "$(ctl get app/3 --print-value-only)" ] || fail "$1: extract of app/3 says $OUT"
  [ "$sum" = "$(sha256sum <"$WORK/ours.db")" ] || fail "$1: the snapshot was changed"
}

# cutting KIND DIR: refused under a running member, which is named; then proven, then stopped
cutting() {
  expect 5 cut "$2" "$WORK/cut.db"
  [[ $OUT == *"held by process $SERVER_PID"* ]] || fail "$1: the refusal doesn't name the holder: $OUT"
  [ ! -e "$WORK/cut.db" ] || fail "$1: a refused cut left a file"
  expect 5 diff "$2" "$ENDPOINT"
  sleep 0.5 # the backend commits what is pending every 100 ms
  expect 0 cut "$2" "$WORK/cut.db" --in-use
  expect 0 verify "$WORK/cut.db"
  expect 0 diff "$WORK/cut.db" "$ENDPOINT"
}

for kind in etcd member; do
  choose_ports
  start_server "$kind" "$WORK/$kind" || { fail "$kind does not start"; break; }
  fill || fail "writing to $kind"
  saving "$kind"
  undeleting "$kind"
  cutting "$kind" "$WORK/$kind"
  ctl put after cut >/dev/null
  stop_server TERM
  expect 0 cut "$WORK/$kind" "$WORK/stopped.db"
  expect 1 diff "$WORK/cut.db" "$WORK/stopped.db"
  [[ $OUT == '+ after '*'1 added, 0 removed, 0 changed'* ]] || fail "$kind: diff of two cuts says $OUT"
  "$ETCDCTL" snapshot status "$WORK/stopped.db" >/dev/null || fail "$kind: etcdctl refuses our cut"
  rm -f "$WORK"/*.db
done

# Users and passwords, where the member has them.
choose_ports
start_server etcd "$WORK/auth" || fail "etcd does not start"
ctl user add root:pw >/dev/null && ctl user grant-role root root >/dev/null && ctl auth enable >/dev/null || fail "auth enable"
expect 3 save "$WORK/auth.db" --endpoint "$ENDPOINT"
[[ $OUT == *'user name is empty'* || $OUT == *'permission denied'* ]] || fail "save without a user says $OUT"
expect 0 save "$WORK/auth.db" --endpoint "$ENDPOINT" --user root:pw
expect 0 verify "$WORK/auth.db"
expect 2 save "$WORK/auth.db" --endpoint "https://$ENDPOINT"
[[ $OUT == *'TLS is not supported yet'* ]] || fail "https says $OUT"
stop_server TERM
[ "$FAILED" -eq 0 ] && echo "snapctl agrees beside running members"
exit "$FAILED"
