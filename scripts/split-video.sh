#!/usr/bin/env bash
# Cut a video into parts NAME-1.mp4, NAME-2.mp4, ... beside it, by size or by time; together they are the whole, no frame lost or doubled.
#
#   split-video.sh FILE [LIMIT] [OPTIONS]
#
# LIMIT   bytes a part (1000000000, 700M, 2G; the default is 1e9), or time a part (90s, 10m, 1h, 0:10:00)
# OPTIONS of ffmpeg that say how: -c copy (the default) copies packets and cuts at key frames; -c:v libx264 -crf 20 encodes again and cuts
#         exactly; everything else is handed to `burnish cut`
#
# NAME-cut.json and NAME-cut.csv map the frames of the parts to those of the whole, so that labels can follow.
set -euo pipefail

fail() {
  echo "split-video.sh: $*" >&2
  exit 2
}

[[ $# -ge 1 && $1 != -h && $1 != --help ]] || { sed -n '2,11s/^# \{0,1\}//p' "$0"; exit $(($# ? 0 : 2)); }
file=$1 limit=1e9
shift
if [[ $# -ge 1 && $1 != -* ]]; then limit=$1; shift; fi
[[ -f $file ]] || fail "there is no file $file"

case $limit in
  *[0-9][hms]) # time with a unit
    unit=${limit: -1} number=${limit%?}
    [[ $number =~ ^[0-9]+(\.[0-9]+)?$ ]] || fail "'$limit' is no time; expected for instance 90s, 10m, 1h"
    factor=1; [[ $unit == m ]] && factor=60; [[ $unit == h ]] && factor=3600
    chosen=(--seconds "$(awk -v n="$number" -v f=$factor 'BEGIN { print n * f }')") ;;
  *:*) # hours:minutes:seconds
    [[ $limit =~ ^([0-9]+:)?[0-9]+:[0-9]+(\.[0-9]+)?$ ]] || fail "'$limit' is no time; expected for instance 0:10:00"
    chosen=(--seconds "$(awk -v t="$limit" 'BEGIN { n = split(t, p, ":"); for (i = 1; i <= n; i++) s = s * 60 + p[i]; print s }')") ;;
  *)
    [[ $limit =~ ^([0-9]+(\.[0-9]+)?([eE][0-9]+)?)([kKMG]?)$ ]] || fail "'$limit' is neither a size (700M, 1e9) nor a time (90s, 0:10:00)"
    factor=1; case ${BASH_REMATCH[4]} in [kK]) factor=1000 ;; M) factor=1000000 ;; G) factor=1000000000 ;; esac
    chosen=(--size "$(awk -v n="${BASH_REMATCH[1]}" -v f=$factor 'BEGIN { printf "%.0f", n * f }')") ;;
esac

how=()
while [[ $# -gt 0 ]]; do
  case $1 in
    -c | -c:v | -codec | -codec:v | -vcodec)
      case ${2:-} in
        copy) ;;
        libx264 | h264) how+=(--exact --codec h264) ;;
        libx265 | hevc) how+=(--exact --codec h265) ;;
        libvpx-vp9 | vp9) how+=(--exact --codec vp9) ;;
        libsvtav1 | av1) how+=(--exact --codec av1) ;;
        mpeg4) how+=(--exact --codec mpeg4) ;;
        *) fail "the codec '${2:-}' is not known here; expected copy, libx264, libx265, libvpx-vp9, libsvtav1 or mpeg4" ;;
      esac
      shift 2 ;;
    -crf) # x264's scale of 51 steps
      how+=(--quality "$(awk -v c="${2:-20}" 'BEGIN { printf "%.0f", 100 - c / 51 * 100 }')"); shift 2 ;;
    -c:a | -codec:a | -acodec) [[ ${2:-} == copy ]] || fail "sound is copied; leave $1 ${2:-} out"; shift 2 ;;
    *) how+=("$1"); shift ;;
  esac
done

folder=$(dirname -- "$file") name=$(basename -- "$file")
stem=${name%.*}
existing=("$folder/$stem"-[0-9]*.*)
[[ ! -e ${existing[0]} ]] || fail "${existing[0]} is there already; move it away first"
work=$(mktemp -d "$folder/.$stem.split.XXXXXX")
trap 'rm -rf "$work"' EXIT
burnish=(burnish)
command -v burnish >/dev/null || burnish=("${PYTHON:-python3}" -m burnish)
"${burnish[@]}" cut "$file" "${chosen[@]}" "${how[@]}" --out "$work/parts" >"$work/said" || exit $?
sed -n '1p' "$work/said"
for part in "$work/parts/$stem"-*; do
  mv -n -- "$part" "$folder/"
  echo "$folder/$(basename -- "$part")"
done
mv -- "$work/parts/cut.json" "$folder/$stem-cut.json"
mv -- "$work/parts/cut.csv" "$folder/$stem-cut.csv"
if [[ -f $work/parts/findings.csv ]]; then tail -n +2 "$work/parts/findings.csv" | cut -d, -f1,4- >&2; fi
