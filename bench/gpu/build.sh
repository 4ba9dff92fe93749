#!/usr/bin/env bash
# Builds the programs that bench/gpu/run.sh runs, without symbols, and packs them for a machine
# that has no Go: .carry/gpu/programs.tar.xz, which run.sh unpacks there by itself.
#
#   bench/gpu/build.sh      takes half a minute when Go's build cache is warm
#
# They need nothing but the C library, of this machine's version or newer; XLA's plugin is
# looked for when they run.
set -euo pipefail
cd -P "$(dirname "${BASH_SOURCE[0]}")/../.."
export GOWORK=off
most=15000000 # bytes

build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
go build -trimpath -ldflags '-s -w' -o "$build/" ./bench/gpu ./cmd/sd
for program in gpu sd; do
	unknown=$(ldd "$build/$program" | grep -vE 'linux-vdso|ld-linux|lib(c|dl|m|pthread|resolv)\.so' || true)
	[[ ! $unknown ]] || { printf 'build: %s needs more than the C library:\n%s\n' "$program" "$unknown" >&2; exit 1; }
done

out=.carry/gpu
rm -rf "$out" && mkdir -p "$out"
tar -C "$build" -c gpu sd | xz -9 -T1 >"$out/programs.tar.xz"
size=$(stat -c %s "$out/programs.tar.xz")
((size <= most)) || { echo "build: $out/programs.tar.xz has $size bytes, at most $most were to be carried" >&2; exit 1; }
echo "$out/programs.tar.xz: $size bytes, $(git describe --always --dirty 2>/dev/null || echo no commit), $(getconf GNU_LIBC_VERSION)"
