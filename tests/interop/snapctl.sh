#!/bin/bash
# Snapshots both ways: what real etcd saved, snapctl restores and real etcd and ours start on it, alone and as three
# members, with the same HashKV; what our member holds, etcdctl saves and restores.
source "$(dirname "$0")/lib.sh"
need_oracle
SNAPCTL=$TRUSS_BIN/snapctl
FAILED=0
PIDS=()
trap 'stop_server KILL; for pid in "${PIDS[@]}"; do kill -KILL "$pid" 2>/dev/null; done; rm -rf "$WORK"' EXIT

fail() { echo "FAILED: $*"; FAILED=1; }
revision() { ctl get probe -w json | sed -E 's/.*"revision":([0-9]+).*/\1/'; }
hash_at() { ctl endpoint hashkv --rev "$1" | cut -d, -f2 | tr -d ' '; }
contents() { ctl get '' --prefix -w json | sed -E 's/"header":\{[^}]*\}//' | sha256sum | cut -d' ' -f1; }
offline_hash() { "$SNAPCTL" hashkv "$@" -o json | sed -E 's/.*"hash":([0-9]+).*/\1/'; }

# fill: versions, deletes, a lease, a txn, a compaction; leaves REV, HASH, CONTENTS
fill() {
  local i lease
  for i in $(seq 40); do ctl put "key/$((i % 17))" "value $i" >/dev/null || return 1; done
  ctl del key/3 >/dev/null
  lease=$(ctl lease grant 5000 | grep -oE '[0-9a-f]{16}')
  ctl put leased v --lease="$lease" >/dev/null
  ctl compaction 30 >/dev/null
  ctl put big "$(head -c 90000 /dev/zero | tr '\0' x)" >/dev/null
  ctl del key/4 >/dev/null
  REV=$(revision) HASH=$(hash_at "$(revision)") CONTENTS=$(contents)
}

# agrees WHAT: the running server has what fill left
agrees() {
  local got
  got="$(revision) $(hash_at "$REV") $(contents)"
  [ "$got" = "$REV $HASH $CONTENTS" ] && { echo "$1: revision, HashKV and contents agree"; return; }
  fail "$1: $got instead of $REV $HASH $CONTENTS"
}

# alone KIND SNAPSHOT TOOL: restores with TOOL (ours or theirs) and starts KIND on the result
alone() {
  local kind=$1 file=$2 tool=$3 dir=$WORK/alone flags
  rm -rf "$dir"
  flags=(--name s1 --data-dir "$dir" --initial-cluster "s1=http://127.0.0.1:$PEER_PORT"
    --initial-cluster-token interop --initial-advertise-peer-urls "http://127.0.0.1:$PEER_PORT")
  if [ "$tool" = ours ]; then
    "$SNAPCTL" restore "$file" "${flags[@]}" >/dev/null || { fail "snapctl restore"; return; }
  else
    "$ETCDCTL" snapshot restore "$file" "${flags[@]}" >/dev/null 2>&1 || { fail "etcdctl snapshot restore"; return; }
  fi
  start_server "$kind" "$dir" || { fail "$kind does not start on what $tool restored"; tail -3 "$WORK/$kind.log"; return; }
  agrees "$kind on a directory restored by $tool"
  ctl put after restore >/dev/null || fail "$kind takes no put after a restore by $tool"
  stop_server TERM
  start_server "$kind" "$dir" || fail "$kind does not start a second time"
  [ "$(ctl get after --print-value-only)" = restore ] || fail "$kind lost a put after the restore"
  stop_server TERM
}

