#!/bin/bash
# Truncated, oversized and malformed gRPC, JSON and HTTP against real etcd 3.4.23 and ours at
# --compat 3.4: the same status and text, and afterwards process, connections and data are as before.
source "$(dirname "$0")/lib.sh"
need_oracle

CASES=0

# grpc NAME PATH HEX [CURL FLAGS...]: one HTTP/2 POST with these body bytes; records status and trailers.
# A refusal that overtakes the request's body is an error to curl, with both servers: try again.
grpc() {
  local try answer
  for try in 1 2 3 4 5 6 7 8; do
    answer=$(grpc_once "$@")
    grep -q '^curl 92' <<<"$answer" || break
  done
  CASES=$((CASES + 1))
  printf '%s\n' "$answer" >>"$TRANSCRIPT"
}

grpc_once() {
  local name=$1 path=$2 hex=$3
  shift 3
  printf '%b' "$(sed 's/../\\x&/g' <<<"$hex" | tr -d '\n')" >"$WORK/body"
  [ -n "$hex" ] || : >"$WORK/body"
  {
    printf '== grpc %s\n' "$name"
    case " $* " in *content-type*) ;; *) set -- "$@" -H 'content-type: application/grpc' ;; esac
    curl -s -m 5 --http2-prior-knowledge -D - -o "$WORK/reply" -H 'te: trailers' \
      "$@" --data-binary @"$WORK/body" "http://$ENDPOINT$path" | tr -d '\r' |
      grep -iE '^(HTTP/|grpc-status|grpc-message|content-type)'
    printf 'curl %s, reply bytes %s\n' "${PIPESTATUS[0]}" "$(cat "$WORK/reply" 2>/dev/null | wc -c)"
    rm -f "$WORK/reply"
  }
}

# http NAME CURL_ARGS...: one HTTP/1.1 request; records status, type and body
http() {
  CASES=$((CASES + 1))
  local name=$1
  shift
  { printf '== http %s\n' "$name"; curl -s -m 5 -w '\n%{http_code} %{content_type}\n' "$@"; printf 'curl %s\n' "$?"; } >>"$TRANSCRIPT"
}

# raw NAME BYTES: bytes on a plain connection; records the first line of the answer
raw() {
  CASES=$((CASES + 1))
  {
    printf '== raw %s\n' "$1"
    timeout 3 bash -c 'exec 3<>"/dev/tcp/127.0.0.1/$1"; printf "%b" "$2" >&3; timeout 1 head -c 4096 <&3' _ "$CLIENT_PORT" "$2" |
      tr -d '\r' | head -1 | tr -cd '[:print:]\n'
    printf '\n'
  } >>"$TRANSCRIPT" 2>/dev/null
}

