#!/bin/bash
# Mixed clusters of ours and real etcd 3.5, 3.6 and 3.7, embedded in a Go program of ours (lab/) and
# driven by the real Go client of the same release. Built once, under build/oracle/versions.
#   versions.sh [quick|whole] [RELEASE...]      e.g. versions.sh quick 3.6
set -uo pipefail

command -v go >/dev/null || { echo 'SKIPPED: no Go to build newer etcd with'; exit 0; }
export GOTOOLCHAIN=local GOFLAGS=-mod=mod
here=$(cd "$(dirname "$0")" && pwd)
TRUSS_SOURCE=${TRUSS_SOURCE:-$(cd "$here/../../.." && pwd)}
export TRUSS_SOURCE
form=${1:-quick}
[ $# -gt 0 ] && shift

# pins: the newest patch of each release that this Go builds
pins() {
  local minor
  minor=$(go env GOVERSION | cut -d. -f2)
  if [ "$minor" -ge 26 ]; then echo 3.5.33 3.6.14 3.7.1
  elif [ "$minor" -ge 25 ]; then echo 3.5.33 3.6.14
  elif [ "$minor" -ge 23 ]; then echo 3.5.9 3.6.0
  else echo 3.5.9; fi
}

# build_lab VERSION: leaves the program as $LAB
build_lab() {
  local folder=$TRUSS_SOURCE/build/oracle/versions/$1 module
  module=v$(cut -d. -f1-2 <<<"$1" | tr -d .)
  LAB=$folder/lab-etcd
  [ -x "$LAB" ] && [ "$(cat "$here"/lab/* | cksum)" = "$(cat "$folder/sources" 2>/dev/null)" ] && return
  rm -rf "$folder" && mkdir -p "$folder" && cp -r "$here/lab" "$here/$module" "$folder" && cd "$folder/$module" || return
  { go mod edit -require "go.etcd.io/etcd/server/v3@v$1" -require "go.etcd.io/etcd/client/v3@v$1" &&
    (cd ../lab && go mod edit -require "go.etcd.io/etcd/server/v3@v$1" -require "go.etcd.io/etcd/client/v3@v$1") &&
    go mod tidy && go build -o "$LAB" .; } >"$folder/build.log" 2>&1 || return
  cat "$here"/lab/* | cksum >"$folder/sources"
  # as a program that takes etcd's flags
  printf '#!/bin/bash\nexec "%s" serve "$@"\n' "$LAB" >"$folder/etcd" && chmod +x "$folder/etcd"
}

# goes_back VERSION: to the release before, which must have been built
goes_back() {
  local older=3.$((${1:2:1} - 1)) folder
  folder=$(find "$TRUSS_SOURCE/build/oracle/versions" -maxdepth 1 -name "$older.*" | head -n 1)
  [ -x "$folder/etcd" ] || { echo "SKIPPED: no etcd $older to go back to"; return 0; }
  TRUSS_LEVEL=${1%.*} "$TRUSS_SOURCE/tests/cluster/downgrade.sh" "$folder/etcd" "$older"
}

FAILED=0
for version in $(pins); do
  release=${version%.*}
  [ $# -gt 0 ] && [[ " $* " != *" $release "* ]] && continue
  if ! build_lab "$version"; then
    echo "SKIPPED: etcd $version can't be built: Go module proxy out of reach or Go too old"
    continue
  fi
  # ours has no more than level 3.6 to show beside a 3.7 that joined a cluster of 3.6
  level=$release
  [ "$release" = 3.7 ] && level=3.6
  echo "etcd $version, ours at $level"
  export TRUSS_ETCD=${LAB%/*}/etcd TRUSS_DRIVE=$LAB TRUSS_LEVEL=$level TRUSS_ETCD_LEVEL=$release ETCD_VERIFY=all
  "$TRUSS_SOURCE/tests/cluster/mixed.sh" "$form" || FAILED=1
  TRUSS_LEVEL=$release "$TRUSS_SOURCE/tests/cluster/rolling.sh" || FAILED=1
  TRUSS_LEVEL=$release "$TRUSS_SOURCE/tests/interop/peer-input.sh" || FAILED=1
  TRUSS_LEVEL=$release "$TRUSS_SOURCE/tests/cluster/corruption.sh" || FAILED=1
  [ "$release" = 3.5 ] || goes_back "$version" || FAILED=1
done
exit "$FAILED"
