#!/bin/bash
# peerbench against throwaway members, and on live clusters, of real etcd and of ours.
. "$(dirname "$0")/../interop/lib.sh"
need_oracle
export LC_ALL=C
passed=0 failed=0
PIDS=()
trap 'stop_cluster; rm -rf "$WORK"' EXIT

check() {  # check NAME COMMAND...
  local name=$1
  shift
  if "$@"; then passed=$((passed + 1)); else failed=$((failed + 1)); echo "FAILED: $name"; fi
}
bench() { timeout 100 "$TRUSS_BIN/peerbench" "$@" 2>"$WORK/err"; }
# number FILE KEY: the first value of a key in a report; largest FILE KEY: of all; times FILE TEXT: how often a text occurs
number() { grep -oE "\"$2\": -?[0-9.]+" "$1" | head -1 | sed 's/.*: //'; }
largest() { grep -oE "\"$2\": [0-9]+" "$1" | sed 's/.*: //' | sort -n | tail -1; }
times() { grep -oF "$2" "$1" | wc -l; }
at_least() { awk -v a="$1" -v b="$2" 'BEGIN { exit !(a >= b) }' || { echo "$1 is less than $2"; return 1; }; }
same() { [ "$1" = "$2" ] || { echo "want $2, got $1"; return 1; }; }

drive() {  # drive NAME PROGRAM
  local name=$1 program=$2
  mkdir -p "$WORK/tmp"
  bench channels --against "$program" --temp-dir "$WORK/tmp" --rate 200 --duration 1s --warm-up 200ms --saturation 300ms \
    --snapshot-size 16MiB --snapshots 2 -o json >"$WORK/channels.json" || { cat "$WORK/err"; return 1; }
  same "$(times "$WORK/channels.json" '"driven": true')" 4 && same "$(times "$WORK/channels.json" '"unfinished": 0,')" 4 &&
    same "$(times "$WORK/channels.json" '"answered": 0,')" 0 && same "$(number "$WORK/channels.json" answered)" 200 || return 1
  bench heartbeat --against "$program" --temp-dir "$WORK/tmp" --during-snapshot 32MiB --interval 2ms --gaps 200 --no-contrast \
    --plot "$WORK/gaps.svg" -o json >"$WORK/heartbeat.json"
  [ $? -le 1 ] || { cat "$WORK/err"; return 1; }
  at_least "$(number "$WORK/heartbeat.json" gaps)" 200 && same "$(number "$WORK/heartbeat.json" interval_ms)" 2.0 &&
    at_least "$(number "$WORK/heartbeat.json" gap_max_ms)" "$(number "$WORK/heartbeat.json" gap_p999_ms)" &&
    grep -qE '"verdict": "(unaffected|delayed|at risk)"' "$WORK/heartbeat.json" &&
    grep -q '</svg>' "$WORK/gaps.svg" && [ -z "$(ls -A "$WORK/tmp")" ]
}

start_cluster() {  # start_cluster etcd|member: three members
  local kind=$1 program=$ETCD i flags=() cluster=
  [ "$kind" = member ] && { program=$TRUSS_BIN/member; flags=(--compat 3.4); }
  [ "$kind" = etcd ] && flags=(--logger zap --log-outputs stderr)
  for i in 1 2 3; do
    choose_ports
    C[i]=$CLIENT_PORT P[i]=$PEER_PORT
    cluster+=${cluster:+,}s$i=http://127.0.0.1:$PEER_PORT
    sleep 0.01
  done
  for i in 1 2 3; do
    "$program" --name s$i --data-dir "$WORK/$kind$i" --listen-client-urls "http://127.0.0.1:${C[i]}" \
      --advertise-client-urls "http://127.0.0.1:${C[i]}" --listen-peer-urls "http://127.0.0.1:${P[i]}" \
      --initial-advertise-peer-urls "http://127.0.0.1:${P[i]}" --initial-cluster "$cluster" "${flags[@]}" \
      >"$WORK/$kind$i.log" 2>&1 &
    PIDS+=($!)
  done
  ENDPOINT=127.0.0.1:${C[1]},127.0.0.1:${C[2]},127.0.0.1:${C[3]}
  for i in $(seq 100); do
    ctl endpoint health >/dev/null 2>&1 && ctl put warm up >/dev/null && return 0
    sleep 0.2
  done
  tail -3 "$WORK/$kind"?.log
  return 1
}
stop_cluster() {
  [ ${#PIDS[@]} -eq 0 ] && return
  kill -KILL "${PIDS[@]}" 2>/dev/null
  wait "${PIDS[@]}" 2>/dev/null
  PIDS=()
}
# state KIND: revision, term, leader, log index, members, and the names and sizes below the directories
state() {
  ctl endpoint status -w fields | grep -E '"(MemberID|Revision|RaftTerm|Leader|RaftIndex)"'
  ctl member list
  (cd "$WORK" && find "$1"? -printf '%p %s %y\n' | sort)
}
leave_alone() {  # leave_alone KIND
  local before after i
  start_cluster "$1" || return 1
  sleep 6  # the cluster's version is decided, and no backend commit is due
  before=$(state "$1")
  for i in 1 2 3; do
    bench channels --target "http://127.0.0.1:${P[i]}" --duration 1s -o json >"$WORK/target.json" || return 1
    at_least "$(largest "$WORK/target.json" count)" 40 && same "$(times "$WORK/target.json" '"driven": false')" 4 || return 1
    bench channels --target "http://127.0.0.1:${C[i]}" --duration 500ms -o json >"$WORK/target.json" || return 1
  done
  bench doctor --data-dir "$WORK/${1}1" --peers "http://127.0.0.1:${P[2]},http://127.0.0.1:${P[3]}" --duration 1s -o json \
    >"$WORK/doctor.json"
  [ $? -le 1 ] || return 1
  same "$(times "$WORK/doctor.json" '"advice"')" 6 && at_least "$(number "$WORK/doctor.json" heartbeat_interval_ms)" 100 || return 1
  after=$(state "$1")
  stop_cluster
  [ "$before" = "$after" ] || { diff <(echo "$before") <(echo "$after"); return 1; }
}

check 'channels and heartbeat against real etcd' drive etcd "$ETCD"
check 'channels and heartbeat against our member' drive member "$TRUSS_BIN/member"
check 'a live cluster of real etcd is left as it was' leave_alone etcd
check 'a live cluster of ours is left as it was' leave_alone member
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
