#!/usr/bin/env bash
# Makes the root folder of a bare Debian with debootstrap: nothing in it but what README.md asks for, and a user.
#
#   docker/bare-root.sh bookworm FOLDER       (bookworm is Debian 12, trixie 13; any suite that debootstrap knows)
#
# Go is the host's GOROOT, copied to /usr/local/go, where Go's own archive would be unpacked: Debian 12 and 13 have Go 1.19
# and 1.24, too old for go.mod. How the network is reached (names, certificates, pip's settings) is copied from the host too.
#
# PACKAGES  instead of those below, to see what is said where one of them is missing
# MIRROR    where debootstrap gets packages, if not from its own default
set -euo pipefail

suite=$1
dir=$2
# "ca-certificates" is for Go, which trusts the system's certificates when it fetches modules; pip brings its own.
packages=${PACKAGES-git make gcc libc6-dev python3 python3-venv ca-certificates}

fail() {
	printf 'bare-root: %s\n' "$@" >&2
	exit 1
}
[[ $EUID == 0 ]] || fail "debootstrap needs root (it makes device files and changes owners): run this by sudo"
command -v debootstrap >/dev/null || fail "debootstrap is not in PATH: on Debian or Ubuntu, apt-get install debootstrap"
command -v go >/dev/null || fail "no \"go\" in PATH to copy Go from"
[[ ! -e $dir ]] || fail "$dir is there already: remove it first"

# inside runs a command in the new root, with nothing of the host's environment (a TMPDIR is not there).
inside() { env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin chroot "$new" "$@"; }

# What is half done has another name, and goes when this ends.
new=$dir.new
rm -rf --one-file-system "$new"
trap 'rm -rf --one-file-system "$new"' EXIT
mkdir -p "$new"
debootstrap --variant=minbase ${packages:+--include="${packages// /,}"} "$suite" "$new" ${MIRROR:+"$MIRROR"}

cp -a "$(go env GOROOT)" "$new/usr/local/go"
chown -R root:root "$new/usr/local/go"

for file in /etc/resolv.conf /etc/hosts /etc/pip.conf; do
	[[ ! -e $file ]] || cp -L "$file" "$new$file"
done
# A host behind a proxy that opens connections trusts certificates which Debian does not have.
if compgen -G "/usr/local/share/ca-certificates/*.crt" >/dev/null && [[ -x $new/usr/sbin/update-ca-certificates ]]; then
	cp -L /usr/local/share/ca-certificates/*.crt "$new/usr/local/share/ca-certificates/"
	inside update-ca-certificates
fi

inside useradd --create-home --shell /bin/bash student
rm -rf "$new"/var/cache/apt/archives/*.deb
mv "$new" "$dir"
