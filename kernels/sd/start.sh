#!/bin/sh
# Starts GoNB as the kernel "Go (samediff)"; Jupyter calls it as: start.sh <connection file>
#
# Cells see this repository's packages and exactly the module versions of its go.mod, wherever the
# notebook lies, offline as well. The folder may be reached through a symbolic link (as from
# .venv/share/jupyter/kernels); it must not be copied.
here=$(dirname "$(readlink -f "$0")")
SD_ROOT=$(cd -P "$here/../.." && pwd)
gonb=$SD_ROOT/.tools/bin/gonb

fail() {
	echo "kernel samediff: $*" >&2
	exit 1
}
[ $# -eq 1 ] || fail "expected one argument, the connection file that Jupyter makes; came $#"
[ -f "$SD_ROOT/go.mod" ] || fail "no go.mod in $SD_ROOT: this folder was copied out of its repository; link it instead, or use the repository's .venv (make setup)"
[ -x "$gonb" ] || fail "$gonb is missing: run \"make setup\" in $SD_ROOT"

# A Jupyter started from a desktop may lack Go's folder in its PATH.
command -v go >/dev/null || PATH=$PATH:/usr/local/go/bin
SD_REAL_GO=$(command -v go) || fail "\"go\" is not in PATH: install Go 1.26 or newer (https://go.dev/dl/) and put it there"

# The shim comes first, it answers to "go"; bin/ holds sd, for shell lines in cells.
PATH=$SD_ROOT/kernels/shim:$SD_ROOT/.tools/bin:$SD_ROOT/bin:$PATH:$("$SD_REAL_GO" env GOPATH)/bin
# gopls, that of the set-up or else the user's, gives completion and documentation. A second shim starts it.
if SD_REAL_GOPLS=$(command -v gopls); then
	PATH=$SD_ROOT/kernels/shim/help:$PATH
	export SD_REAL_GOPLS
fi
# GoNB resolves cells through a go.work of its own, which GOWORK=off would forbid.
GOWORK=auto
# gopls links to a public site of documentation, which does not know this module, unless it is private.
GOPRIVATE=samediff${GOPRIVATE:+,$GOPRIVATE}
GOPLSCACHE=$SD_ROOT/.tools/gopls
export PATH GOWORK SD_ROOT SD_REAL_GO GOPRIVATE GOPLSCACHE

# GoNB logs much that is harmless (no gopls, how gopls ended): to a file, not to the user's terminal.
# What a cell writes to stderr is not affected.
log=$SD_ROOT/.venv/kernel.log
[ -z "$(find "$log" -size +1000k 2>/dev/null)" ] || mv -f "$log" "$log.old"
{ : >>"$log"; } 2>/dev/null || log=/dev/null

exec "$gonb" --kernel "$1" --raw_error --go_work="$SD_ROOT" 2>>"$log"
