package delta

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"runtime"
	"slices"
	"strings"

	"github.com/gomlx/gomlx/core/tensors"
	"golang.org/x/sync/errgroup"

	"samediff/sdlib/vit"
)

// Hash names a model's weights by their content, without its head, image size and normalization, which fine-tuning may change:
// the SHA-256, in 64 hexadecimal digits, of lines as sha256sum writes them, one for each weight's values as little-endian
// float32, in the order of the names' bytes:
//
//	5df6e0e2761359d30a8275058e299fcc0381534545f55cf43e41983f5d4c9456  vision_model.pre_layrnorm.bias
func Hash(m *vit.Model) (string, error) {
	type line struct {
		sum  [sha256.Size]byte
		name string
	}
	weights, flat := weightsOf(m.Config), m.Weights.Flatten(m.Config)
	lines := make([]line, len(weights))
	err := each(len(weights), func(i int) (err error) {
		if !weights[i].head {
			lines[i].name = weights[i].name
			lines[i].sum, err = hashTensor(flat[i])
		}
		return err
	})
	if err != nil {
		return "", fmt.Errorf("delta: hash: %w", err)
	}
	slices.SortFunc(lines, func(a, b line) int { return strings.Compare(a.name, b.name) })
	h := sha256.New()
	for _, l := range lines {
		if l.name != "" {
			fmt.Fprintf(h, "%x  %s\n", l.sum, l.name)
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

// hashTensor returns the SHA-256 of a tensor's values.
func hashTensor(t *tensors.Tensor) (sum [sha256.Size]byte, err error) {
	h := sha256.New()
	err = tensors.ConstFlatData(t, func(values []float32) {
		buffer := make([]byte, 0, 1<<14)
		for _, v := range values {
			if buffer = binary.LittleEndian.AppendUint32(buffer, math.Float32bits(v)); len(buffer) == cap(buffer) {
				h.Write(buffer)
				buffer = buffer[:0]
			}
		}
		h.Write(buffer)
	})
	return [sha256.Size]byte(h.Sum(nil)), err
}

// each calls do for 0 to n-1 on all cores, and returns the first error.
func each(n int, do func(i int) error) error {
	var all errgroup.Group
	all.SetLimit(runtime.GOMAXPROCS(0))
	for i := range n {
		all.Go(func() error { return do(i) })
	}
	return all.Wait()
}
