#!/usr/bin/env bash
# Runs the benchmarks of docs/benchmarks.md one after the other, on a machine that does nothing else:
#
#   bench/all.sh [--tiny] [--only REGEXP] OUT      about 50 minutes on two cores; --tiny: does each run to its end?
#
# OUT/NAME.md has what a benchmark printed, with its command above and its time below. Without a Python
# beside them the benchmarks measure this library alone:
#
#   TORCH=torch/bin/python      has torch, transformers, numpy, pillow (bench/parity/requirements.txt)
#   PYVENE=pyvene/bin/python    has pyvene (bench/das/requirements.txt)
#
# What starts from CLIP needs `sd model fetch clip-b16`. The exit status is 1 if a benchmark failed; the
# others run all the same.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2
tiny=false only=. out=
while [[ $# -gt 0 ]]; do
	case $1 in
	--tiny) tiny=true ;;
	--only) only=${2:?a regular expression}; shift ;;
	-*) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p;}' "${BASH_SOURCE[0]}" >&2; exit 2 ;;
	*) out=$1 ;;
	esac
	shift
done
[[ -n $out ]] || { echo "bench/all.sh: name a folder for the results" >&2; exit 2; }
export SD_ROOT=$PWD GOMLX_NO_AUTO_INSTALL=1
mkdir -p "$out" || exit 2
failed=0

# bench NAME COMMAND...
bench() {
	local name=$1 begin=$SECONDS status=0
	shift
	[[ $name =~ $only ]] || return 0
	echo "$name ..." >&2
	{
		printf '    %s\n\n' "$*"
		"$@" 2>"$out/$name.log" || status=$?
		printf '\n%s s; load at the end %s\n' "$((SECONDS - begin))" "$(cut -d' ' -f1 /proc/loadavg)"
	} >"$out/$name.md"
	if [[ $status != 0 ]]; then
		failed=1
		echo "$name failed; $out/$name.log says why" >&2
	fi
}

# full A B is A, or with --tiny B.
full() { if $tiny; then echo "$2"; else echo "$1"; fi; }

{
	lscpu | grep -E '^(Model name|CPU\(s\)|Flags)' | sed -E 's/ +/ /g; s/Flags:.*(avx512f).*/\1/; s/Flags:.*(avx2).*/\1/'
	go version
	git rev-parse HEAD
	echo "load $(cut -d' ' -f1-3 /proc/loadavg)"
} >"$out/machine.txt"
cat "$out/machine.txt" >&2

rounds=$(full 3 1) torch=(-python "${TORCH:-}") pyvene=(-python "${PYVENE:-}")
for model in course-quick $(full 'course b32 b16' ''); do
	bench "training-$model" go run ./bench/training "${torch[@]}" -rounds "$rounds" -go=false -only "$model"
done
bench forward go run ./bench/forward "${torch[@]}" -rounds "$rounds"
bench attention go run ./bench/attention "${torch[@]}" -rounds "$rounds" -images "$(full 120 8)"
bench probe go run ./bench/probe "${torch[@]}" -rounds "$rounds" -images "$(full 8000 128)" -peer "$(full 512 16)"
bench das go run ./bench/das "${pyvene[@]}" -rounds "$rounds" -steps "$(full 60 12)" -pairs "$(full 2000 128)"
bench stimuli go run ./bench/stimuli -python "${TORCH:-python3}" -rounds "$(full 9 1)"
bench products go test -run '^$' -bench Products ./sdlib/ops
bench checks go run ./bench/checks
bench packed go test -run '^$' -bench LoadPacked -benchtime "$(full 5x 1x)" ./sdlib/study
bench page-faults go test -count 1 -v -run TestPageFaults ./sdlib/internal/keepmemory

store=$(mktemp -d) && trap 'rm -rf "$store"' EXIT
go build -o "$store/sd" ./cmd/sd || exit 1
largest() { /usr/bin/time -f 'largest resident size %M kB, %e s' "$@" 2>&1; }
bench memory largest "$store/sd" --store "$store" \
	train clip-b16-112 --images "$(full 96 32)" --warmup "$(full 2 0)" --quiet
exit $failed
