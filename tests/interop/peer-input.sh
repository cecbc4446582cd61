#!/bin/bash
# What no well-behaved peer sends, to the peer port of real etcd and of ours: garbage, oversized
# lengths, wrong cluster ids, unknown senders, half snapshots, silence. The same bytes go to both;
# status, the headers that say something, and the body must be alike, and both go on serving.
# TRUSS_ETCD and TRUSS_LEVEL name another release than 3.4.23 and its level.
source "$(dirname "$0")/lib.sh"
need_oracle
LEVEL=${TRUSS_LEVEL:-3.4}
CASES=0

# --- Bytes -----------------------------------------------------------------------------------

# varint N: hex, N unsigned of 64 bits
varint() {
  local n=$(($1)) byte out=
  while :; do
    byte=$((n & 127)) n=$(((n >> 7) & 0x01ffffffffffffff))
    [ "$n" -eq 0 ] && { printf '%s%02x' "$out" "$byte"; return; }
    out+=$(printf '%02x' $((byte | 128)))
  done
}
u64() { printf '%016x' "$1"; }
# message TYPE TO FROM [MORE HEX]: a raftpb.Message of term 1
message() { printf '08%s10%s18%s2001%s' "$(varint "$1")" "$(varint "$2")" "$(varint "$3")" "${4:-}"; }
# framed HEX: with its length in front
framed() { printf '%s%s' "$(u64 $((${#1} / 2)))" "$1"; }
bytes() { printf '%b' "$(sed 's/../\\x&/g' <<<"$1" | tr -d '\n')"; }
repeated() { printf "%.0s$1" $(seq "$2"); }

# --- Requests --------------------------------------------------------------------------------

# shown: the answer without what may differ by the moment or by the Go that built etcd (since 1.26 it
# redirects by 307), its headers in order
shown() {
  tr -d '\r' | sed 's/307 Temporary Redirect/301 Moved Permanently/; s/>Temporary Redirect</>Moved Permanently</' >"$WORK/answer"
  sed -n 1p "$WORK/answer"
  sed '1d;/^$/,$d' "$WORK/answer" | grep -viE '^(date|content-length|transfer-encoding|connection|x-server-version):' | sort
  # what is wrong with a message is said in our own words
  sed '1,/^$/d' "$WORK/answer" | sed -E 's/(failed to decode raft message) \(.*/\1/' | sed -E 's/"Now":"[^"]*"/"Now":…/; s/"etcdserver":"[^"]*"/"etcdserver":…/'
}
# ask NAME PATH [CURL ARGS...]: one request with an answer
ask() {
  CASES=$((CASES + 1))
  local name=$1 path=$2
  shift 2
  {
    printf '== %s\n' "$name"
    curl -s -i -m 3 -H 'Accept:' -H 'User-Agent:' "$@" "http://127.0.0.1:$PEER_PORT$path" | shown
    # Go's server may take up to five seconds until it has cut a connection
    printf '\ncurl %s\n' "${PIPESTATUS[0]}" | sed 's/ 28/ 18/'
  } >>"$TRANSCRIPT"
}
# the headers of a peer, less the one named, and with what follows instead
gate() {
  local without=$1
  shift
  HEADERS=()
  local header
  for header in "X-Server-From: $(printf %x "$STRANGER")" 'X-Server-Version: 3.4.23' 'X-Min-Cluster-Version: 3.0.0' \
    "X-Etcd-Cluster-Id: $CLUSTER"; do
    [[ $header == "$without:"* ]] || HEADERS+=(-H "$header")
  done
  for header in "$@"; do HEADERS+=(-H "$header"); done
}
# post NAME PATH HEX [CURL ARGS...]: a POST of a peer in good standing
post() {
  local name=$1 path=$2 hex=$3
  shift 3
  bytes "$hex" >"$WORK/body"
  gate none
  ask "$name" "$path" "${HEADERS[@]}" -H 'Content-Type:' "$@" --data-binary @"$WORK/body"
}
stream() {
  local name=$1 path=$2
  shift 2
  gate "${1:-none}" "${@:2}"
  ask "$name" "$path" "${HEADERS[@]}" -H "X-Raft-To: $SELF_HEX"
}
# raw NAME SECONDS BYTES: bytes on a plain connection; records the first line and the last of the answer
raw() {
  CASES=$((CASES + 1))
  {
    printf '== raw %s\n' "$1"
    timeout $(($2 + 2)) bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1"; printf "%b" "$2" >&3; timeout "$3" cat <&3' _ \
      "$PEER_PORT" "$3" "$2" | tr -d '\r' | sed -E '1p;$!d; s/(failed to decode raft message) \(.*/\1/' | tr -cd '[:print:]\n'
    printf '\n'
  } >>"${4:-$TRANSCRIPT}" 2>/dev/null
}
# silent NAME PATH HEADERS: a POST whose body stops in the middle, answered after five seconds, by Go
# after ten
silent() {
  raw "silence in the middle: $1" 11 "POST $2 HTTP/1.1\\r\\nHost: x\\r\\n$3Content-Length: 100\\r\\n\\r\\nabc" "$WORK/silent.$1" &
  SILENT+=($!)
}

