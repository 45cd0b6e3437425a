#!/usr/bin/env bash
# Run a command again: until it succeeds (the default), or whenever code changes.
#
#   rerun.sh [OPTIONS] COMMAND [ARGUMENTS]
#
# --on-failure      run again, after a pause, until the command ends with 0 (the default)
# --on-change       run again when a watched file changes; a command that still runs is stopped for that
# --watch PATH      file or folder to watch, may be repeated (default: the working folder); of folders *.py, *.sh, *.yaml, *.yml, *.toml, *.json
# --max N           run it at most N times
# --pause SECONDS   pause between two runs, and between two looks at the files (default 1)
# --backoff         double the pause after each failure, up to a minute
#
# INT, TERM and HUP are passed on to the command and end the repeating. The exit code is that of the last run.
set -uo pipefail

mode=failure most=0 pause=1 backoff=0 watched=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --on-failure) mode=failure; shift ;;
    --on-change) mode=change; shift ;;
    --watch) watched+=("${2:?--watch needs a path}"); shift 2 ;;
    --max) most=${2:?--max needs a number}; shift 2 ;;
    --pause) pause=${2:?--pause needs seconds}; shift 2 ;;
    --backoff) backoff=1; shift ;;
    -h | --help) sed -n '2,14s/^# \{0,1\}//p' "$0"; exit 0 ;;
    --) shift; break ;;
    -*) echo "rerun.sh: unknown option $1; see --help" >&2; exit 2 ;;
    *) break ;;
  esac
done
[[ $# -ge 1 ]] || { echo "rerun.sh: no command; see --help" >&2; exit 2; }
[[ $most =~ ^[0-9]+$ ]] || { echo "rerun.sh: --max is '$most'; expected a number" >&2; exit 2; }
[[ ${#watched[@]} -gt 0 ]] || watched=(.)

child= stopped=
pass_on() {
  stopped=$1
  if [[ -n $child ]]; then kill "-$1" "$child" 2>/dev/null; fi
}
trap 'pass_on INT' INT
trap 'pass_on TERM' TERM
trap 'pass_on HUP' HUP

# Names, times and sizes of all watched files: also a file that vanishes or is replaced changes it.
state() {
  for path in "${watched[@]}"; do
    if [[ -d $path ]]; then
      find "$path" -name '.?*' -prune -o -type f \
        \( -name '*.py' -o -name '*.sh' -o -name '*.yaml' -o -name '*.yml' -o -name '*.toml' -o -name '*.json' \) -printf '%p %T@ %s\n' 2>/dev/null
    else
      stat -c '%n %y %s' -- "$path" 2>/dev/null || echo "$path is missing"
    fi
  done | sort | cksum
}

banner() { printf '\n===== %s: run %d of: %s =====\n' "$(date '+%F %T')" "$1" "$2" >&2; }

# Waits for the child; a signal interrupts the wait without ending the child, hence the loop.
await() {
  code=0
  wait "$child"; code=$?
  while kill -0 "$child" 2>/dev/null; do wait "$child"; code=$?; done
  child=
}

run=0 code=0
while :; do
  run=$((run + 1))
  [[ $run -eq 1 ]] || banner "$run" "$*"
  before=$(state)
  # Standard input is given to the child by name, because the shell gives /dev/null to what runs in the background.
  "$@" <&0 &
  child=$!
  if [[ $mode == failure ]]; then
    await
    if [[ $code -eq 0 || -n $stopped ]]; then break; fi
    if [[ $most -gt 0 && $run -ge $most ]]; then break; fi
    sleep "$pause" & wait $!
    if [[ $backoff -eq 1 ]]; then pause=$(awk -v p="$pause" 'BEGIN { p *= 2; print p > 60 ? 60 : p }'); fi
  else
    while [[ -z $stopped && $(state) == "$before" ]]; do
      if [[ $most -gt 0 && $run -ge $most ]] && ! kill -0 "$child" 2>/dev/null; then break; fi
      sleep "$pause" & wait $!
    done
    if [[ -z $stopped ]] && kill -0 "$child" 2>/dev/null; then kill -TERM "$child" 2>/dev/null; fi
    await
    if [[ -n $stopped || ($most -gt 0 && $run -ge $most) ]]; then break; fi
  fi
  [[ -z $stopped ]] || break
done
exit "$code"
