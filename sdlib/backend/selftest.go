package backend

import (
	"fmt"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"
)

// selfTest multiplies two small matrices and checks the product, so that a plugin
// which loads but can't compile or compute is found before real work is lost.
func (b *Backend) selfTest() (string, error) {
	x := [][]float32{{1, 2}, {3, 4}}
	y, err := CallOnce(b.Engine, func(x *Node) *Node { return ReduceAllSum(MatMul(x, x)) }, x)
	if err != nil {
		return "", fmt.Errorf("backend %s opens but does not compute: %w", b.Choice, err)
	}
	defer y.MustFinalizeAll()
	const want = 7 + 10 + 15 + 22
	if got := tensors.ToScalar[float32](y); got != want {
		return "", fmt.Errorf("backend %s computes wrongly: the entries of [[1 2][3 4]] squared sum to %v, not %v", b.Choice, got, want)
	}
	return fmt.Sprintf("Σ [[1 2][3 4]]² = %d", want), nil
}