# --- The cases -------------------------------------------------------------------------------

raft_cases() {
  local own=$SELF path
  for path in /raft /raft/snapshot /raft/stream/message/1; do
    ask "$path without headers" $path -X POST -H 'Content-Type:' -d ''
    ask "$path by another method" $path -X PUT -H 'Content-Type:' -d ''
    ask "$path by HEAD" $path -I
  done
  local method
  for path in /raft /raft/snapshot /raft/stream/message/1; do
    [ "$path" = /raft ] && bytes "$(message 9 "$own" "$STRANGER")" >"$WORK/body" || : >"$WORK/body"
    method=POST
    [[ $path == /raft/stream* ]] && method=GET
    gate X-Server-Version; ask "$path, no version" $path "${HEADERS[@]}" -X $method --data-binary @"$WORK/body"
    gate X-Server-Version 'X-Server-Version: 2.3.8'; ask "$path, version too old" $path "${HEADERS[@]}" -X $method --data-binary @"$WORK/body"
    gate X-Min-Cluster-Version; ask "$path, no minimum" $path "${HEADERS[@]}" -X $method --data-binary @"$WORK/body"
    gate X-Min-Cluster-Version 'X-Min-Cluster-Version: 4.0.0'; ask "$path, wants newer" $path "${HEADERS[@]}" -X $method --data-binary @"$WORK/body"
    gate X-Etcd-Cluster-Id; ask "$path, no cluster" $path "${HEADERS[@]}" -X $method --data-binary @"$WORK/body"
    gate X-Etcd-Cluster-Id 'X-Etcd-Cluster-Id: 1234'; ask "$path, other cluster" $path "${HEADERS[@]}" -X $method --data-binary @"$WORK/body"
    gate X-Etcd-Cluster-Id "X-Etcd-Cluster-Id: 0$CLUSTER"; ask "$path, padded cluster" $path "${HEADERS[@]}" -X $method --data-binary @"$WORK/body"
    gate X-Etcd-Cluster-Id "X-Etcd-Cluster-Id: ${CLUSTER^^}"; ask "$path, cluster in capitals" $path "${HEADERS[@]}" -X $method --data-binary @"$WORK/body"
  done
  post 'garbage' /raft ffffffffff
  post 'half a field' /raft 0a7f
  [ "$LEVEL" = 3.7 ] || post 'wrong wire type' /raft 0a0108 # 3.7 takes it for an unknown field
  post 'endless varint' /raft 08ffffffffffffffffffffff
  is_34 || post 'length of 2^63' /raft 3affffffffffffffff7f # 3.4 falls over it
  post 'field 0' /raft 0001
  [ "$LEVEL" = 3.7 ] || post 'group' /raft 0b0c
  local type
  for type in 0 1 2 3 4 5 6 8 9 10 11 12 13 14 15 16 17 18; do
    post "message $type of a stranger" /raft "$(message $type "$own" "$STRANGER")"
  done
  for type in 19 20 21 22 23 24 99 1000; do post "unknown type $type" /raft "$(message $type "$own" "$STRANGER")"; done
  post 'chunked' /raft "$(message 9 "$own" "$STRANGER")" -H 'Transfer-Encoding: chunked'
  post 'garbage of a MiB' /raft "$(repeated ff 1000000)"
  is_34 && return # which takes what is sent to somebody else
  post 'empty' /raft ''
  post 'to somebody else' /raft "$(message 9 7 "$STRANGER")"
}
is_34() { [ "$LEVEL" = 3.4 ]; }

