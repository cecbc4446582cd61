# Sourced by the tests of clusters: members 1, 2, 3, … of either kind on free loopback ports. Bash.
# Member i: KIND[i] (ours|real), ENDPOINTS[i], PEER_URL[i], PID[i], its data in DATA[i], its output
# in LOG[i]. Nothing here stops at a failure: failed() counts it.
source "$(dirname "${BASH_SOURCE[0]}")/../interop/lib.sh"

# of ours (and so of a mixed cluster), and of real etcd
LEVEL=${TRUSS_LEVEL:-3.4} ETCD_LEVEL=${TRUSS_ETCD_LEVEL:-${TRUSS_LEVEL:-3.4}}
KIND=() ENDPOINTS=() PEER_URL=() PID=() DATA=() LOG=()
LOAD_PID= FAILED=0 CLUSTERS=0
trap 'kill_all; rm -rf "$WORK"' EXIT

kill_all() {
  local i
  for i in "${!PID[@]}"; do [ -n "${PID[$i]}" ] && kill -KILL "${PID[$i]}" 2>/dev/null; done
  [ -n "$LOAD_PID" ] && kill -KILL "$LOAD_PID" 2>/dev/null
  wait 2>/dev/null
  PID=() LOAD_PID=
}

passed() { echo "  ok: $* (${SECONDS}s)"; }
failed() {
  echo "  FAILED: $*"
  FAILED=$((FAILED + 1))
  local i
  for i in "${!LOG[@]}"; do tail -n 4 "${LOG[$i]}" 2>/dev/null | cut -c 1-400 | sed "s/^/    member $i (${KIND[$i]}): /"; done
}
# expect WHAT COMMAND...: the command succeeds. It runs in this shell: functions may set variables.
expect() {
  local what=$1
  shift
  if "$@" >"$WORK/expected" 2>&1; then passed "$what"; else failed "$what: $(tail -n 3 "$WORK/expected")"; return 1; fi
}

# place i KIND: gives a member its ports and folder
place() {
  choose_ports
  until [[ " ${ENDPOINTS[*]} ${PEER_URL[*]} " != *":$CLIENT_PORT "* && " ${ENDPOINTS[*]} ${PEER_URL[*]} " != *":$PEER_PORT "* ]]; do choose_ports; done
  KIND[$1]=$2 ENDPOINTS[$1]=127.0.0.1:$CLIENT_PORT PEER_URL[$1]=http://127.0.0.1:$PEER_PORT
  DATA[$1]=$WORK/$CLUSTERS/m$1 LOG[$1]=$WORK/$CLUSTERS/m$1.log PID[$1]=
  mkdir -p "$WORK/$CLUSTERS"
}

# initial_cluster: of all placed members
initial_cluster() {
  local i out=
  for i in "${!KIND[@]}"; do out+="${out:+,}m$i=${PEER_URL[$i]}"; done
  echo "$out"
}

# launch i [FLAGS...]: starts a member; INITIAL and INITIAL_STATE are the cluster's. Ours is told its
# level only when it makes a new cluster: else it has to find it.
launch() {
  local i=$1 program=$ETCD level=()
  shift
  if [ "${KIND[$i]}" = ours ]; then
    program=$TRUSS_BIN/member
    [ -e "${DATA[$i]}" ] || [ "$INITIAL_STATE" = existing ] || level=(--compat "$LEVEL")
  fi
  "$program" --name "m$i" --data-dir "${DATA[$i]}" --logger zap --log-outputs stderr \
    --listen-client-urls "http://${ENDPOINTS[$i]}" --advertise-client-urls "http://${ENDPOINTS[$i]}" \
    --listen-peer-urls "${PEER_URL[$i]}" --initial-advertise-peer-urls "${PEER_URL[$i]}" \
    --initial-cluster "$INITIAL" --initial-cluster-state "$INITIAL_STATE" --initial-cluster-token mixed \
    --heartbeat-interval 50 --election-timeout 500 --snapshot-count "${SNAPSHOT_COUNT:-1000}" \
    "${level[@]}" "$@" >>"${LOG[$i]}" 2>&1 &
  PID[$i]=$!
}

# serves i [SECONDS]: waits until a member answers a linearizable read
serves() {
  local _
  for _ in $(seq $((${2:-20} * 10))); do
    kill -0 "${PID[$1]}" 2>/dev/null || { echo "member $1 (${KIND[$1]}) ended"; return 1; }
    timeout 3 "$ETCDCTL" --endpoints "${ENDPOINTS[$1]}" --command-timeout 2s get startup-probe >/dev/null 2>&1 && return 0
    sleep 0.1
  done
  echo "member $1 (${KIND[$1]}) does not serve"
  return 1
}

