#!/bin/bash
# corruption.sh: members of both kinds compare their data, at start and twice a second while one
# leads, while 5 000 mixed operations run: no false alarm, whoever leads.
source "$(dirname "$0")/lib.sh"
need_oracle

# the flags' names before 3.6 and since
case $LEVEL in
  3.4 | 3.5) EVERY=--experimental-corrupt-check-time=500ms FIRST=--experimental-initial-corrupt-check=true ;;
  *) EVERY=--corrupt-check-time=500ms FIRST=--feature-gates=InitialCorruptCheck=true ;;
esac

no_alarm() {
  local seen
  seen=$(everywhere alarm list) || return 1
  [ -z "$seen" ] || { echo "alarm: $seen"; return 1; }
}
# looked i: as the leader it has compared itself with both others
looked() {
  local _
  : >"${LOG[$1]}"
  for _ in $(seq 100); do
    grep -q 'finished peer corruption check.*"number-of-peers-checked":2' "${LOG[$1]}" && return 0
    sleep 0.1
  done
  echo "member $1 (${KIND[$1]}) did not compare itself with the others"
  return 1
}
# checked_first i: it said so in its log when it started
checked_first() { grep -q 'initial corruption checking passed' "${LOG[$1]}" || { echo "member $1 (${KIND[$1]}) did not look first"; return 1; }; }

for kinds in 'ours real real' 'ours ours real'; do
  echo "cluster of $kinds"
  # shellcheck disable=SC2086
  expect "all serve" new_cluster $kinds || exit 1
  for i in "${!KIND[@]}"; do
    halt "$i"
    launch "$i" "$EVERY" "$FIRST"
    expect "member $i (${KIND[$i]}) serves, which compares its data" serves "$i"
  done
  for i in "${!KIND[@]}"; do
    expect "member $i (${KIND[$i]}) leads" lead "$i"
    expect "mix" mix 2500
    expect "it compares itself with both others" looked "$i"
    expect "no alarm" no_alarm
  done
  for i in "${!KIND[@]}"; do
    halt "$i"
    : >"${LOG[$i]}"
    launch "$i" "$FIRST"
    expect "member $i (${KIND[$i]}) serves again" serves "$i"
    expect "after it compared its data with the others'" checked_first "$i"
  done
  expect "same hashes" same_hashes
done
exit "$FAILED"
