#!/bin/sh
# All that can be said without running the program. ESLint takes as long as the others together, so they run beside it.
# Prints what ESLint says last.
set -u

said=$(mktemp)
eslint . >"$said" 2>&1 &
lint=$!
trap 'kill "$lint" 2>/dev/null; rm -f "$said"' EXIT
status=0
tsc --noEmit && prettier --check . && knip || status=$?
wait "$lint" || status=$?
cat "$said"
exit "$status"
