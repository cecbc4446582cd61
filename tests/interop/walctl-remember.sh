#!/bin/bash
# walctl remember, then start: a survivor's directory goes on as a cluster of one and of three, with
# real etcd 3.4 and with our member, with all keys; a member of the old cluster is kept out; a
# remember that was broken off takes no start; undo brings the old member back.
source "$(dirname "$0")/lib.sh"
need_oracle
WALCTL=$TRUSS_BIN/walctl
PASSED=0 FAILED=0
PIDS=()
trap 'stop_all; stop_server KILL; rm -rf "$WORK"' EXIT
check() { # check WHAT COMMAND...
  local what=$1
  shift
  if "$@"; then PASSED=$((PASSED + 1)); else echo "FAILED: $what"; FAILED=$((FAILED + 1)); fi
}
stop_all() {
  [ ${#PIDS[@]} = 0 ] || kill "${PIDS[@]}" 2>/dev/null
  [ ${#PIDS[@]} = 0 ] || wait "${PIDS[@]}" 2>/dev/null
  PIDS=()
}
# launch etcd|member NAME DIR CLIENT_PORT PEER_PORT CLUSTER: in the background
launch() {
  local program=$ETCD flags=(--logger zap --log-outputs stderr)
  [ "$1" = member ] && { program=$TRUSS_BIN/member; flags=(--compat "${TRUSS_LEVEL:-3.4}"); }
  "$program" --name "$2" --data-dir "$3" --listen-client-urls "http://127.0.0.1:$4" \
    --advertise-client-urls "http://127.0.0.1:$4" --listen-peer-urls "http://127.0.0.1:$5" \
    --initial-advertise-peer-urls "http://127.0.0.1:$5" --initial-cluster "$6" \
    --initial-cluster-state existing "${flags[@]}" >"$WORK/$1-$2.log" 2>&1 &
  PIDS+=($!)
}
at() { timeout 20 "$ETCDCTL" --endpoints "127.0.0.1:$1" "${@:2}"; }
await() { # await PORT: until it answers a linearizable read
  for _ in $(seq 150); do at "$1" --command-timeout 2s get probe >/dev/null 2>&1 && return; sleep 0.1; done
  echo "no answer at $1"; tail -3 "$WORK"/*.log; return 1
}
keys() { at "$1" get key --prefix --keys-only --consistency="${2:-l}" | grep -c key; }
hash_at() { at "$1" endpoint hashkv -w json | grep -oE '"hash":[0-9]+'; }

# a survivor: 150 keys, a snapshot behind, entries above it
choose_ports
start_server etcd "$WORK/old" --snapshot-count 50 || { echo "FAILED: etcd"; exit 1; }
for i in $(seq 150); do ctl put "key$i" "value$i" >/dev/null || exit 1; done
BEFORE=$(hash_at "$CLIENT_PORT")
stop_server TERM
C=("$CLIENT_PORT") P=("$PEER_PORT")
for _ in 1 2; do choose_ports; C+=("$CLIENT_PORT") P+=("$PEER_PORT"); done
THREE="a=http://127.0.0.1:${P[0]},b=http://127.0.0.1:${P[1]},c=http://127.0.0.1:${P[2]}"

for server in etcd member; do
  rm -rf "$WORK/one"
  cp -a "$WORK/old" "$WORK/one"
  check "$server: remember as one" "$WALCTL" remember --members "n=http://127.0.0.1:${P[0]}" "$WORK/one" >"$WORK/steps"
  check "$server: the result is CLEAN" "$WALCTL" fsck "$WORK/one" >/dev/null
  launch "$server" n "$WORK/one" "${C[0]}" "${P[0]}" "n=http://127.0.0.1:${P[0]}"
  check "$server: one member answers" await "${C[0]}"
  check "$server: every key is there" test "$(keys "${C[0]}")" = 150
  check "$server: the same hash" test "$(hash_at "${C[0]}")" = "$BEFORE"
  check "$server: one member is listed" test "$(at "${C[0]}" member list | wc -l)" = 1
  check "$server: takes writes" at "${C[0]}" put after one >/dev/null
  stop_all
  check "$server: no undo after a run" test "$("$WALCTL" remember --undo "$WORK/one/member/remember.undo" "$WORK/one" 2>/dev/null; echo $?)" = 5
  launch "$server" n "$WORK/one" "${C[0]}" "${P[0]}" "n=http://127.0.0.1:${P[0]}"
  check "$server: answers after another start" await "${C[0]}"
  check "$server: has what was written since" test "$(at "${C[0]}" get after --print-value-only)" = one
  stop_all

  for n in a b c; do
    rm -rf "$WORK/$n"
    cp -a "$WORK/old" "$WORK/$n"
    check "$server: remember as $n of three" "$WALCTL" remember --members "$THREE" --name "$n" "$WORK/$n" >"$WORK/steps"
  done
  launch "$server" a "$WORK/a" "${C[0]}" "${P[0]}" "$THREE"
  launch "$server" b "$WORK/b" "${C[1]}" "${P[1]}" "$THREE"
  launch "$server" c "$WORK/c" "${C[2]}" "${P[2]}" "$THREE"
  for port in "${C[@]}"; do
    check "$server: a member of three answers" await "$port"
    check "$server: every key is there" test "$(keys "$port" s)" = 150
    check "$server: the same hash" test "$(hash_at "$port")" = "$BEFORE"
  done
  check "$server: three members are listed" test "$(at "${C[0]}" member list | wc -l)" = 3
  check "$server: a write goes round" at "${C[0]}" put round trip >/dev/null
  check "$server: and is read elsewhere" test "$(at "${C[2]}" get round --print-value-only)" = trip
  stop_all
done

# one of ours beside two of theirs
for n in a b c; do
  rm -rf "$WORK/$n"
  cp -a "$WORK/old" "$WORK/$n"
  "$WALCTL" remember --members "$THREE" --name "$n" "$WORK/$n" >/dev/null
done
launch member a "$WORK/a" "${C[0]}" "${P[0]}" "$THREE"
launch etcd b "$WORK/b" "${C[1]}" "${P[1]}" "$THREE"
launch etcd c "$WORK/c" "${C[2]}" "${P[2]}" "$THREE"
for port in "${C[@]}"; do
  check "mixed: a member answers" await "$port"
  check "mixed: every key is there" test "$(keys "$port")" = 150
done
stop_all

# sealed, as a crash on the way leaves it: nobody starts
rm -rf "$WORK/sealed"
cp -a "$WORK/old" "$WORK/sealed"
"$WALCTL" remember --members "n=http://127.0.0.1:${P[0]}" "$WORK/sealed" >/dev/null
mv "$WORK/sealed/member/wal/0000000000000000-0000000000000000.wal" "$WORK/sealed/member/wal/0000000000000000-ffffffffffffffff.wal"
for server in etcd member; do
  rm -rf "$WORK/run"
  cp -a "$WORK/sealed" "$WORK/run"
  launch "$server" n "$WORK/run" "${C[0]}" "${P[0]}" "n=http://127.0.0.1:${P[0]}"
  for _ in $(seq 100); do kill -0 "${PIDS[0]}" 2>/dev/null || break; sleep 0.1; done
  check "$server refuses a sealed directory" test -z "$(kill -0 "${PIDS[0]}" 2>/dev/null && echo runs)"
  stop_all
done
check "undo of a sealed directory" "$WALCTL" remember --undo "$WORK/sealed/member/remember.undo" "$WORK/sealed" >/dev/null
for server in etcd member; do
  rm -rf "$WORK/run"
  cp -a "$WORK/sealed" "$WORK/run"
  launch "$server" s1 "$WORK/run" "${C[0]}" "${P[0]}" "s1=http://127.0.0.1:${P[0]}"
  check "$server starts on what was undone" await "${C[0]}"
  check "$server: every key is there" test "$(keys "${C[0]}")" = 150
  stop_all
done
echo "$PASSED passed, $FAILED failed, 0 skipped"
[ "$FAILED" = 0 ]
