package study

import "samediff/sdlib/vit"

// Memory returns about how many bytes of a device a training needs at least: four numbers for each
// weight (itself, its gradient and AdamW's two moments), and for each image of a part of a batch
// what the blocks keep for the backward pass: the inputs of both norms, queries, keys and values,
// attention weights, their product, and the MLP's hidden layer.
func (t Training) Memory() int64 {
	c := t.Model
	T, D := c.Tokens(), c.Width
	kept := c.Blocks * (T*(6*D+c.MLP) + c.Heads*T*T)
	part := max(t.Recipe.Batch/max(t.Recipe.Accumulate, 1), 1)
	return 4 * (4*int64(c.Params()) + int64(part)*int64(kept))
}

// Largest returns the job whose training needs the most memory, and how much; 0 where none trains.
func Largest(jobs []Job) (largest Job, bytes int64) {
	for _, j := range WithTrainings(jobs) {
		if t := j.Subject.Training; t != nil && t.Model != (vit.Config{}) {
			if m := t.Memory(); m > bytes {
				largest, bytes = j, m
			}
		}
	}
	return largest, bytes
}
