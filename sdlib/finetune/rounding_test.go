package finetune

import (
	"testing"

	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// Rounding changes logits a little, TF32 less than bf16.
func TestRoundings(t *testing.T) {
	be, m, set := fixture.Go(t), newSmall(t, 5), open(t, stimuli.Test, 24)
	all, err := Roundings(t.Context(), be, m, set, nil)
	if err != nil {
		t.Fatal(err)
	}
	if len(all) != 2 || all[0].Precision != vit.TF32 || all[1].Precision != vit.BF16 || all[0].Images != 24 {
		t.Fatalf("%+v, expected TF32 and bf16 on 24 images", all)
	}
	for _, r := range all {
		if !(0 < r.Mean && r.Mean < r.Largest) || r.Answers < 0 || r.Answers > 24 {
			t.Errorf("%+v: expected a mean change of more than 0 and less than the largest, and 0 to 24 other answers", r)
		}
	}
	if !(all[0].Largest < all[1].Largest && all[1].Largest < .5) {
		t.Errorf("the largest changes are %g and %g, expected less with TF32 than with bf16", all[0].Largest, all[1].Largest)
	}
}
