#!/usr/bin/env bash
# Builds cpu.Dockerfile (and, asked for, cuda.Dockerfile) with buildah, without a daemon and without an image registry: the
# base image is the root that bare-root.sh makes. Then it runs "sd doctor" and some make targets in the image.
#
#   docker/image-test.sh [TARGET]...          (without arguments: demo)
#
# DEBIAN  as for bare-test.sh
# CUDA=1  build the CUDA image too (3 GB), and run "sd doctor" in it
# KEEP=1  leave the images where they are: buildah --root .bare/images/layers images
#
# It needs root, buildah, debootstrap and 14 GB of disk (20 with CUDA=1), all of it in .bare/; the log is .bare/images.log.
set -euo pipefail
cd -P "$(dirname "${BASH_SOURCE[0]}")/.."

suite=${DEBIAN:-bookworm}
store=$PWD/.bare/images
log=$store.log

# In a mount namespace of its own: what buildah mounts ends with this script.
if [[ ${1:-} == --inside ]]; then
	shift
else
	[[ $EUID == 0 ]] || { echo "image-test: this needs root: run it by sudo" >&2 && exit 1; }
	exec unshare --mount --propagation private -- docker/image-test.sh --inside "$@"
fi

fail() {
	printf 'image-test: %s\n' "$@" >&2
	exit 1
}
command -v buildah >/dev/null || fail "buildah is not in PATH: on Debian or Ubuntu, apt-get install buildah"
[[ $# -gt 0 ]] || set -- demo
need=$((14 + ${CUDA:-0} * 6))
free=$(df --output=avail -BG . | tail -n1 | tr -dc 0-9)
((free >= need)) || fail "$need GB of disk are needed, $free GB are free at $PWD"

# Chroots instead of containers: the same steps run where containers cannot.
buildah() { BUILDAH_ISOLATION=chroot TMPDIR=$store/tmp command buildah --root "$store/layers" --runroot "$store/run" "$@"; }
mkdir -p "$store/tmp"
[[ ${KEEP:-} ]] || trap 'buildah rm --all >/dev/null || true; umount -qR "$store/layers/overlay" || true; rm -rf --one-file-system "$store" "$store.base"' EXIT

# base makes the image that cpu.Dockerfile begins with.
base() {
	local container
	[[ -d $store.base ]] || docker/bare-root.sh "$suite" "$store.base" # it may be there from a run that failed
	container=$(buildah from scratch)
	cp --archive "$store.base/." "$(buildah mount "$container")" # buildah add would give all files to root
	buildah umount "$container" >/dev/null
	rm -rf --one-file-system "$store.base"
	buildah commit --quiet --rm "$container" debian-go
}

# build builds a Dockerfile of this folder.
build() {
	buildah build --pull-never --file "docker/$1" --ignorefile "docker/$1.dockerignore" --build-arg "BASE=$2" --tag "$3" .
}

# within runs a command in a new container of an image.
within() {
	local container
	container=$(buildah from --pull-never "$1")
	buildah run "$container" -- "${@:2}"
	buildah rm "$container" >/dev/null
}

# timed runs a command, with its output in the log too, and says how long it took. It is set -e's business what happens then.
timed() {
	local begin=$SECONDS
	printf '\n=== %s\n' "$*" | tee -a "$log"
	"$@" 2>&1 </dev/null | tee -a "$log"
	printf '=== %s: %d s\n' "$*" $((SECONDS - begin)) | tee -a "$log"
}

: >"$log"
timed base
timed build cpu.Dockerfile localhost/debian-go samediff
timed within localhost/samediff bin/sd doctor
for target; do timed within localhost/samediff make "$target"; done
if [[ ${CUDA:-} ]]; then
	timed build cuda.Dockerfile localhost/samediff samediff:cuda
	timed within localhost/samediff:cuda bin/sd doctor
fi
buildah images | tee -a "$log"
