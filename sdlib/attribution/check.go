package attribution

import (
	"fmt"
	"math"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/runner"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// choose checks the indices of images to look at, and returns those of all for nil.
func choose(c vit.Config, set *stimuli.Set, images []int) ([]int, error) {
	err := runner.Fits(c, set)
	if err == nil {
		images, err = runner.Choose(set, images)
	}
	if err != nil {
		return nil, fmt.Errorf("attribution: %w", err)
	}
	return images, nil
}

// finite returns the first n rows of an output [B, ...], row-major, and an error where a
// number is none, which JSON could not hold. images are the rows' indices in the set.
func finite(x *tensors.Tensor, n int, images []int) ([][]float64, error) {
	rows, err := runner.Rows[float32](x, n)
	if err != nil {
		return nil, err
	}
	wide := make([][]float64, n)
	for i, row := range rows {
		wide[i] = make([]float64, len(row))
		for k, v := range row {
			wide[i][k] = float64(v)
			if math.IsNaN(wide[i][k]) || math.IsInf(wide[i][k], 0) {
				return nil, fmt.Errorf("image %d gives %v instead of a number: the model's weights are damaged or too large", images[i], v)
			}
		}
	}
	return wide, nil
}
