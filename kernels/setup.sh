#!/usr/bin/env bash
# Sets up what the notebooks and checks need, all inside the repository:
#
#   python   .venv/        JupyterLab, the notebook runner's libraries, XLA's CPU plugin (requirements.txt)
#   tools    .tools/bin/   gonb and goimports, as pinned by tools/go.mod
#   kernel   .venv/share/jupyter/kernels/sd, a link by which Jupyter finds the kernel
# and only when asked for
#   help     .tools/bin/   gopls, as pinned by tools/gopls/go.mod: completion and documentation in cells
#   checks   .tools/bin/   staticcheck, as pinned by tools/go.mod
#   cuda     into .venv/   XLA's CUDA plugin and NVIDIA's libraries (requirements-cuda.txt)
#
# Usage: kernels/setup.sh [python|tools|kernel|help|checks|cuda]...      (without arguments: python tools kernel)
#
# Each part leaves a stamp holding everything that the part depends on, so that a second run only
# compares texts, and a change of the requirements, of Go's version or of the repository's place sets up
# again. A part's stamp is removed before work on it starts and written when it is complete: a set-up
# that was killed is never taken for a finished one. What was stamped is looked at each time: a program that does
# not answer, a package with a file missing, is set up again. A lock lets one set-up work at a time.
#
# PYTHON names the Python that makes .venv; by default the first suitable of python3, python3.14 ... python3.10.
set -euo pipefail
cd -P "$(dirname "${BASH_SOURCE[0]}")/.."
root=$PWD
export GOWORK=off # a go.work in a folder above is not about this module

fail() {
	printf 'setup: %s\n' "$@" >&2
	exit 1
}
say() { echo "setup: $*"; }

# --- what must be there already -------------------------------------------------------------------

need_go() {
	command -v go >/dev/null ||
		fail "Go 1.26 or newer is needed and \"go\" is not in PATH: install it from https://go.dev/dl/"
	local minor
	# Asked inside the module: a Go that can fetch the version go.mod names answers with that one.
	go_version=$(go env GOVERSION) ||
		fail "$(command -v go) refuses this module (above): install Go 1.26 or newer from https://go.dev/dl/"
	minor=${go_version#go1.}
	minor=${minor%%[!0-9]*}
	[[ $go_version == devel* || ${minor:-0} -ge 26 ]] ||
		fail "Go 1.26 or newer is needed, $(command -v go) is $go_version: install it from https://go.dev/dl/"
}

need_c() {
	[[ ${CGO_ENABLED:-} == 0 ]] && return # the user builds without C, and without XLA
	local cc probe
	cc=$(go env CC)
	probe=$(mktemp -d)
	# shellcheck disable=SC2086 # CC may hold options
	if ! echo '#include <stdlib.h>
int main(void) { return EXIT_SUCCESS; }' | ${cc:-cc} -x c - -o "$probe/a.out" 2>"$probe/log"; then
		sed 's/^/setup: /' "$probe/log" >&2
		rm -rf "$probe"
		fail "a C compiler with the C library's headers is needed (XLA is called through cgo), and \"${cc:-cc}\" did not compile a line of C" \
			"install one, e.g. on Debian or Ubuntu: apt-get install gcc libc6-dev; or name yours by CC=..." \
			"without one, CGO_ENABLED=0 gives the pure Go backend, about ten times slower"
	fi
	rm -rf "$probe"
}

# find_python prints the first Python that can make a virtual environment.
find_python() {
	local candidate version tried=()
	for candidate in ${PYTHON:-python3 python3.14 python3.13 python3.12 python3.11 python3.10}; do
		command -v "$candidate" >/dev/null || continue
		version=$("$candidate" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null) || continue
		if ! "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then
			tried+=("$candidate is $version, older than 3.10")
		elif ! "$candidate" -c 'import venv, ensurepip' 2>/dev/null; then
			tried+=("$candidate ($version) lacks the modules venv and ensurepip: on Debian or Ubuntu, apt-get install python3-venv")
		else
			command -v "$candidate"
			return
		fi
	done
	fail "Python 3.10 or newer with the module venv is needed${PYTHON:+ and PYTHON=$PYTHON is none}; found:" \
		"${tried[@]:-nothing of that name in PATH}" "name another by PYTHON=/path/to/python3"
}

# check_driver looks at NVIDIA's driver before 3 GB are fetched for it. Where there is none they are fetched all the same: an image
# is built without a GPU, and a cluster's login node has none.
check_driver() {
	local version
	if ! command -v nvidia-smi >/dev/null; then
		say "no NVIDIA driver here (there is no nvidia-smi): what is installed now is for a machine that has one"
	elif ! version=$(nvidia-smi --query-gpu=driver_version --format=csv,noheader 2>&1); then
		say "NVIDIA's driver does not answer (nvidia-smi: ${version%%$'\n'*}): xla:cuda will not work before it does"
	elif [[ ${version%%.*} =~ ^[0-9]+$ && ${version%%.*} -lt 525 ]]; then
		fail "NVIDIA's driver is ${version%%$'\n'*}, and CUDA 12 needs 525 or newer: update the driver first (nvidia-smi shows it)"
	fi
}

# --- the parts: key_PART prints what the part depends on, make_PART makes it ------------------------

stamp() { case $1 in tools | help | checks) echo ".tools/stamp-$1" ;; *) echo ".venv/stamp-$1" ;; esac; }