# three KIND SNAPSHOT: three members restored by snapctl
three() {
  local kind=$1 file=$2 base i program cluster='' endpoints='' extra=(--logger zap --log-outputs stderr)
  base=$((11000 + RANDOM % 9000 * 2))
  for i in 1 2 3; do
    until port_free $((base + 2 * i)) && port_free $((base + 2 * i + 1)); do base=$((base + 2)); done
  done
  for i in 1 2 3; do cluster+="${cluster:+,}n$i=http://127.0.0.1:$((base + 2 * i + 1))"; done
  program=$ETCD
  [ "$kind" = member ] && { program=$TRUSS_BIN/member; extra=(--compat 3.4); }
  for i in 1 2 3; do
    rm -rf "$WORK/n$i"
    "$SNAPCTL" restore "$file" --name "n$i" --data-dir "$WORK/n$i" --initial-cluster "$cluster" \
      --initial-advertise-peer-urls "http://127.0.0.1:$((base + 2 * i + 1))" >/dev/null || fail "snapctl restore of n$i"
    "$program" --name "n$i" --data-dir "$WORK/n$i" --listen-client-urls "http://127.0.0.1:$((base + 2 * i))" \
      --advertise-client-urls "http://127.0.0.1:$((base + 2 * i))" --listen-peer-urls "http://127.0.0.1:$((base + 2 * i + 1))" \
      --initial-advertise-peer-urls "http://127.0.0.1:$((base + 2 * i + 1))" --initial-cluster "$cluster" \
      "${extra[@]}" >"$WORK/n$i.log" 2>&1 &
    PIDS+=($!)
    endpoints+="${endpoints:+,}127.0.0.1:$((base + 2 * i))"
  done
  for i in $(seq 150); do
    timeout 5 "$ETCDCTL" --endpoints "$endpoints" endpoint health >/dev/null 2>&1 && break
    sleep 0.1
  done
  for i in 1 2 3; do
    ENDPOINT=127.0.0.1:$((base + 2 * i))
    agrees "$kind, member $i of three"
  done
  ctl put after three >/dev/null || fail "three members of $kind take no put"
  [ "$(timeout 20 "$ETCDCTL" --endpoints "$endpoints" endpoint hashkv --rev $((REV + 1)) | cut -d, -f2 | sort -u | wc -l)" = 1 ] ||
    fail "three members of $kind disagree after a put"
  for i in "${PIDS[@]}"; do kill -TERM "$i" 2>/dev/null; wait "$i" 2>/dev/null; done
  PIDS=()
}

for source in etcd member; do
  choose_ports
  start_server "$source" "$WORK/$source" || { fail "$source does not start"; break; }
  fill || fail "writing to $source"
  ctl snapshot save "$WORK/$source.db" >/dev/null 2>&1 || fail "etcdctl snapshot save from $source"
  stop_server TERM
  [ "$(offline_hash "$WORK/$source.db")" = "$HASH" ] || fail "hashkv of the snapshot of $source is not the member's"
  [ "$(offline_hash "$WORK/$source")" = "$HASH" ] || fail "hashkv of the directory of $source is not the member's"
  "$SNAPCTL" verify "$WORK/$source.db" >"$WORK/verify" || { fail "verify of the snapshot of $source"; cat "$WORK/verify"; }
  theirs=$("$ETCDCTL" snapshot status "$WORK/$source.db" -w json)
  ours=$("$SNAPCTL" status "$WORK/$source.db" -o json)
  [[ $ours == "${theirs%\}}"* ]] || fail "status: $ours, etcdctl says $theirs"
  [ "$("$SNAPCTL" status "$WORK/$source.db" -o table)" = "$("$ETCDCTL" snapshot status "$WORK/$source.db" -w table)" ] ||
    fail "the tables of status differ"
  for kind in etcd member; do
    for tool in ours theirs; do alone "$kind" "$WORK/$source.db" "$tool"; done
  done
  three etcd "$WORK/$source.db"
  three member "$WORK/$source.db"
done

# A bumped revision: the old ones are compacted, the keys are there, writes go on above.
choose_ports
"$SNAPCTL" restore "$WORK/etcd.db" --name s1 --data-dir "$WORK/bumped" --initial-cluster "s1=http://127.0.0.1:$PEER_PORT" \
  --initial-cluster-token interop --initial-advertise-peer-urls "http://127.0.0.1:$PEER_PORT" \
  --bump-revision 1000000 --mark-compacted >/dev/null || fail "restore with a bumped revision"
for kind in etcd member; do
  start_server "$kind" "$WORK/bumped" || { fail "$kind does not start on a bumped directory"; continue; }
  [ "$(revision)" -ge 1000000 ] || fail "$kind: revision $(revision) is not bumped"
  [[ $(ctl get --rev $((REV - 1)) key/1 2>&1) == *compacted* ]] || fail "$kind: old revisions are not compacted"
  [ "$(ctl get leased --print-value-only)" = v ] || fail "$kind: a key is gone after the bump"
  ctl put bumped "$kind" >/dev/null || fail "$kind takes no put after the bump"
  stop_server TERM
done
[ "$FAILED" -eq 0 ] && echo "restores agree both ways"
exit "$FAILED"
