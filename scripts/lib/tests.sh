# Sourced after common.sh: runs ctest and counts cases. Bash.
TESTS_PASSED=0 TESTS_FAILED=0 TESTS_SKIPPED=0
TESTS_SKIP_LOG=$(mktemp)
trap 'rm -f "$TESTS_SKIP_LOG"' EXIT

# run_tests PRESET [CTEST ARGUMENTS...]: all tests not labelled long, and adds to the totals.
# A doctest program counts by test case; another program counts as one; a line "SKIPPED: why" as one skip.
run_tests() {
  local preset=$1
  shift
  local dir=build/$preset log=build/$preset/Testing/Temporary/LastTest.log
  say "testing preset $preset"
  TRUSS_ORACLE=$TRUSS_ROOT/build/oracle/root/usr/bin \
    ctest --test-dir "$dir" ${TESTS_WHICH:--LE long} -j2 --output-on-failure "$@" 2>&1 |
    tee "$dir/ctest.log" | grep --line-buffered -E "${TESTS_SHOWN:-^ *[0-9]+/[0-9]+ Test|\*\*\*}" || true
  [ -f "$log" ] || { say "ctest did not run; see below"; tail -20 "$dir/ctest.log" >&2; TESTS_FAILED=$((TESTS_FAILED + 1)); return 0; }
  grep -qE 'Failed|Timeout|Exception' "$dir/ctest.log" && sed -n '/^ *[0-9]*\/[0-9]* Test.*\*\*\*/,$p' "$dir/ctest.log" | tail -150
  local passed failed skipped
  read -r passed failed skipped < <(count_cases "$log")
  grep -h '^SKIPPED' "$log" | sed "s/^/$preset: /" >>"$TESTS_SKIP_LOG" || true
  say "preset $preset: $passed passed, $failed failed, $skipped skipped"
  TESTS_PASSED=$((TESTS_PASSED + passed)) TESTS_FAILED=$((TESTS_FAILED + failed))
  TESTS_SKIPPED=$((TESTS_SKIPPED + skipped))
}

# run_long_tests PRESET [CTEST ARGUMENTS...]: as run_tests, but those labelled long; says what begins, and what
# was done by those that count it
run_long_tests() {
  local TESTS_WHICH="-L long" TESTS_SHOWN='^ *(Start +[0-9]+:|[0-9]+/[0-9]+ Test)|\*\*\*'
  run_tests "$@"
  sed -n 's/^.*: MESSAGE: *//p' "build/$1/Testing/Temporary/LastTest.log" 2>/dev/null | while read -r line; do say "  $line"; done
}

# count_cases LASTTEST_LOG: prints "passed failed skipped"
count_cases() {
  awk '
    function close_test() {
      if (!open) return
      if (status == "skipped") {
        if (skips == 0) skips = 1
        cases_passed = cases_failed = 0
      } else if (cases_passed + cases_failed == 0 && status == "failed") {
        cases_failed = 1
      } else if (cases_passed + cases_failed == 0 && skips == 0) {
        cases_passed = 1
      } else if (status == "failed" && cases_failed == 0) {
        cases_failed = 1
      }
      if (doctest) cases_passed = cases_passed > skips ? cases_passed - skips : 0
      passed += cases_passed; failed += cases_failed; skipped += skips; open = 0
    }
    /^[0-9]+\/[0-9]+ Testing: / {
      close_test(); open = 1; cases_passed = cases_failed = skips = doctest = 0; status = "failed"
    }
    /^\[doctest\] test cases:/ {
      gsub(/\|/, " "); doctest = 1
      for (i = 1; i <= NF; i++) { if ($i == "passed") cases_passed += $(i-1); if ($i == "failed") cases_failed += $(i-1) }
    }
    /^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$/ { cases_passed += $1; cases_failed += $3; if ($5 > skips) skips = $5 }
    /^SKIPPED/ { skips++ }
    /^Test Passed\./ { status = "passed" }
    /^Skip regular expression found/ { status = "skipped" }
    END { close_test(); print passed + 0, failed + 0, skipped + 0 }
  ' "$1"
}

# finish_tests: prints the skips and the closing line; fails if a test failed, none ran, or (in CI) a
# skip is not on tests/allowed-skips
finish_tests() {
  local bad=0 line
  [ -s "$TESTS_SKIP_LOG" ] && { say "skipped:"; sort "$TESTS_SKIP_LOG" | uniq -c >&2; }
  if [ -n "${CI:-}" ]; then
    while IFS= read -r line; do
      grep -qFf <(sed '/^#/d;/^$/d' tests/allowed-skips) <<<"$line" ||
        { say "a skip not on tests/allowed-skips: $line"; bad=1; }
    done <"$TESTS_SKIP_LOG"
  fi
  [ "$bad" -eq 0 ] || TESTS_FAILED=$((TESTS_FAILED + 1))
  [ $((TESTS_PASSED + TESTS_FAILED)) -gt 0 ] || { say "no test ran"; TESTS_FAILED=1; }
  printf '%s passed, %s failed, %s skipped\n' "$TESTS_PASSED" "$TESTS_FAILED" "$TESTS_SKIPPED"
  [ "$TESTS_FAILED" -eq 0 ]
}
