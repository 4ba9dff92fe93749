package delta

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"math"
	"runtime"

	"github.com/gomlx/gomlx/core/tensors"
	"golang.org/x/sync/errgroup"

	"samediff/sdlib/vit"
)

// Hash names a model's weights by their content, without its head, image size and normalization, which fine-tuning may change:
// the SHA-256, in 64 hexadecimal digits, of a line for each weight in the order of [vit.Config.Names], with its name, shape and
// the SHA-256 of its values as little-endian float32:
//
//	vision_model.pre_layrnorm.bias [768] 5df6e0e2761359d30a8275058e299fcc0381534545f55cf43e41983f5d4c9456
func Hash(m *vit.Model) (string, error) {
	weights, flat := weightsOf(m.Config), m.Weights.Flatten(m.Config)
	sums := make([][sha256.Size]byte, len(weights))
	err := each(len(weights), func(i int) error {
		if weights[i].head {
			return nil
		}
		var err error
		sums[i], err = hashTensor(flat[i])
		return err
	})
	if err != nil {
		return "", fmt.Errorf("delta: hash: %w", err)
	}
	h := sha256.New()
	for i, w := range weights {
		if !w.head {
			fmt.Fprintf(h, "%s %v %x\n", w.name, w.shape, sums[i])
		}
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}

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
