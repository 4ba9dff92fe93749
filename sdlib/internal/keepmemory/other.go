//go:build !(cgo && !noxla && linux && (amd64 || arm64))

package keepmemory

func enable()       {}
func enabled() bool { return false }
func release()      {}