all_cases() {
  local range=/etcdserverpb.KV/Range put=/etcdserverpb.KV/Put url=http://$ENDPOINT
  grpc 'range of one key' $range 00000000030a016b
  grpc 'empty message' $range 0000000000
  grpc 'no body' $range ''
  grpc 'short prefix' $range 000000
  grpc 'length past the body' $range 00000000ff0a016b
  grpc 'compressed without encoding' $range 01000000030a016b
  grpc 'bad compression flag' $range 07000000030a016b
  grpc 'unknown encoding' $range 01000000030a016b -H 'grpc-encoding: snappy'
  grpc 'gzip' $range 01000000030a016b -H 'grpc-encoding: gzip'
  grpc 'bytes that are no message' $range 0000000003ffffff
  grpc 'truncated field' $range 00000000030a7f6b
  grpc 'wrong wire type' $range 0000000003080161
  grpc 'two messages' $range 00000000030a016b00000000030a016b
  grpc 'length of 4 GiB' $range 00ffffffff0a016b
  grpc 'unknown method' /etcdserverpb.KV/Nothing 0000000000
  grpc 'unknown service' /no.Such/Method 0000000000
  grpc 'no method' /etcdserverpb.KV 0000000000
  grpc 'malformed path' /x 0000000000
  grpc 'empty key' $put 0000000000
  grpc 'bad timeout' $range 00000000030a016b -H 'grpc-timeout: 5x'
  grpc 'long timeout' $range 00000000030a016b -H 'grpc-timeout: 99999999H'
  grpc 'wrong content type' $range 00000000030a016b -H 'content-type: text/plain'
  grpc 'proto content type' $range 00000000030a016b -H 'content-type: application/grpc+proto'
  grpc 'wrong token' $range 00000000030a016b -H 'token: nobody'
  grpc 'stream method as unary' /etcdserverpb.Lease/LeaseKeepAlive 0000000000
  grpc 'watch garbage' /etcdserverpb.Watch/Watch 0000000003ffffff
  grpc 'just above the receive limit' $put 00002000010a016b
  grpc 'at the receive limit, cut short' $put 00002000000a016b
  http 'GET on a gateway path' "$url/v3/kv/range"
  http 'no JSON' -d 'hello' "$url/v3/kv/range"
  http 'truncated JSON' -d '{"key":"Zm9v"' "$url/v3/kv/range"
  http 'wrong type' -d '{"key":5}' "$url/v3/kv/range"
  http 'bad base64' -d '{"key":"%%%"}' "$url/v3/kv/range"
  http 'bad number' -d '{"key":"Zm9v","limit":"many"}' "$url/v3/kv/range"
  http 'number too large' -d '{"key":"Zm9v","limit":"99999999999999999999"}' "$url/v3/kv/range"
  http 'bad enum' -d '{"key":"Zm9v","sort_order":"SIDEWAYS"}' "$url/v3/kv/range"
  http 'array' -d '[]' "$url/v3/kv/range"
  http 'null' -d 'null' "$url/v3/kv/range"
  http 'empty body' -d '' "$url/v3/kv/put"
  http 'unknown field' -d '{"key":"Zm9v","nothing":1}' "$url/v3/kv/range"
  http 'trailing garbage' -d '{"key":"Zm9v"} trailing' "$url/v3/kv/range"
  http 'unknown path' -d '{}' "$url/v3/nothing"
  http 'unknown version' -d '{}' "$url/v9/kv/range"
  http 'method not allowed' -X DELETE "$url/version"
  http 'HEAD' -I -o /dev/null "$url/version"
  raw 'no HTTP' 'hello\r\n\r\n'
  raw 'bad version' 'GET / HTTP/9.9\r\nHost: x\r\n\r\n'
  raw 'no host' 'GET /version HTTP/1.1\r\n\r\n'
  raw 'bad header' 'GET /version HTTP/1.1\r\nHost: x\r\nbad header\r\n\r\n'
  raw 'two lengths' 'POST /v3/kv/range HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}'
  raw 'negative length' 'POST /v3/kv/range HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n{}'
  raw 'bad chunk' 'POST /v3/kv/range HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n'
  raw 'half a preface' 'PRI * HTTP/2.0\r\n\r\nXX\r\n\r\n'
}

run_cases() {
  local kind=$1 before after
  TRANSCRIPT=$WORK/$kind.transcript CASES=0
  start_server "$kind" "$WORK/$kind.data" || { echo "FAILED: $kind did not start"; exit 1; }
  ctl put kept value >/dev/null
  before=$(ctl endpoint hashkv)
  # a connection open all the while must not notice
  timeout 60 "$ETCDCTL" --endpoints "$ENDPOINT" watch kept >"$WORK/watched" 2>&1 &
  local watcher=$!
  sleep 0.3
  all_cases
  ctl put kept again >/dev/null || { echo "FAILED: $kind does not take a put afterwards"; exit 1; }
  sleep 0.3
  kill "$watcher" 2>/dev/null
  grep -q again "$WORK/watched" || { echo "FAILED: a watch on $kind was disturbed"; exit 1; }
  after=$(ctl endpoint hashkv --rev=2)
  [ "$before" = "$after" ] || { echo "FAILED: data of $kind changed: $before, now $after"; exit 1; }
  stop_server
}

choose_ports
run_cases etcd
run_cases member
if diff -u "$WORK/etcd.transcript" "$WORK/member.transcript" >"$WORK/diff"; then
  echo "$CASES malformed inputs, the same answers"
else
  cat "$WORK/diff"
  echo "FAILED: answers differ (- real etcd, + ours)"
  exit 1
fi
