#!/usr/bin/env bash
# Show the last lines of log files, again and again, with what lies in folders of weights.
#
#   show.sh [OPTIONS] [FILES, MASKS, FOLDERS]
#
# Without a name it shows nohup.out. Masks may be quoted ('runs/*/train.log'); then files that come later are seen too. Of a folder the newest
# files are listed. Files are opened anew each time, so that logs that are rotated or replaced are followed.
#
# --every SECONDS   between two looks (default 15)
# --lines N         last lines of each file (default 20)
# --age SECONDS     files that have not changed for longer are left out (default 10000; 0 shows all)
# --once            look once, clear nothing, and end
set -uo pipefail

every=15 lines=20 age=10000 once=0 names=()
while [[ $# -gt 0 ]]; do
  case $1 in
    --every) every=${2:?--every needs seconds}; shift 2 ;;
    --lines) lines=${2:?--lines needs a number}; shift 2 ;;
    --age) age=${2:?--age needs seconds}; shift 2 ;;
    --once) once=1; shift ;;
    -h | --help) sed -n '2,12s/^# \{0,1\}//p' "$0"; exit 0 ;;
    --) shift; names+=("$@"); break ;;
    -*) echo "show.sh: unknown option $1; see --help" >&2; exit 2 ;;
    *) names+=("$1"); shift ;;
  esac
done
[[ ${#names[@]} -gt 0 ]] || names=(nohup.out)
shopt -s nullglob globstar

# A name that is a file is meant as it stands, even if it holds signs of a mask.
expanded() {
  local IFS=
  for name in "${names[@]}"; do
    if [[ -e $name ]]; then printf '%s\0' "$name"; else for found in $name; do [[ ! -e $found ]] || printf '%s\0' "$found"; done; fi
  done
}

is_old() { [[ $age -gt 0 && $(($(date +%s) - $(stat -c %Y -- "$1"))) -gt $age ]]; }

show_all() {
  local shown=0 old=0 path
  while IFS= read -r -d '' path; do
    if [[ -d $path ]]; then
      printf '\n===== %s/ =====\n' "${path%/}"
      # The newest first, with size and time.
      find "$path" -maxdepth 1 -type f -printf '%T@\t%s\t%TF %TH:%TM\t%f\n' | sort -rn | head -n "$lines" | cut -f2- | awk -F'\t' '{ printf "%14d  %s  %s\n", $1, $2, $3 }'
    elif is_old "$path"; then
      old=$((old + 1))
      continue
    else
      printf '\n===== %s =====\n' "$path"
      # Progress bars end their lines with a carriage return: what they said last is shown.
      tail -n "$lines" -- "$path" 2>&1 | sed 's/\r$//; s/.*\r//'
    fi
    shown=$((shown + 1))
  done < <(expanded)
  if [[ $shown -eq 0 ]]; then
    if [[ $old -gt 0 ]]; then echo "$old files have not changed for $age seconds; --age 0 shows them."; else echo "Nothing is there yet: ${names[*]}"; fi
  fi
}

if [[ $once -eq 1 ]]; then show_all; exit 0; fi
while :; do
  screen=$(date '+%F %T'; show_all)
  printf '\033[H\033[2J%s\n' "$screen"
  sleep "$every"
done
