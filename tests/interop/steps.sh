# The steps of etcdctl-steps.sh, in order. Everything here must be answered alike.

put_and_get() {
  step put k1 v1
  step put k1 v2 --prev-kv
  step put k2 "value with spaces"
  IN='from stdin' step put k3
  step put k4 ''
  step put a/1 x
  step put a/2 y
  step put a/3 z
  step put b/1 w
  step get k1
  step get k1 -w json
  step get k1 -w fields
  step get k1 --hex
  step get missing
  step get missing -w json
  step get a/ --prefix
  step get a/ --prefix --keys-only
  step get a/ --prefix --limit 2 -w json
  step get a/1 a/3
  step get k1 --from-key
  step get '' --prefix --keys-only
  step get a/ --prefix --order=DESCEND --sort-by=KEY
  step get a/ --prefix --order=ASCEND --sort-by=VERSION -w json
  step get a/ --prefix --sort-by=MODIFY --order=DESCEND --print-value-only
  step get a/ --prefix --sort-by=CREATE --limit=2
  step get '' --prefix --sort-by=VALUE --limit=2
  step get k1 --rev=2
  step get k1 --rev=3 -w json
  step get k1 --rev=999
  step get k1 --consistency=s
  step get k1 --print-value-only
  step get z y -w json
  step put k1 v3 --ignore-value
  step put k1 --ignore-value
  step put nokey --ignore-value
  step put k1 v3 --ignore-lease --lease=1
  step put nokey2 v --ignore-lease
  step put k1
  step put
  step get
  step put '' v
  step put k1 v --lease=deadbeef
}

delete() {
  step put d/1 1
  step put d/2 2
  step put d/3 3
  step put d/4 4
  step del d/1
  step del d/1
  step del d/2 --prev-kv
  step del d/ --prefix --prev-kv -w json
  step del d/ --prefix
  step put e1 1
  step put e2 2
  step del e1 e2
  step del e --from-key=false --prefix
  step get d/ --prefix -w json
  step get d/1 --rev=15 -w json
}

transactions() {
  IN=$'value("k1") = "v3"\n\nput t1 yes\nget k1\n\nput t1 no\n\n' step txn
  IN=$'value("k2") = "value with spaces"\n\nput t1 yes\nget t1\ndel a/3\n\nput t1 no\n\n' step txn -w json
  IN=$'version("k2") > "0"\nmod("k2") < "1"\n\nput t2 a\n\nget k2\n\n' step txn
  IN=$'create("absent") = "0"\n\nput absent here\n\n\n' step txn -w fields
  IN=$'\nget k1\n\n\n' step txn
  IN=$'\n\n\n' step txn -w json
  IN=$'\nput dup 1\nput dup 2\n\n\n' step txn
  IN=$'value("k1" = "x"\n\n\n\n' step txn
  IN=$'mod("k1") > "1"\n\nput t3 a\n\n\n' step txn -w json
  IN=$'mod("k1") != "5"\n\nput t4 b\ndel t4\n\n\n' step txn
  step get t --prefix -w json
}

watches() {
  watch_step 1 watch k1 --rev=2
  watch_step 1 watch a/ --prefix --rev=2 --prev-kv
  watch_step 1 watch d/ --prefix --rev=1 -w json
  watch_step 1 watch k1 k9 --rev=5
  watch_step 1 watch k1 --rev=9999
  IN=$'watch k1 --rev=2\n' watch_step 1 watch -i
  step watch
}

hashes_and_status() {
  step endpoint hashkv
  step endpoint hashkv --rev=5
  step endpoint hashkv -w json
  step endpoint status
  step endpoint status -w json
  step endpoint status -w table
  step endpoint health
  step endpoint health -w json
  step member list
  step member list -w json
  step member list -w table
  step alarm list
  step alarm disarm
}