# halt i [SIGNAL]: stops a member and waits for its end, which may take ten seconds
halt() {
  local _
  kill -"${2:-TERM}" "${PID[$1]}" 2>/dev/null
  for _ in $(seq 200); do kill -0 "${PID[$1]}" 2>/dev/null || break; sleep 0.05; done
  if kill -KILL "${PID[$1]}" 2>/dev/null; then failed "member $1 (${KIND[$1]}) did not stop"; fi
  wait "${PID[$1]}" 2>/dev/null
  PID[$1]=
}

# new_cluster KIND...: places and starts members 1, 2, … and waits for all
new_cluster() {
  kill_all
  KIND=() ENDPOINTS=() PEER_URL=() DATA=() LOG=()
  CLUSTERS=$((CLUSTERS + 1))
  local i=0 kind
  for kind in "$@"; do i=$((i + 1)); place "$i" "$kind"; done
  INITIAL=$(initial_cluster) INITIAL_STATE=new
  for i in "${!KIND[@]}"; do launch "$i"; done
  for i in "${!KIND[@]}"; do serves "$i" || return 1; done
}

running() {
  local i
  for i in "${!PID[@]}"; do [ -n "${PID[$i]}" ] && echo "$i"; done
}
# all_endpoints: of running members, with commas
all_endpoints() {
  local i out=
  for i in $(running); do out+="${out:+,}${ENDPOINTS[$i]}"; done
  echo "$out"
}
at() { local i=$1; shift; timeout 20 "$ETCDCTL" --endpoints "${ENDPOINTS[$i]}" "$@"; }
everywhere() { timeout 30 "$ETCDCTL" --endpoints "$(all_endpoints)" "$@"; }

# status_field i NAME: a number of `endpoint status`
status_field() { at "$1" endpoint status -w json | grep -oE "\"$2\":[0-9]+" | head -n 1 | cut -d: -f2; }
# id_of i, leader_id i: decimal
id_of() { status_field "$1" member_id; }
leader_id() { status_field "$1" leader; }
hex() { printf '%x' "$1"; }

# leader: the index of the running member that says it leads; waits for one
leader() {
  local _ i
  for _ in $(seq 100); do
    for i in $(running); do
      [ "$(id_of "$i")" = "$(leader_id "$i")" ] && [ -n "$(leader_id "$i")" ] && { echo "$i"; return 0; }
    done
    sleep 0.1
  done
  return 1
}

# lead i: makes member i the leader, if it isn't
lead() {
  local now _
  for _ in 1 2 3 4 5; do
    now=$(leader) || return 1
    [ "$now" = "$1" ] && return 0
    at "$now" move-leader "$(hex "$(id_of "$1")")" >/dev/null || sleep 0.5
  done
  [ "$(leader)" = "$1" ]
}

revision() { at "$1" get revision-probe -w json | grep -oE '"revision":[0-9]+' | cut -d: -f2; }

# same_hashes: HashKV at one revision is alike on all running members
same_hashes() {
  local i at_revision hash first=
  at_revision=$(revision "$(running | head -n 1)")
  for i in $(running); do
    revision "$i" >/dev/null # a linearizable read: then it has applied all
    hash=$(at "$i" endpoint hashkv --rev "$at_revision" | cut -d, -f2)
    [ -n "$hash" ] && [ "${first:=$hash}" = "$hash" ] ||
      { echo "member $i (${KIND[$i]}): hash '$hash' at revision $at_revision, before '$first'"; return 1; }
  done
  HASHED="revision $at_revision hash$first"
}

# mix OPERATIONS: mixed operations through all running members
mix() { "$TRUSS_BIN/truss_cluster_mix" --endpoints "$(all_endpoints)" --operations "$1" --seed "$RANDOM"; }

# load_start, load_stop: clients in the background; load_stop checks what they saw
load_start() {
  "$TRUSS_BIN/truss_cluster_load" --endpoints "$(all_endpoints)" --out "$WORK/history" --prefix "load$RANDOM/" >"$WORK/load.log" 2>&1 &
  LOAD_PID=$!
}
load_stop() {
  local rc=0
  kill -TERM "$LOAD_PID"
  wait "$LOAD_PID" || rc=$?
  LOAD_PID=
  cat "$WORK/load.log"
  [ "$rc" -eq 0 ] || cp "$WORK/history" "${TMPDIR:-/tmp}/truss-mixed-history"
  return "$rc"
}

# levels: every member presents its own, and the cluster's
levels() {
  local i own seen
  for i in $(running); do
    [ "${KIND[$i]}" = ours ] && own=$LEVEL || own=$ETCD_LEVEL
    seen=$(curl -s "http://${ENDPOINTS[$i]}/version")
    grep -q "\"etcdserver\":\"$own\..*\"etcdcluster\":\"$LEVEL\.0\"" <<<"$seen" ||
      { echo "member $i (${KIND[$i]}): $seen"; return 1; }
  done
}
