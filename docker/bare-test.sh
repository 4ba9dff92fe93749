#!/usr/bin/env bash
# Runs make in a bare Debian: a root made by bare-root.sh, an ordinary user, and a clean clone of the commit that is checked
# out. It shows what a machine needs besides what README.md names, and what this machine has that others lack.
#
#   docker/bare-test.sh [TARGET]...           (without arguments: demo)
#
# DEBIAN  bookworm (Debian 12, the default), trixie (13), or another suite that debootstrap knows
# KEEP=1  leave the root in .bare/, to look around in it:  chroot --userspec=student .bare/bookworm bash
#
# It needs root, debootstrap, 8 GB of disk, and a Linux that lets root make mount and PID namespaces: what is mounted and
# started inside ends with this script. Everything lies in .bare/, the log in .bare/DEBIAN.log.
set -euo pipefail
cd -P "$(dirname "${BASH_SOURCE[0]}")/.."

suite=${DEBIAN:-bookworm}
root=$PWD/.bare/$suite
log=$root.log

fail() {
	printf 'bare-test: %s\n' "$@" >&2
	exit 1
}

# --- inside the namespaces --------------------------------------------------------------------------

# network prints the variables by which programs reach the network here, and no others.
network() {
	env | grep -E '^((http|https|no|all|HTTP|HTTPS|NO|ALL)_(proxy|PROXY)|SSL_CERT_FILE|SSL_CERT_DIR|PIP_(INDEX_URL|EXTRA_INDEX_URL|TRUSTED_HOST|CERT|DEFAULT_TIMEOUT))=' || true
	for name in GOPROXY GOSUMDB GONOSUMDB GONOPROXY GOPRIVATE GOINSECURE; do
		echo "$name=$(go env "$name")"
	done
}

# student runs a command in the clone as the ordinary user, with nothing of the host's environment but the network.
student() {
	local variables
	mapfile -t variables < <(network)
	chroot --userspec=student:student "$root" /usr/bin/env -i "${variables[@]}" HOME=/home/student USER=student TERM="${TERM:-dumb}" \
		PATH=/usr/local/go/bin:/usr/local/bin:/usr/bin:/bin bash -c 'cd ~/samediff && exec "$@"' - "$@"
}

if [[ ${1:-} == --inside ]]; then
	mount -t proc proc "$root/proc"
	mount -t sysfs -o ro sysfs "$root/sys"
	mount -t devpts -o newinstance,ptmxmode=0666,mode=620 devpts "$root/dev/pts"
	mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
	student make "$2"
	exit
fi

# --- outside ----------------------------------------------------------------------------------------

[[ $EUID == 0 ]] || fail "this needs root: run it by sudo"
[[ $# -gt 0 ]] || set -- demo
free=$(df --output=avail -BG . | tail -n1 | tr -dc 0-9)
((free >= 8)) || fail "8 GB of disk are needed, $free GB are free at $PWD"
[[ -z "$(git status --porcelain)" ]] || echo "bare-test: what is not committed is not in the clone" >&2
mkdir -p .bare
[[ ${KEEP:-} ]] || trap 'rm -rf --one-file-system "$root"' EXIT

table=
# timed runs a command, with its output in the log too, and notes how long it took.
timed() {
	local name=$1 begin=$SECONDS result="done"
	shift
	printf '\n=== %s: %s\n' "$name" "$*" | tee -a "$log"
	"$@" 2>&1 </dev/null | tee -a "$log" || result=failed
	table+=$(printf '%-12s %6d s  %s' "$name" $((SECONDS - begin)) "$result")$'\n'
	[[ $result == "done" ]]
}

# summary is the end of the log: the times, and what lies outside of the clone.
summary() {
	printf '\n=== bare Debian (%s), Go %s, commit %s\n%s' "$suite" "$(go env GOVERSION)" "$(git rev-parse --short HEAD)" "$table"
	du -sh --exclude=.bash* "$root"/home/student/{samediff,.[a-z]*,go,[a-z]*} 2>/dev/null | sed "s|$root||" | sort -uk2
}

clone() {
	git clone --quiet --depth 1 "file://$PWD" "$root/home/student/samediff"
	chroot "$root" chown -R student:student /home/student/samediff
}

: >"$log"
status=0
if timed root docker/bare-root.sh "$suite" "$root" && timed clone clone; then
	for target; do
		timed "$target" unshare --mount --propagation private --pid --fork --kill-child -- docker/bare-test.sh --inside "$target" || { status=1 && break; }
	done
else
	status=1
fi
summary | tee -a "$log"
exit "$status"