leases() {
  grant L1 600
  grant L2 60
  grant L3 2
  grant L4 0
  grant L5 -- -5
  grant L6 9999999999
  step put leased/1 v --lease="$L1"
  step put leased/3 v --lease="$L3"
  step get leased/1 -w json
  step lease timetolive "$L1"
  step lease timetolive "$L1" --keys
  step lease timetolive "$L1" --keys -w json
  step put leased/2 v --lease="$L1"
  step lease timetolive 1234
  step lease timetolive zzz
  step lease keep-alive --once "$L2"
  step lease keep-alive --once 1234
  step lease keep-alive --once "$L2" -w json
  step lease revoke "$L2"
  step lease revoke "$L2"
  step put leased/2 kept --ignore-lease
  step put leased/1 detached
  step lease timetolive "$L1" --keys
  sleep 5
  step get leased/3 -w json
  step lease timetolive "$L3"
  step lease revoke "$L1"
  step get leased/ --prefix
  watch_step 1 watch leased/ --prefix --rev=2
  sleep 1
  step lease list
}

compaction() {
  step compaction 10
  step compaction 10
  step compaction 5
  step compaction 99999
  step compaction zz
  step get k1 --rev=9
  step get k1 --rev=10
  watch_step 1 watch k1 --rev=3
  step endpoint hashkv --rev=10
  step endpoint hashkv --rev=5
  step endpoint hashkv --rev=99999
  step compaction 30 --physical
  REV=$(ctl get k1 -w json | sed -E 's/.*"revision":([0-9]+).*/\1/')
  step compaction "$REV" --physical
  step endpoint hashkv
  step endpoint hashkv --rev=12 -w json
}

maintenance() {
  # the hash covers consistent_index, which etcd stores with the last write only
  step put last write
  step snapshot save "$WORK/snap.db"
  step snapshot status "$WORK/snap.db"
  step snapshot status "$WORK/snap.db" -w json
  rm -f "$WORK/snap.db"
  step defrag
  step get a/ --prefix -w json
  step endpoint status -w fields
  step move-leader 1234
  step member remove 1234
  step member promote 1234
  step check nothing
}

gateway() {
  http_step POST /v3/kv/put '{"key":"Z3c=","value":"djE="}'
  http_step POST /v3/kv/range '{"key":"Z3c="}'
  http_step POST /v3/kv/range '{"key":"Z3c=","range_end":"AA==","limit":"2","sort_order":"DESCEND"}'
  http_step POST /v3/kv/deleterange '{"key":"Z3c=","prevKv":true}'
  http_step POST /v3/kv/txn '{"compare":[{"key":"YQ==","target":"VERSION","version":"0"}],"success":[{"requestPut":{"key":"YQ==","value":"MQ=="}}]}'
  http_step POST /v3/kv/txn '{"compare":[{"key":"YQ==","target":"VERSION","version":"0"}],"failure":[{"request_range":{"key":"YQ=="}}]}'
  http_step POST /v3/kv/put '{"key":"","value":"djE="}'
  http_step POST /v3/kv/put '{bad'
  http_step POST /v3/kv/range '{"key":"!!"}'
  http_step POST /v3/kv/nothing '{}'
  http_step GET /v3/kv/range
  http_step POST /v3/kv/compaction '{"revision":"1"}'
  http_step POST /v3/lease/leases '{}'
  http_step POST /v3/lease/timetolive '{"ID":"1234"}'
  http_step POST /v3/lease/revoke '{"ID":"1234"}'
  http_step POST /v3/lease/keepalive '{"ID":"1234"}'
  http_step POST /v3/maintenance/alarm '{}'
  http_step POST /v3/cluster/member/list '{}'
  http_step GET /health
  http_step POST /health
  http_step GET /version
  http_step GET /
  http_step GET /v2/keys/
  http_step OPTIONS /v3/kv/put
}

all_steps() {
  put_and_get
  delete
  transactions
  watches
  hashes_and_status
  leases
  compaction
  maintenance
  gateway
}
