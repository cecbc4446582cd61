#!/bin/bash
# against.sh [short]: peerbench against throwaway members, and on live clusters, of real etcd and of ours.
. "$(dirname "$0")/../interop/lib.sh"
need_oracle
export LC_ALL=C
passed=0 failed=0
PIDS=() PORTS=()
# What is measured how long; short: enough to see each part work.
MEASURED=1s ANSWERS=200 SNAPSHOT=16MiB DURING=32MiB GAPS=200 MEMBERS=(1 2 3)
[ "${1:-}" = short ] && { MEASURED=400ms ANSWERS=80 SNAPSHOT=4MiB DURING=8MiB GAPS=60 MEMBERS=(2); }
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
  local name=$1 program=$2 tmp=$WORK/tmp-$1
  mkdir -p "$tmp"
  bench channels --against "$program" --temp-dir "$tmp" --rate 200 --duration $MEASURED --warm-up 200ms --saturation 200ms \
    --snapshot-size $SNAPSHOT --snapshots 2 -o json >"$tmp.json" || { cat "$WORK/err"; return 1; }
  same "$(times "$tmp.json" '"driven": true')" 4 && same "$(times "$tmp.json" '"unfinished": 0,')" 4 &&
    same "$(times "$tmp.json" '"answered": 0,')" 0 && same "$(number "$tmp.json" answered)" $ANSWERS || return 1
  bench heartbeat --against "$program" --temp-dir "$tmp" --during-snapshot $DURING --interval 2ms --gaps $GAPS --no-contrast \
    --plot "$tmp.svg" -o json >"$tmp.json"
  [ $? -le 1 ] || { cat "$WORK/err"; return 1; }
  at_least "$(number "$tmp.json" gaps)" $GAPS && same "$(number "$tmp.json" interval_ms)" 2.0 &&
    at_least "$(number "$tmp.json" gap_max_ms)" "$(number "$tmp.json" gap_p999_ms)" &&
    grep -qE '"verdict": "(unaffected|delayed|at risk)"' "$tmp.json" &&
    grep -q '</svg>' "$tmp.svg" && [ -z "$(ls -A "$tmp")" ]
}

start_cluster() {  # start_cluster etcd|member: three members
  local kind=$1 program=$ETCD i flags=() cluster=
  [ "$kind" = member ] && { program=$TRUSS_BIN/member; flags=(--compat 3.4); }
  [ "$kind" = etcd ] && flags=(--logger zap --log-outputs stderr)
  for i in 1 2 3; do
    choose_ports
    while [[ " ${PORTS[*]} " == *" $CLIENT_PORT "* ]]; do choose_ports; done
    PORTS+=("$CLIENT_PORT")
    C[i]=$CLIENT_PORT P[i]=$PEER_PORT  # of the cluster that was started last
    cluster+=${cluster:+,}s$i=http://127.0.0.1:$PEER_PORT
  done
  for i in 1 2 3; do
    "$program" --name s$i --data-dir "$WORK/$kind$i" --listen-client-urls "http://127.0.0.1:${C[i]}" \
      --advertise-client-urls "http://127.0.0.1:${C[i]}" --listen-peer-urls "http://127.0.0.1:${P[i]}" \
      --initial-advertise-peer-urls "http://127.0.0.1:${P[i]}" --initial-cluster "$cluster" "${flags[@]}" \
      >"$WORK/$kind$i.log" 2>&1 &
    PIDS+=($!)
  done
  declare -ga "C_$kind=(0 ${C[*]})" "P_$kind=(0 ${P[*]})"
}
# use KIND: C, P and ENDPOINT are those of that cluster
use() {
  local -n clients=C_$1 peers=P_$1
  C=("${clients[@]}") P=("${peers[@]}")
  ENDPOINT=127.0.0.1:${C[1]},127.0.0.1:${C[2]},127.0.0.1:${C[3]}
}
wait_for() {  # wait_for KIND: its cluster takes writes
  local _
  use "$1"
  for _ in $(seq 100); do
    ctl endpoint health >/dev/null 2>&1 && ctl put warm up >/dev/null && return 0
    sleep 0.2
  done
  tail -3 "$WORK/$1"?.log
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
  use "$1"
  before=$(state "$1")
  for i in "${MEMBERS[@]}"; do
    bench channels --target "http://127.0.0.1:${P[i]}" --duration $MEASURED -o json >"$WORK/target.json" || return 1
    at_least "$(largest "$WORK/target.json" count)" 15 && same "$(times "$WORK/target.json" '"driven": false')" 4 || return 1
    bench channels --target "http://127.0.0.1:${C[i]}" --duration 300ms -o json >"$WORK/target.json" || return 1
  done
  bench doctor --data-dir "$WORK/${1}1" --peers "http://127.0.0.1:${P[2]},http://127.0.0.1:${P[3]}" --duration $MEASURED -o json \
    >"$WORK/doctor.json"
  [ $? -le 1 ] || return 1
  # disk, processor, network and clock of two; apply and channels of three, and their disks if they synced enough
  at_least "$(times "$WORK/doctor.json" '"advice"')" 12 && same "$(times "$WORK/doctor.json" '"name": "apply of s')" 3 &&
    grep -q '"notes": \[\]' "$WORK/doctor.json" && at_least "$(number "$WORK/doctor.json" heartbeat_interval_ms)" 100 || return 1
  after=$(state "$1")
  [ "$before" = "$after" ] || { diff <(echo "$before") <(echo "$after"); return 1; }
}

start_cluster etcd
start_cluster member
check 'a cluster of real etcd starts' wait_for etcd
check 'a cluster of ours starts' wait_for member
settled=$((SECONDS + 7))  # their versions are decided then, and no backend commit is due
check 'channels and heartbeat against real etcd' drive etcd "$ETCD"
check 'channels and heartbeat against our member' drive member "$TRUSS_BIN/member"
while [ $SECONDS -lt $settled ]; do sleep 0.2; done
check 'a live cluster of real etcd is left as it was' leave_alone etcd
check 'a live cluster of ours is left as it was' leave_alone member
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
