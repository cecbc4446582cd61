#!/bin/bash
# install.sh BUILD_DIR: installs into a fresh folder; the program there must run without the build
# folder's libraries, and manual and completions must lie where the system looks for them.
set -euo pipefail
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT

fail() { echo "FAILED: $*"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }

cmake --install "$1" --prefix "$prefix" >"$prefix/log" 2>&1 || { cat "$prefix/log"; fail "cmake --install"; }
"$prefix/bin/member" --version | grep -q '^etcd Version: ' || fail "the installed member does not start"
ldd "$prefix/bin/member" | grep -q 'not found' && fail "a library is missing"
ldd "$prefix/bin/member" | grep -F "$1" && fail "a library of the build folder is used"
for file in man/man1/member.1 bash-completion/completions/member zsh/site-functions/_member \
  fish/vendor_completions.d/member.fish; do
  [ -s "$prefix/share/$file" ] || fail "no share/$file"
done
# bash offers every flag that --help names
# shellcheck disable=SC1091
source "$prefix/share/bash-completion/completions/member"
COMP_WORDS=(member --) COMP_CWORD=1 COMPREPLY=()
_member
diff <("$prefix/bin/member" --help | grep -oE '^  --[a-z0-9-]+' | tr -d ' ' | sort) \
  <(printf '%s\n' "${COMPREPLY[@]}" | grep -vx -- --help | sort) || fail "bash completes other flags"
COMP_WORDS=(member --compat "") COMP_CWORD=2 COMPREPLY=()
_member
[ "${COMPREPLY[*]}" = "3.4 3.5 3.6 3.7" ] || fail "bash completes --compat with: ${COMPREPLY[*]}"
echo "1 passed, 0 failed, 0 skipped"
