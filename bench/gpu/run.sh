#!/usr/bin/env bash
# Checks and measures the library on a GPU in at most eight minutes, on a machine with neither
# Go nor a network: programs that were built beforehand (bench/gpu/build.sh, or "make gpu"),
# golden files of this repository, and whatever Python is there.
#
#   bench/gpu/run.sh [options] OUT      OUT is a folder, by default $OUT
#
#   --backend NAME   xla:cuda (the default), or another backend: xla:cpu tries all of it out
#   --tiny           the smallest sizes
#   --seconds N      time for everything, 470 by default
#   --parts REGEXP   only the parts whose name matches, such as 'setup|speed'
#   --only TEXT      of the speeds only configurations with this text, such as b16/bf16
#   --bin FOLDER     where the programs gpu and sd are; by default they are unpacked from
#                    .carry/gpu, else bin/ has them
#   --python LIST    Pythons to look for XLA's CUDA plugin and PyTorch in, colons between;
#                    by default those in usual places
#
# The parts are the scripts of bench/gpu/parts, run in the order of their names. Each says in
# a line "# seconds: N" how long it takes; time that earlier parts left over it may use too.
# A part that fails, hangs or crashes costs itself alone. Left in OUT:
#
#   results.csv   every result in a line: part, what, config, value, unit, bound, ok, note.
#                 ok is yes, no (could run, and failed), missing (the note says what), skipped
#                 (no time was left), or empty for a number without a bound
#   log.txt       what the parts said
#   table.txt     the results to be read, also printed last
#
# The exit status is 1 if a line says no, 2 if the options are wrong.
set -uo pipefail
here=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd -P "$here/../.." && pwd)
cd "$root" || exit 2

backend=xla:cuda tiny=false seconds=470 parts=. only='' bin='' python='' out=${OUT:-}
usage() { printf 'run.sh: %s\n' "$1" >&2; sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p;}' "${BASH_SOURCE[0]}" >&2; exit 2; }
while [[ $# -gt 0 ]]; do
	case $1 in
	--tiny) tiny=true ;;
	--backend | --seconds | --parts | --only | --bin | --python)
		[[ $# -gt 1 ]] || usage "$1 needs a value"
		printf -v "${1#--}" %s "$2"
		shift
		;;
	-*) usage "unknown option $1" ;;
	*) out=$1 ;;
	esac
	shift
done
[[ $out ]] || usage "name a folder for the results"
mkdir -p "$out" && out=$(cd -P "$out" && pwd) || exit 2
csv=$out/results.csv log=$out/log.txt
echo part,what,config,value,unit,bound,ok,note >"$csv" || exit 2
: >"$log"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
begin=$SECONDS

# row PART WHAT CONFIG VALUE UNIT BOUND OK NOTE adds a line of results.
row() {
	local line='' field
	for field; do
		field=${field//$'\n'/ }
		line+=",\"${field//\"/\"\"}\""
	done
	printf '%s\n' "${line#,}" >>"$csv"
}
export -f row

# --- the programs -----------------------------------------------------------------------------------

if [[ ! $bin ]]; then
	archive=$(ls "$root"/.carry/gpu/*.tar.xz 2>/dev/null | tail -1)
	bin=$root/bin
	if [[ $archive ]]; then
		bin=$work/bin
		mkdir "$bin"
		tar -xJf "$archive" -C "$bin" 2>>"$log" || python3 -m tarfile -e "$archive" "$bin" 2>>"$log" ||
			row run programs "$archive" '' '' '' no "can't be unpacked: neither tar with xz nor python3 does it; see log.txt"
	fi
fi
if ! said=$("$bin/gpu" -h 2>&1) && [[ $said != *-backend* ]]; then
	row run programs "$bin/gpu" '' '' '' no "does not run here: ${said:-it is not there}; bench/gpu/build.sh makes it"
	bin=''
fi

# --- the parts --------------------------------------------------------------------------------------

export csv work root bin backend tiny only python
export SD_ROOT=$root SD_STORE=$work/store GOMLX_NO_AUTO_INSTALL=1
export CUDA_VISIBLE_DEVICES=${CUDA_VISIBLE_DEVICES-0} # one card, also where there are more
export TF_CPP_MIN_LOG_LEVEL=${TF_CPP_MIN_LOG_LEVEL-1} # XLA's warnings belong to the log
touch "$work/env"                                     # what a part finds out for those after it

names=()
for script in "$here"/parts/*.sh; do
	[[ $(basename "$script" .sh) =~ $parts ]] && names+=("$script")
done
needs() { sed -n 's/^# seconds: *\([0-9]*\).*/\1/p' "$1" | head -1; }

for i in "${!names[@]}"; do
	script=${names[i]}
	part=$(basename "$script" .sh)
	part=${part#*-}
	left=$((seconds - (SECONDS - begin)))
	later=0
	for other in "${names[@]:i+1}"; do later=$((later + $(needs "$other"))); done
	limit=$(needs "$script")
	((left - later > limit)) && limit=$((left - later))
	((limit > left)) && limit=$left
	if [[ ! $bin ]]; then
		row "$part" part '' '' '' '' missing "the programs do not run here"
		continue
	elif ((limit < 5)); then
		row "$part" part '' '' '' '' skipped "$left s left"
		continue
	fi
	printf '\n=== %s, %d s at most, %d s after the start\n' "$part" "$limit" $((SECONDS - begin)) | tee -a "$log"
	started=$SECONDS
	# A part ends itself in time, and leaves undone what does not fit; one that hangs is killed.
	(
		set -a
		. "$work/env"
		part=$part limit=$((limit - 4))
		exec timeout -k 3 "$limit" bash -uo pipefail "$script"
	) </dev/null >>"$log" 2>&1
	status=$?
	took=$((SECONDS - started))
	[[ -z $(tail -c1 "$csv") ]] || sed -i '$d' "$csv" # a writer was killed within a line
	row "$part" time '' "$took" s '' '' ''
	case $status in
	0) ;;
	124 | 137) row "$part" part '' "$took" s "$limit" no "hung, and was stopped: see log.txt" ;;
	*) row "$part" part '' '' '' '' no "exit status $status: $(tail -1 "$log" | cut -c1-200)" ;;
	esac
done

# --- the end ----------------------------------------------------------------------------------------

if [[ $(stat -c %s "$log") -gt 12000000 ]]; then # the beginning and the end of a log that grew out of hand
	{ head -c 6000000 "$log"; printf '\n...\n'; tail -c 6000000 "$log"; } >"$work/log" && mv "$work/log" "$log"
fi
echo
if [[ $bin ]]; then
	"$bin/gpu" -csv "$csv" table 2>&1 | tee "$out/table.txt"
	status=${PIPESTATUS[0]}
else
	tee "$out/table.txt" <"$csv"
	status=1
fi
echo "$((SECONDS - begin)) s; results in $out"
exit "$status"
