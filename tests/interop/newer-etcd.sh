#!/bin/bash
# The round trip with real etcd 3.5, 3.6 and 3.7, ours at the same level. They are built by Go from
# its module proxy, once, under build/oracle; etcd checks its own directory at each stop and start
# (ETCD_VERIFY).
set -uo pipefail

command -v go >/dev/null || { echo 'SKIPPED: no Go to build newer etcd with'; exit 0; }

# build_etcd VERSION: leaves the program as $PROGRAM
build_etcd() {
  local folder=$TRUSS_SOURCE/build/oracle/etcd-$1
  PROGRAM=$folder/etcd
  [ -x "$PROGRAM" ] && return
  mkdir -p "$folder" && cd "$folder" || return
  printf 'module oracle\n\ngo 1.24\n' >go.mod
  cat >main.go <<'GO'
package main

import (
	"os"

	"go.etcd.io/etcd/server/v3/etcdmain"
)

func main() { etcdmain.Main(os.Args) }
GO
  { go get "go.etcd.io/etcd/server/v3@v$1" && go mod tidy && go build -o etcd .; } >build.log 2>&1
}

FAILED=0 BUILT=0
for version in 3.5.33 3.6.14 3.7.1; do
  if ! build_etcd "$version"; then
    echo "SKIPPED: etcd $version can't be built: Go module proxy out of reach or Go too old"
    continue
  fi
  echo "etcd $version"
  BUILT=$((BUILT + 1))
  TRUSS_ETCD=$PROGRAM TRUSS_LEVEL=${version%.*} ETCD_VERIFY=all "$TRUSS_SOURCE/tests/interop/round-trip.sh" || FAILED=1
done
if [ "$BUILT" -eq 3 ]; then
  ETCD_VERIFY=all "$TRUSS_SOURCE/tests/interop/raise-levels.sh" || FAILED=1
fi
exit "$FAILED"
