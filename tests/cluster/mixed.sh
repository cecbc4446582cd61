#!/bin/bash
# mixed.sh [quick|whole] [ours real]: clusters of ours and real etcd in one. Every pair of "what the
# members are" and "who leads" below goes through all steps.
source "$(dirname "$0")/lib.sh"
need_oracle
FORM=${1:-quick}
OPERATIONS=${OPERATIONS:-10000}
BEHIND=7000 # operations until a stopped member can be helped by a snapshot only

# through_every: a write through each member is read through each other
through_every() {
  local i j
  for i in $(running); do
    at "$i" put "through/$i" "by member $i" >/dev/null || return 1
    for j in $(running); do
      [ "$(at "$j" get "through/$i" --print-value-only)" = "by member $i" ] ||
        { echo "written through $i, not read through $j"; return 1; }
    done
  done
}

# of_kind KIND [BUT]: the first running member of that kind
of_kind() {
  local i
  for i in $(running); do [ "${KIND[$i]}" = "$1" ] && [ "$i" != "${2:-}" ] && { echo "$i"; return 0; }; done
  return 1
}

# snapshot_went FROM TO: real etcd's log, of whichever side it is, tells of it
snapshot_went() {
  if [ "${KIND[$2]}" = real ]; then
    grep -q 'received and saved database snapshot' "${LOG[$2]}" || { echo "no snapshot in the log of member $2"; return 1; }
  else
    grep -q 'sent database snapshot\|"sent snapshot"' "${LOG[$1]}" || { echo "no snapshot in the log of member $1"; return 1; }
  fi
}

# catch_up FROM TO: TO misses more than the log keeps, and gets FROM's snapshot
catch_up() {
  expect "member $1 (${KIND[$1]}) leads" lead "$1" || return
  halt "$2"
  expect "mix while member $2 (${KIND[$2]}) is away" mix "$BEHIND"
  : >"${LOG[$1]}" && : >"${LOG[$2]}"
  launch "$2"
  expect "member $2 (${KIND[$2]}) serves after its absence" serves "$2"
  expect "it got a snapshot of member $1 (${KIND[$1]})" snapshot_went "$1" "$2"
  expect "same hashes" same_hashes
}

# learner KIND: added as a learner, promoted, and removed again: it ends by itself
learner() {
  local n=4 id out _
  place $n "$1"
  INITIAL=$(initial_cluster)
  # refused until every member was connected to all others for five seconds
  for _ in $(seq 20); do
    out=$(everywhere member add m$n --learner --peer-urls "${PEER_URL[$n]}" 2>&1) && break
    grep -q 'unhealthy cluster' <<<"$out" || break
    sleep 0.5
  done
  grep -q ETCD_INITIAL_CLUSTER <<<"$out" || { failed "add a learner: $out"; return; }
  id=$(everywhere member list 2>/dev/null | grep -F "${PEER_URL[$n]}" | cut -d, -f1)
  INITIAL_STATE=existing launch $n
  for _ in $(seq 100); do
    at 1 member promote "$id" >"$WORK/promote" 2>&1 && break
    sleep 0.1
  done
  grep -q promoted "$WORK/promote" || failed "promote: $(tail -n 1 "$WORK/promote")"
  expect "a learner ($1) was promoted and serves" serves $n
  expect "writes through all four" through_every
  expect "same hashes" same_hashes
  out=$(at "$(leader)" member remove "$id" 2>&1) || failed "remove: $out"
  expect "the removed member ($1) ended by itself" ended $n 200
  KIND=("" "${KIND[@]:0:3}") && unset 'KIND[0]' 'PID[4]' 'ENDPOINTS[4]' 'PEER_URL[4]' 'LOG[4]' 'DATA[4]'
  INITIAL=$(initial_cluster)
  expect "writes through the rest" through_every
}
ended() {
  local _
  for _ in $(seq "$2"); do
    kill -0 "${PID[$1]}" 2>/dev/null || { PID[$1]=; return 0; }
    sleep 0.1
  done
  echo "it still runs"
  return 1
}

# to_and_fro: every member leads in turn, and takes writes
to_and_fro() {
  local i
  for i in $(running) $(running | tac); do
    lead "$i" || { echo "member $i (${KIND[$i]}) does not lead"; return 1; }
    at "$i" put "led/$i" x >/dev/null || return 1
  done
}

# swap_kinds: each directory is opened by the other kind
swap_kinds() {
  local i
  expect "same hashes" same_hashes
  local before=$HASHED
  halt_all
  for i in "${!KIND[@]}"; do
    [ "${KIND[$i]}" = ours ] && KIND[$i]=real || KIND[$i]=ours
    launch "$i"
  done
  for i in "${!KIND[@]}"; do expect "${KIND[$i]} opens the directory of member $i" serves "$i"; done
  expect "same hashes" same_hashes
  at 1 endpoint hashkv --rev "$(cut -d' ' -f2 <<<"$before")" | grep -qF "$(sed 's/.*hash/,/' <<<"$before")" ||
    failed "the hash changed with the kinds"
  expect "writes through every member" through_every
  expect "the level is kept" levels
}
# halt_all: a leader that stops hands over to one that still runs
halt_all() {
  local i
  for i in "${!PID[@]}"; do kill -TERM "${PID[$i]}" 2>/dev/null; done
  for i in "${!PID[@]}"; do halt "$i"; done
}
# cluster LEADER_KIND KIND KIND KIND
cluster() {
  local leader_kind=$1
  shift
  echo "cluster of $*, $leader_kind leads"
  expect "all serve" new_cluster "$@" || return
  local chosen
  chosen=$(of_kind "$leader_kind")
  expect "member $chosen ($leader_kind) leads" lead "$chosen" || return
  expect "writes through every member" through_every
  expect "mix of $OPERATIONS" mix "$OPERATIONS"
  expect "same hashes" same_hashes
  [ -z "${TRUSS_DRIVE:-}" ] || expect "driven by the Go client" "$TRUSS_DRIVE" drive --endpoints "$(all_endpoints)"
  expect "the leader moves to and fro" to_and_fro
}

# all_steps LEADER_KIND KIND KIND KIND
all_steps() {
  cluster "$@" || return
  local ours real
  ours=$(of_kind ours) real=$(of_kind real)
  if [ "$1" = ours ]; then catch_up "$ours" "$real"; learner real; else catch_up "$real" "$ours"; learner ours; fi
  expect "the level is kept" levels
  swap_kinds
  kill_all
}

all_steps ours ours real real
all_steps real ours ours real
if [ "$FORM" = whole ]; then
  all_steps real ours real real
  all_steps ours ours ours real
fi
[ "$FAILED" -eq 0 ] && echo "all steps agree"
exit "$FAILED"
