#!/bin/sh
# A hook that is started for each call. The image's reference says how it behaves.
case "$OCI_UNPACK_REFERENCE" in
yes) echo /srv/layer ;;
json) printf '{"target": "/srv/layer"}' ;;
decline) exit 10 ;;
busy-twice)
  echo turn >> "$OCI_UNPACK_STATE/turns"
  [ "$(wc -l < "$OCI_UNPACK_STATE/turns")" -gt 2 ] || exit 75
  echo /srv/layer ;;
always-busy) exit 75 ;;
fail) echo 'disk on fire' >&2; exit 3 ;;
hang)
  sleep 1000 &
  echo $$ > "$OCI_UNPACK_STATE/pid"
  wait ;;
hang-stubborn)
  trap '' TERM
  sleep 1000 &
  echo $$ > "$OCI_UNPACK_STATE/pid"
  sleep 1000 ;;
flood-out) echo $$ > "$OCI_UNPACK_STATE/pid"; yes & wait ;;
flood-err)
  head -c 3000000 /dev/zero | tr '\0' x >&2
  echo end >&2
  echo /srv/layer ;;
half) printf '{"target": "/sr' ;;
killed) echo 'so long' >&2; kill -KILL $$ ;;
unknown) echo 'which colour?' >&2; echo '{"target": "/srv/layer", "colour": "blue"}' ;;
relative) echo srv/layer ;;
newline) printf '{"target": "/srv/la\\nyer"}' ;;
nothing) ;;
*) exit 64 ;;
esac
