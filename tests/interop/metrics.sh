#!/bin/bash
# Our /metrics beside real etcd's, after the same calls: families with type and help text, the labels
# of each and, where the numbers must agree, the samples. What may differ is named in
# metrics-allowed; each of its lines must be needed.
source "$(dirname "$0")/lib.sh"
need_oracle

FAILED=0 PASSED=0
verdict() { # verdict NAME FILE: FILE lists what is wrong
  if [ -s "$2" ]; then
    FAILED=$((FAILED + 1))
    echo "FAILED: $1"
    sed 's/^/  /' "$2"
  else
    PASSED=$((PASSED + 1))
    echo "ok: $1"
  fi
}

# calls: the same on both servers
calls() {
  local lease
  for i in 1 2 3; do ctl put "key$i" "value$i" >/dev/null; done
  ctl get key1 >/dev/null
  ctl del key2 >/dev/null
  printf 'value("key1") = "value1"\n\nput key4 a\nput key5 b\n\n\n' | ctl txn >/dev/null
  lease=$(ctl lease grant 100 | awk '{print $2}')
  ctl lease revoke "$lease" >/dev/null
  ctl compact 3 --physical >/dev/null
  ctl defrag >/dev/null
  ctl endpoint hashkv >/dev/null
  ctl snapshot save "$WORK/$1.snap" >/dev/null 2>&1
  ctl endpoint health >/dev/null 2>&1
  curl -s "http://$ENDPOINT/health" >/dev/null
  curl -s "http://$ENDPOINT/metrics" >/dev/null
}

for kind in etcd member; do
  choose_ports
  start_server "$kind" "$WORK/$kind.d" || { echo "FAILED: $kind did not start"; exit 1; }
  calls "$kind"
  curl -s "http://$ENDPOINT/metrics" | grep -vE '^(# [A-Z]+ )?go_' >"$WORK/$kind.metrics"
  stop_server
  sed -n 's/^# TYPE //p' "$WORK/$kind.metrics" | sort >"$WORK/$kind.types"
  sed -n 's/^# HELP //p' "$WORK/$kind.metrics" | sort >"$WORK/$kind.help"
  # name{label,label} of every sample, and the values of those labels that are the API's
  grep -v '^#' "$WORK/$kind.metrics" | sed -E 's/="[^"]*"//g; s/ [^ ]+$//' | sort -u >"$WORK/$kind.labels"
  grep -oE '^grpc_server_[a-z_]+\{[^}]*\}' "$WORK/$kind.metrics" | sort >"$WORK/$kind.methods"
  grep -oE '^[a-z_]+_bucket\{le="[^"]*"\}' "$WORK/$kind.metrics" | sort >"$WORK/$kind.buckets"
done

# allowed: the differences by name, one a line: "-name why" (etcd's alone) or "+name why" (ours alone)
grep -v '^#' "$TRUSS_SOURCE/tests/interop/metrics-allowed" | sort >"$WORK/allowed"

# lines of etcd's (-) or ours (+) alone, without those of allowed families
differences() {
  diff <(sed 's/^/ /' "$WORK/etcd.$1") <(sed 's/^/ /' "$WORK/member.$1") | sed -n 's/^< /-/p; s/^> /+/p' |
    sed -E 's/^([-+]) /\1/' | awk 'NR == FNR { allowed[$1] = 1; next }
      { name = $1; sub(/\{.*/, "", name); base = name; sub(/_(bucket|sum|count)$/, "", base)
        if (!(name in allowed) && !(base in allowed)) print }' "$WORK/allowed" -
}

for what in types help labels methods buckets; do
  differences "$what" >"$WORK/$what.bad"
  verdict "$what: $(wc -l <"$WORK/etcd.$what") of etcd, $(wc -l <"$WORK/member.$what") of ours" "$WORK/$what.bad"
done

echo "allowed differences:"
while read -r name why; do
  echo "  $name ($why)"
  grep -q "^${name:1} " "$WORK/$([ "${name:0:1}" = - ] && echo etcd || echo member).types" ||
    echo "$name is not needed" >>"$WORK/needless"
done <"$WORK/allowed"
touch "$WORK/needless"
verdict "every allowed difference is one" "$WORK/needless"

# counts that must agree after the same calls
EQUAL='etcd_mvcc_(put|delete|txn)_total|etcd_debugging_(mvcc_(put|delete|txn)_total|lease_(granted|revoked|ttl)_total.*|mvcc_(current|compact)_revision|mvcc_keys_total|mvcc_total_put_size_in_bytes|mvcc_db_compaction_keys_total|auth_revision)|etcd_server_(has_leader|is_leader|is_learner|leader_changes_seen_total|quota_backend_bytes|health_.*)|etcd_disk_backend_(defrag|snapshot)_duration_seconds_count|etcd_disk_defrag_inflight|etcd_mvcc_hash_rev_duration_seconds_count|promhttp.*|etcd_(cluster|server)_version|process_(virtual_memory_max_bytes|max_fds)'
for kind in etcd member; do grep -E "^($EQUAL)[{ ]" "$WORK/$kind.metrics" | sort >"$WORK/$kind.equal"; done
diff "$WORK/etcd.equal" "$WORK/member.equal" >"$WORK/equal.bad"
verdict "values: $(wc -l <"$WORK/etcd.equal") samples agree" "$WORK/equal.bad"

echo "$PASSED passed, $FAILED failed, 0 skipped"
[ "$FAILED" -eq 0 ]
