//go:build cgo && !noxla && linux && (amd64 || arm64)

package ops

import "samediff/sdlib/backend"

func init() { backends = append(backends, backend.CPU) }