key_python() { echo "$root"; cat kernels/requirements.txt; }
make_python() {
	local cuda=
	[[ -f $(stamp cuda) ]] && cuda=yes
	[[ ! -L .venv ]] || # python -m venv --clear empties the folder that a link points at
		fail ".venv is a link to $(readlink -f .venv), which may be another checkout's: it is left as it is" \
			"remove the link, and run this again for a .venv of this checkout's own"
	say "Python side into .venv (about 500 MB, half a minute to a few minutes) ..."
	"$python" -m venv --clear .venv
	mkdir -p .venv/jupyter/ipython
	pip_install kernels/requirements.txt
	if [[ $cuda ]]; then make_cuda; key_cuda >"$(stamp cuda)"; fi
}

key_cuda() { cat kernels/requirements-cuda.txt; }
make_cuda() {
	[[ "$(uname -sm)" == "Linux x86_64" ]] || fail "XLA's CUDA plugin exists for Linux x86_64 only, this is $(uname -sm)"
	check_driver
	say "XLA's CUDA plugin into .venv (about 3 GB) ..."
	pip_install kernels/requirements-cuda.txt
}

# pip_install isolates pip from the user's PYTHONPATH and --user settings. Modules are byte-compiled when
# first used: most never are.
pip_install() {
	PIP_USER=0 .venv/bin/python -I -m pip install --quiet --disable-pip-version-check --no-input --no-compile --requirement "$1" ||
		fail "pip could not install $1 (above); is the package registry reachable? The next run starts this part again"
}

# install builds programs in the versions of a module. Old files go first: go install leaves one alone whose beginning
# is that of the right one, however short it is.
install() {
	local program
	for program in "${@:2}"; do rm -f ".tools/bin/${program##*/}"; done
	GOBIN=$root/.tools/bin go -C "$1" install "${@:2}" ||
		fail "go could not install ${*:2} (above); is the module proxy reachable, and are its certificates trusted (on a bare Debian or Ubuntu: apt-get install ca-certificates)? The next run starts this part again"
}

key_tools() { echo "$go_version"; cat tools/go.mod tools/go.sum; }
make_tools() {
	say "gonb and goimports into .tools/bin (half a minute to two minutes) ..."
	install tools github.com/janpfeifer/gonb golang.org/x/tools/cmd/goimports
}

# gopls has a module of its own, since it needs other versions of its libraries than the other tools. Its first look at
# our packages takes some 15 s, more than a request from a cell waits: it is had here, and kept in its cache.
key_help() { echo "$go_version"; cat tools/gopls/go.mod tools/gopls/go.sum; }
make_help() {
	say "gopls into .tools/bin, for completion and documentation in cells (a minute) ..."
	install tools/gopls golang.org/x/tools/gopls
	[[ -f sdlib/nb/nb.go ]] || return 0 # an image is set up before the library is copied into it
	GOPLSCACHE=$root/.tools/gopls .tools/bin/gopls check sdlib/nb/nb.go ||
		say "gopls could not read this module (above): the first completion in a cell will be slow"
}

key_checks() { key_tools; }
make_checks() {
	say "staticcheck into .tools/bin (half a minute) ..."
	install tools honnef.co/go/tools/cmd/staticcheck
}

key_kernel() { echo link; }
make_kernel() {
	mkdir -p .venv/share/jupyter/kernels
	ln -sfn ../../../../kernels/sd .venv/share/jupyter/kernels/sd
}

done_already() {
	local file
	file=$(stamp "$1")
	[[ -f $file && "$(<"$file")" == "$("key_$1")" ]] || return 1
	case $1 in
	python) .venv/bin/python -I -S kernels/check_packages.py requirements.txt ;; # fails too when the Python it links to is gone
	cuda) .venv/bin/python -I -S kernels/check_packages.py requirements-cuda.txt ;;
	tools) answers gonb --version && answers goimports -l=false <<<"package p" ;;
	help) answers gopls version ;;
	checks) answers staticcheck -version ;;
	kernel) [[ -f .venv/share/jupyter/kernels/sd/kernel.json ]] ;;
	esac
}

# answers runs a program of .tools/bin, which prints something unless the file is damaged. (An empty one "works".)
answers() {
	[[ -n "$(".tools/bin/$1" "${@:2}" 2>/dev/null)" ]] || { echo "setup: .tools/bin/$1 does not answer"; return 1; } >&2
}

# --- the work --------------------------------------------------------------------------------------

[[ $# -gt 0 ]] || set -- python tools kernel
for part; do
	case $part in
	python | tools | kernel | help | checks | cuda) ;;
	*) fail "no part \"$part\"; known are python, tools, kernel, help, checks, cuda" ;;
	esac
done
need_go

all_done() { for part; do done_already "$part" || return 1; done; }
all_done "$@" 2>/dev/null && exit

python=$(find_python)
# Asked before anything is fetched.
for part; do [[ $part != tools ]] || done_already tools 2>/dev/null || need_c; done
# The lock is on an open file, so the system gives it back however this process ends.
mkdir -p .tools
exec 9>.tools/lock
lock() { "$python" -c 'import fcntl, sys; fcntl.flock(9, fcntl.LOCK_EX | (fcntl.LOCK_NB if sys.argv[1:] else 0))' "$@"; }
lock try 2>/dev/null || { say "another set-up of this repository is at work, waiting for it ..."; lock; }

for part; do
	done_already "$part" && continue # perhaps the one we waited for did it
	rm -f "$(stamp "$part")"
	"make_$part"
	"key_$part" >"$(stamp "$part")"
done
say "done"
