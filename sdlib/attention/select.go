package attention

import (
	"fmt"
	"math/rand/v2"
	"slices"

	"samediff/sdlib/stimuli"
)

// Select draws perClass images labeled same and as many labeled different, without
// replacement, and returns their indices in ascending order. The paper's code takes 250
// of each from the test split. The choice depends on the set and the seed alone.
func Select(set *stimuli.Set, perClass int, seed uint64) ([]int, error) {
	if perClass < 1 {
		return nil, fmt.Errorf("attention: %d images per class asked for, expected 1 or more (the paper takes 250)", perClass)
	}
	var chosen []int
	rng := rand.New(rand.NewPCG(seed, 0x5e1ec7))
	for label, name := range []string{"different", "same"} {
		var class []int
		for i, l := range set.Labels() {
			if int(l) == label {
				class = append(class, i)
			}
		}
		if len(class) < perClass {
			return nil, fmt.Errorf("attention: the set has %d images labeled %s, %d were asked for: take fewer or a larger set", len(class), name, perClass)
		}
		rng.Shuffle(len(class), func(i, j int) { class[i], class[j] = class[j], class[i] })
		chosen = append(chosen, class[:perClass]...)
	}
	slices.Sort(chosen)
	return chosen, nil
}
