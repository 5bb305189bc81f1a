#!/bin/sh
# A hook that answers many calls, one after the other. The image's reference says how it behaves.
say() { printf '{"id": %s, "status": "%s"%b}\n' "$id" "$1" "${2-}"; }

while read -r line; do
  id=${line#*'"id":'}; id=${id%%,*}
  reference=${line#*'"reference":"'}; reference=${reference%%'"'*}
  state=${line#*'"state":"'}; state=${state%%'"'*}
  case "$reference" in
  yes | json) say yes ', "target": "/srv/layer"' ;;
  decline) say decline ;;
  busy-twice)
    echo turn >> "$state/turns"
    if [ "$(wc -l < "$state/turns")" -gt 2 ]; then say yes ', "target": "/srv/layer"'; else say busy; fi ;;
  always-busy) say busy ;;
  fail) echo 'disk on fire' >&2; say failed ', "message": "it burns"' ;;
  hang)
    sleep 1000 &
    echo $$ > "$state/pid"
    wait ;;
  hang-stubborn)
    trap '' TERM
    sleep 1000 &
    echo $$ > "$state/pid"
    sleep 1000 ;;
  flood-out) echo $$ > "$state/pid"; cat /dev/zero & wait ;;
  flood-err)
    head -c 3000000 /dev/zero | tr '\0' x >&2
    echo end >&2
    say yes ', "target": "/srv/layer"' ;;
  half) printf '{"id": %s, "sta' "$id"; exit 0 ;;
  killed) echo 'so long' >&2; kill -KILL $$ ;;
  unknown) echo 'which colour?' >&2; say yes ', "target": "/srv/layer", "colour": "blue"' ;;
  relative) say yes ', "target": "srv/layer"' ;;
  newline) say yes ', "target": "/srv/la\\nyer"' ;;
  nothing) say yes ;;
  *) exit 64 ;;
  esac
done