stream_cases() {
  stream 'no such stream' /raft/stream/other/1
  stream 'no from' /raft/stream/message/
  stream 'no stream' /raft/stream/
  stream 'no slash' /raft/stream
  stream 'from that is no number' /raft/stream/message/xyz
  stream 'from of 65 bits' /raft/stream/msgapp/1ffffffffffffffff
  stream 'from with a sign' /raft/stream/msgapp/-1
  stream 'from of nobody' /raft/stream/message/0
  stream 'unknown sender' "/raft/stream/message/$(printf %x "$STRANGER")"
  stream 'unknown sender in capitals' /raft/stream/msgapp/ABCD
  stream 'more path' /raft/stream/message/1/2
  stream 'from ourselves' "/raft/stream/message/$SELF_HEX"
  stream 'removed sender' "/raft/stream/message/$REMOVED"
  stream 'removed sender, padded' "/raft/stream/msgapp/000$REMOVED"
}

snapshot_cases() {
  local own=$SELF snap
  snap=$(message 7 "$own" "$STRANGER" "4a0812060a001001""1801")
  post 'empty snapshot' /raft/snapshot ''
  post 'half a length' /raft/snapshot 00000000
  post 'half an envelope' /raft/snapshot 000000000000000a0807
  post 'envelope of no message' /raft/snapshot 0000000000000003ffffff
  post 'no snapshot' /raft/snapshot "$(framed "$(message 8 "$own" "$STRANGER")")"
  post 'envelope of length 0' /raft/snapshot 0000000000000000
  post 'snapshot with half a database' /raft/snapshot "$(framed "$snap")abcd"
  is_34 && return # whose handler falls over the length
  post 'length of 2 TiB' /raft/snapshot 0000020000000000aabb
  post 'length of 2^63' /raft/snapshot 8000000000000000aabb
  post 'length of 2^64 - 1' /raft/snapshot ffffffffffffffffaabb
}

member_cases() {
  local path
  for path in /members /version /leases /leases/internal /members/promote/1 /members/hashkv /raft/probing /downgrade/enabled; do
    ask "$path by PUT" $path -X PUT -H 'Content-Type:' -d ''
    ask "$path by HEAD" $path -I
    ask "$path/" "$path/"
  done
  for path in /nothing / /members/x /members/promote /raft/ /raft/probing/x /v3/kv/range /metrics /health /debug/vars; do ask "path $path" $path; done
  for path in /members /version /raft/probing; do ask "$path" $path; done
  for path in x '' -1 0x10 99999999999999999999 7 1/2; do ask "promote '$path'" "/members/promote/$path" -X POST -H 'Content-Type:' -d ''; done
  local body
  for body in '' '{' '[]' 'null' '{"revision":"1"}' '{"revision":1.5}' '{"revision":99999999999999999999}' '{"revision":1000000}' \
    '{"revision":-1}' '{"nothing":1}' '{"revision":2} x' '{"REVISION":2}' '{"revision":null}' '{}' '{"revision":2}'; do
    ask "hashkv $body" /members/hashkv -X GET -H 'Content-Type:' -d "$body"
  done
  post 'lease that is none' /leases 0807
  post 'lease garbage' /leases ffff
  post 'lease empty' /leases ''
  post 'lease internal garbage' /leases/internal ffff
  post 'lease internal that is none' /leases/internal 0a020807
  is_34 && return # the limits that came later
  post 'lease of a MiB' /leases "$(repeated ff 1000000)"
  ask 'hashkv of another cluster' /members/hashkv -X GET -H 'X-Etcd-Cluster-Id: 1234' -H 'Content-Type:' -d '{}'
}

