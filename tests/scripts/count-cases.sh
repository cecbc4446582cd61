#!/bin/bash
# How scripts/test counts: one made-up ctest log with every kind of outcome. Argument: the source tree.
set -eu
source "$1/scripts/lib/tests.sh"
log=$(mktemp)
trap 'rm -f "$log" "$TESTS_SKIP_LOG"' EXIT

# counts WANT: reads a log from stdin
counts() {
  cat >"$log"
  local got
  got=$(count_cases "$log")
  [ "$got" = "$1" ] || { echo "want '$1' (passed failed skipped), got '$got' for:"; cat "$log"; exit 1; }
}

case_lines() { printf '1/9 Testing: x\nOutput:\n%s\n%s\n' "$1" "$2"; }
doctest='[doctest] test cases:  7 |  7 passed | 0 failed | 0 skipped'
skip_reason=$'Test Pass Reason:\nSkip regular expression found in output. Regex=[SKIPPED:]'

case_lines "$doctest" 'Test Passed.' | counts '7 0 0'
case_lines $'SKIPPED: no Go\n'"$doctest" 'Test Passed.' | counts '6 0 1'
case_lines '[doctest] test cases: 7 | 5 passed | 2 failed | 0 skipped' 'Test Failed.' | counts '5 2 0'
case_lines "$doctest" 'Test Failed.' | counts '7 1 0'
case_lines 'some program' 'Test Passed.' | counts '1 0 0'
case_lines 'some program' 'Test Failed.' | counts '0 1 0'
case_lines 'cut short' 'no verdict' | counts '0 1 0'
case_lines 'SKIPPED: no Go' 'Test Passed.' | counts '0 0 1'
case_lines 'SKIPPED: no data' "$skip_reason" | counts '0 0 1'
case_lines '3 passed, 1 failed, 2 skipped' 'Test Failed.' | counts '3 1 2'
{ case_lines "$doctest" 'Test Passed.'; case_lines 'p' 'Test Passed.'; } | counts '8 0 0'
printf '' | counts '0 0 0'
