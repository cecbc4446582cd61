#!/bin/bash
# downgrade.sh ETCD_OF_THE_OLDER_RELEASE OLDER_LEVEL: a cluster of both kinds goes back to the release
# before, under load: enabled through one kind, the version lowered by either as the leader, each
# member replaced by the older release (ours: started without being told), and nothing lost.
# TRUSS_ETCD and TRUSS_LEVEL name the newer release.
source "$(dirname "$0")/lib.sh"
need_oracle
OLDER_ETCD=$1 OLDER=$2

# maintain i BODY: the answer of the JSON gateway
maintain() { curl -s -m 10 -d "$2" "http://${ENDPOINTS[$1]}/v3/maintenance/downgrade"; }
# answers BODY: both kinds say the same to it
answers() {
  local i said first=
  [[ $(maintain "$(running | head -n 1)" "$1") == *[a-z]* ]] || { echo "no answer"; return 1; }
  for i in $(running); do
    said=$(maintain "$i" "$1" | tr -d ' ' | sed -E 's/"(header|raft_term|revision|member_id|cluster_id)":("[0-9]*"|\{[^}]*\}),?//g')
    [ "${first:=$said}" = "$said" ] || { echo "member $i (${KIND[$i]}): $said, before: $first"; return 1; }
  done
}
# all_say PATTERN SECONDS: GET /version of every running member
all_say() {
  local i _ seen
  for _ in $(seq $(($2 * 5))); do
    seen=$(for i in $(running); do curl -s -m 2 "http://${ENDPOINTS[$i]}/version" | grep -E "$1"; done | wc -l)
    [ "$seen" -eq "$(running | wc -l)" ] && return 0
    sleep 0.2
  done
  for i in $(running); do echo "member $i (${KIND[$i]}): $(curl -s "http://${ENDPOINTS[$i]}/version")"; done
  return 1
}
over() {
  local _ i
  for _ in $(seq 100); do
    for i in $(running); do [ "$(curl -s -m 8 "${PEER_URL[$i]}/downgrade/enabled")" = false ] || { sleep 0.2; continue 2; }; done
    return 0
  done
  echo "the downgrade is not over"
  return 1
}

for leader_kind in ours real; do
  echo "cluster at $LEVEL, $leader_kind leads"
  expect "all serve" new_cluster ours real ours || exit 1
  [ "$leader_kind" = ours ] && chosen=1 || chosen=2
  expect "member $chosen leads" lead "$chosen"
  expect "all at $LEVEL" all_say "etcdcluster\":\"$LEVEL" 20
  expect "mix" mix 1000
  for body in '{"action":"CANCEL"}' "{\"version\":\"$OLDER\"}" '{"version":"3.1"}' '{"version":"x"}' "{\"version\":\"$LEVEL\"}" \
    "{\"action\":\"ENABLE\",\"version\":\"$LEVEL.0\"}" "{\"version\":\"$OLDER.17\"}"; do
    expect "both kinds say the same to $body" answers "$body"
  done
  load_start
  expect "enabled by member $chosen" grep -q '"version"' <(maintain "$chosen" "{\"action\":\"ENABLE\",\"version\":\"$OLDER\"}")
  expect "the version is lowered by $leader_kind" all_say "etcdcluster\":\"$OLDER.0" 20
  expect "and what is stored with it" all_say "storage\":\"$OLDER.0" 20
  expect "both kinds say the same to a second one" answers "{\"action\":\"ENABLE\",\"version\":\"$OLDER\"}"
  for i in 1 2 3; do
    halt "$i"
    ETCD=$OLDER_ETCD launch "$i"
    expect "member $i (${KIND[$i]}) serves as $OLDER" serves "$i"
  done
  expect "all are of $OLDER" all_say "etcdserver\":\"$OLDER.*etcdcluster\":\"$OLDER.0" 5
  expect "the downgrade is over" over
  expect "nothing lost under load: $(tail -n 1 "$WORK/load.log")" load_stop
  expect "same hashes" same_hashes
  for i in 1 2; do
    halt "$i"
    [ "${KIND[$i]}" = ours ] && KIND[$i]=real || KIND[$i]=ours
    ETCD=$OLDER_ETCD launch "$i"
    expect "${KIND[$i]} opens the directory of member $i" serves "$i"
  done
  expect "all are of $OLDER" all_say "etcdserver\":\"$OLDER.*etcdcluster\":\"$OLDER.0" 5
  expect "same hashes" same_hashes
done
exit "$FAILED"
