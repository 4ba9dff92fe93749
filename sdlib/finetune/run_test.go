package finetune

import (
	"errors"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/gomlx/gomlx/core/tensors"

	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// TestKeepBest: the kept weights are those of a run that stops after the best epoch, which
// a constant learning rate makes comparable.
func TestKeepBest(t *testing.T) {
	r := smallRecipe
	r.Epochs, r.Schedule, r.Keep, r.LR = 5, Constant, Best, 3e-3
	long, err := Train(t.Context(), fixture.Go(t), newSmall(t, 1), open(t, stimuli.Train, 64), open(t, stimuli.Val, 20), r, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if long.Epoch == r.Epochs || slices.ContainsFunc(long.History, func(e Epoch) bool { return e.Val > long.History[long.Epoch-1].Val }) {
		t.Fatalf("epoch %d was kept of %+v: expected the best, and the test needs a seed for which it is not the last", long.Epoch, long.History)
	}
	all := r
	all.Keep = Last
	if hash, _ := train(t, all, Options{}); hash != hashOf(t, long.Last) {
		t.Error("keeping the best epoch changed the last one's weights")
	}
	all.Epochs = long.Epoch
	if hash, _ := train(t, all, Options{}); hash != hashOf(t, long.Model) {
		t.Errorf("the kept weights are not those after epoch %d", long.Epoch)
	}
}

func hashOf(t *testing.T, m *vit.Model) string {
	t.Helper()
	hash, err := m.Hash()
	if err != nil {
		t.Fatal(err)
	}
	return hash
}

// TestFresh: every epoch has other images, those of the set with the epoch's seed, and the same objects.
func TestFresh(t *testing.T) {
	set := fixture.Set(t, stimuli.Config{Geometry: stimuli.CourseQuick, Objects: stimuli.Compositional32, Size: 64, Seed: 5})
	data := Recipe{Epochs: 3, Fresh: true}.data(small, set)
	defer data.Close()
	var seen [][]uint8
	for epoch := range 3 {
		rows, err := data.Epoch(epoch)
		if err != nil {
			t.Fatal(err)
		}
		c := set.Config()
		c.Seed += uint64(epoch) << 32
		want := fixture.Set(t, c)
		pixels := tensors.MustCopyFlatData[uint8](rows.Resident[0])
		if !slices.Equal(pixels, want.Images(nil)) || !slices.Equal(tensors.MustCopyFlatData[int32](rows.Resident[1]), want.Labels()) {
			t.Errorf("epoch %d does not have the images of its seed", epoch+1)
		}
		for _, other := range seen {
			if slices.Equal(pixels, other) {
				t.Errorf("epoch %d has the images of an earlier one", epoch+1)
			}
		}
		seen = append(seen, pixels)
		again, err := data.Epoch(epoch)
		if err != nil || again.Resident[0] != rows.Resident[0] {
			t.Errorf("epoch %d was drawn twice (%v)", epoch+1, err)
		}
	}

	r := smallRecipe
	r.Fresh = true
	order := stimuli.Config{Geometry: stimuli.CourseQuick, Objects: stimuli.Compositional32, Size: 64, Faithful: stimuli.Faithful{ColorOrder: true}}
	if err := r.check(small, fixture.Set(t, order), nil); err == nil || !strings.Contains(err.Error(), "color_order") {
		t.Errorf("fresh images of a set whose seed decides its objects: %v", err)
	}
}

func TestOnEpochAndTimes(t *testing.T) {
	var lengths []int
	res, err := Train(t.Context(), fixture.Go(t), newSmall(t, 1), open(t, stimuli.Train, 64), open(t, stimuli.Val, 20), smallRecipe,
		Options{OnEpoch: func(history []Epoch) { lengths = append(lengths, len(history)) }})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(lengths, []int{1, 2}) {
		t.Errorf("OnEpoch was told histories of %v epochs, expected 1 and 2", lengths)
	}
	if len(res.Times) != 2 || res.Times[0].Data <= 0 || res.Times[1].Step <= 0 || res.Times[1].Evaluation <= 0 {
		t.Errorf("times %+v, expected those of 2 epochs", res.Times)
	}
}

// TestPrecision: rounding the factors of products to 8 or 11 significant bits shows in the losses, and little.
func TestPrecision(t *testing.T) {
	_, exact := train(t, smallRecipe, Options{})
	for p, limit := range map[vit.Precision]float64{vit.BF16: 2e-2, vit.TF32: 2e-3} {
		r := smallRecipe
		r.Precision = p
		_, rounded := train(t, r, Options{})
		for i := range exact {
			if diff := math.Abs(rounded[i].Loss/exact[i].Loss - 1); diff == 0 || diff > limit {
				t.Errorf("%s: epoch %d has loss %g, %g in float32: expected a difference of more than 0 and at most %g of it", p, i+1, rounded[i].Loss, exact[i].Loss, limit)
			}
		}
	}
}

// TestPresets: each recipe fits the model and the number of images it is made for.
func TestPresets(t *testing.T) {
	rmts := vit.CourseQuick
	rmts.Blocks = 6
	for name, p := range map[string]struct {
		recipe Recipe
		model  vit.Config
		images int
	}{
		"Paper": {Paper, vit.B16, 6400}, "PaperExponential": {PaperExponential, vit.B16, 6400},
		"PaperPlateau": {PaperPlateau, vit.B32, 6400}, "PaperDINOv2": {PaperDINOv2, vit.B16, 6400},
		"Quick": {Quick, vit.CourseQuick, 6400}, "Course": {Course, vit.Course, 6400}, "RMTS": {RMTS, rmts, 12800},
	} {
		if err := p.recipe.Validate(p.model, p.images); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseRecipe(t *testing.T) {
	r, err := ParseRecipe([]byte(`{"epochs": 3, "schedule": "plateau", "pipeline": {"weight": 1, "within_pair": [1, 2]}}`))
	if err != nil || r.Epochs != 3 || r.Schedule != Plateau || !slices.Equal(r.Pipeline.WithinPair, []int{1, 2}) {
		t.Errorf("%+v, %v", r, err)
	}
	for text, wants := range map[string][]string{
		`{"epoch": 3}`:                  {`no field "epoch"`, "epochs", "pipeline.within_pair", "faithful.decay_by_accuracy"},
		`{"pipeline": {"blocks": [1]}}`: {`no field "blocks"`, "pipeline.within_object"},
		`{"epochs": "three"}`:           {"epochs"},
		`{"epochs": 3} {}`:              {"there is more behind"},
		``:                              {"EOF"},
	} {
		_, err := ParseRecipe([]byte(text))
		for _, want := range wants {
			if err == nil || !strings.Contains(err.Error(), want) {
				t.Errorf("%s: %v, expected an error with %q", text, err, want)
			}
		}
	}
}

func FuzzParseRecipe(f *testing.F) {
	f.Add([]byte(`{"epochs":18,"batch":64,"lr":0.001,"schedule":"cosine","warmup":100,"disentangle":{"weight":1,"after":2}}`))
	f.Add([]byte(`{"pipeline":{"weight":1e300,"within_pair":[-1]},"accumulate":-3,"patience":9}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		if r, err := ParseRecipe(text); err == nil {
			_ = r.Validate(small, 64) // any recipe gets a verdict
		}
	})
}

// TestLabelOutOfRange: a model with one class cannot be asked for two answers.
func TestLabelOutOfRange(t *testing.T) {
	c := small
	c.Classes = 1
	m := fixture.Model(t, c, 1)
	_, err := Train(t.Context(), fixture.Go(t), m, open(t, stimuli.Train, 64), nil, smallRecipe, Options{})
	if err == nil || !strings.Contains(err.Error(), "label 1") || !strings.Contains(err.Error(), "training set") {
		t.Errorf("training: %v", err)
	}
	if _, err = Evaluate(t.Context(), fixture.Go(t), m, open(t, stimuli.Test, 64), Condition{}, nil); !errors.Is(err, vit.ErrOtherClasses) {
		t.Errorf("evaluating: %v", err)
	}
}
