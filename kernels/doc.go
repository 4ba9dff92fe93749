// Package kernels holds no Go code of its own: its folder is what lets a Jupyter notebook run this
// repository's Go.
//
//	sd/                    the kernel "Go (samediff)": kernel.json, and start.sh which starts GoNB
//	shim/go                the go command that GoNB sees, see below
//	shim/help/gopls        starts gopls, which completes and documents, and ends it with the kernel
//	setup.sh               the set-up behind "make setup": .venv, .tools/bin, the link to the kernel
//	check_packages.py      says what is missing in .venv, for the set-up and sd doctor
//	run_notebooks.py       executes notebooks without a browser; fails when a cell fails
//	requirements.txt       the Python side, every package pinned; requirements.in names the direct ones
//	requirements-cuda.txt  XLA's CUDA plugin, for "make cuda"
//
// # How a cell finds the packages
//
// GoNB turns each cell into a program in a temporary module of its own. start.sh hands it this repository
// as a Go workspace, so a cell imports samediff/sdlib/... as it is on disk at that moment (an edited
// package is compiled by the next cell), and third-party packages in exactly the versions of go.mod.
// GoNB would also run "go get" before each cell; the shim turns that one command into nothing,
// which keeps the versions and lets notebooks run offline.
//
// Jupyter finds the kernel through the link in .venv/share/jupyter/kernels, or through JUPYTER_PATH
// set to the repository's root. Do not copy sd/ elsewhere ("jupyter kernelspec install" does): start.sh
// finds the repository by its own place.
//
// # Help in cells
//
// Tab completes and Shift-Tab shows a signature and its documentation, once the set-up has installed gopls
// ("make setup", "make lab"; commands and the execution of notebooks do without). GoNB connects to gopls 12
// seconds after the kernel started, so a request in the first moments waits for that long; later ones take
// tenths of a second. VS Code asks no kernel for completions.
//
// # Testing
//
// The tests execute small notebooks through the real kernel. They need the set-up, which "make test" does
// first; a plain "go test ./..." without it fails here and says so, since a skipped test would hide a kernel
// that does not work.
package kernels