http_cases() {
  raw 'no HTTP' 1 'hello\r\n\r\n'
  raw 'bad version' 1 'GET / HTTP/9.9\r\nHost: x\r\n\r\n'
  raw 'no host' 1 'GET /version HTTP/1.1\r\n\r\n'
  raw 'two lengths' 1 'POST /raft HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}'
  raw 'negative length' 1 'POST /raft HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n{}'
  raw 'half a header' 1 'GET /vers'
  raw 'GET with a body that does not come' 6 'GET /members HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\n'
}

silent_cases() {
  SILENT=()
  local gate="X-Server-From: $(printf %x "$STRANGER")\\r\\nX-Server-Version: 3.4.23\\r\\nX-Min-Cluster-Version: 3.0.0\\r\\nX-Etcd-Cluster-Id: $CLUSTER\\r\\n"
  silent raft /raft "$gate"
  silent snapshot /raft/snapshot "$gate"
  silent leases /leases ''
  silent hashkv /members/hashkv ''
  silent members /members ''
  wait "${SILENT[@]}"
  local name
  for name in raft snapshot leases hashkv members; do cat "$WORK/silent.$name" >>"$TRANSCRIPT" && rm "$WORK/silent.$name"; CASES=$((CASES + 1)); done
}

# removed_member: an id that was in the cluster once
removed_member() {
  local id
  ctl member add gone --peer-urls http://127.0.0.1:1 --learner >/dev/null || return 1
  id=$(ctl member list | grep 127.0.0.1:1, | cut -d, -f1)
  ctl member remove "$id" >/dev/null && echo "$id"
}

run_cases() {
  local kind=$1
  TRANSCRIPT=$WORK/$kind.transcript CASES=0
  start_server "$kind" "$WORK/$kind.data" || { echo "FAILED: $kind did not start"; exit 1; }
  CLUSTER=$(curl -s -i "http://127.0.0.1:$PEER_PORT/members" | tr -d '\r' | sed -n 's/^X-Etcd-Cluster-Id: //Ip')
  SELF_HEX=$(ctl member list | cut -d, -f1) SELF=$((16#$SELF_HEX)) STRANGER=4660
  REMOVED=$(removed_member) || { echo "FAILED: $kind did not add and remove a learner"; exit 1; }
  ctl put kept value >/dev/null
  local started=$SERVER_PID
  raft_cases
  stream_cases
  snapshot_cases
  member_cases
  http_cases
  silent_cases
  sed -i "s/$REMOVED/REMOVED/g" "$TRANSCRIPT"
  kill -0 "$started" 2>/dev/null || { echo "FAILED: $kind did not survive"; exit 1; }
  [ "$(ctl get kept --print-value-only)" = value ] && ctl put kept again >/dev/null || { echo "FAILED: $kind does not serve afterwards"; exit 1; }
  ls "$WORK/$kind.data/member/snap" | grep -v '^db$' >>"$TRANSCRIPT"
  stop_server
}

choose_ports
run_cases etcd
run_cases member
[ -z "${TRUSS_KEEP:-}" ] || cp "$WORK"/*.transcript "$TRUSS_KEEP"
if diff -U 6 "$WORK/etcd.transcript" "$WORK/member.transcript" >"$WORK/diff"; then
  echo "$CASES requests that no peer sends, the same answers at level $LEVEL"
else
  cat "$WORK/diff"
  echo "FAILED: answers differ (- real etcd, + ours)"
  exit 1
fi
