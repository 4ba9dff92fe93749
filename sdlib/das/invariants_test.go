package das

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	. "github.com/gomlx/gomlx/core/graph"
	"github.com/gomlx/gomlx/core/tensors"

	"samediff/internal/halt"
	"samediff/sdlib/backend"
	"samediff/sdlib/internal/fixture"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

func allTokens(s *Streams) []int32 {
	var tokens []int32
	for range s.Pairs.Len() {
		for token := range s.Config.Tokens() {
			tokens = append(tokens, int32(token))
		}
	}
	return tokens
}

// A swap of no dimension is no swap, to the bit. One of all dimensions at all tokens makes of a
// stream the other one, whatever the rotation, and so of an answer the other's.
func TestNothingAndEverything(t *testing.T) {
	be, m := fixture.Go(t), lively(t, small, 1)
	s := streams(t, be, m)
	n := s.Pairs.Len()
	base := logits(t, be, m, s.Pairs.Base())
	next := func(pair int) int { return (pair + 1) % n }
	shifted := make([][]float32, n)
	for i := range shifted {
		shifted[i] = base[next(i)]
	}
	for _, block := range Searched(m.Config) {
		stream, err := s.Base(block)
		if err != nil {
			t.Fatal(err)
		}
		swap := Swap{K: m.Config.Tokens(), Tokens: allTokens(s), Source: func(pair int, row []float32) { copy(row, stream.Row(next(pair))) }}
		apply := func(v *Intervention) [][]float32 {
			got, err := v.Apply(t.Context(), be, m, s, swap, nil)
			if err != nil {
				t.Fatal(err)
			}
			return got
		}
		nothing := apply(random(s, block, false))
		near(t, "swapped nothing", nothing, base, 1e-5)
		self := swap
		self.Source = func(pair int, row []float32) { copy(row, stream.Row(pair)) }
		unedited, err := random(s, block, true).Apply(t.Context(), be, m, s, self, nil)
		if err != nil {
			t.Fatal(err)
		}
		near(t, "swapped with itself", unedited, nothing, 0)
		near(t, "swapped everything", apply(random(s, block, true)), shifted, 1e-4)
	}
	a, err := random(s, 0, false).Answers(t.Context(), be, m, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(a.Answers, a.Base) {
		t.Errorf("an empty mask changed answers: %v, were %v", a.Answers, a.Base)
	}
}

// With the identity as its rotation an intervention is a plain interchange of chosen components.
func TestIdentity(t *testing.T) {
	be, m := fixture.Go(t), lively(t, small, 1)
	s := streams(t, be, m)
	const block = 0
	D, T := m.Config.Width, m.Config.Tokens()
	v := random(s, block, false)
	clear(v.Rotation)
	for i := range D {
		v.Rotation[i*D+i] = 1
		v.Mask[i] = float32(1 - i%3) // 1, 0, -1: only the first is swapped
	}
	stream, _ := s.Base(block)
	cf, _ := s.Sources(block)
	plain, err := tensor(all(s.Pairs.Len()), stream.Shape[1:], func(pair int, row []float32) {
		copy(row, stream.Row(pair))
		source := s.source(cf, pair, NoControl)
		for k, token := range s.Edited()[pair*s.P : (pair+1)*s.P] {
			for i := 0; i < D; i += 3 {
				row[int(token)*D+i] = source[k*D+i]
			}
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	p, err := vit.Compile(be, m.Config, func(w *vit.Weights[*Node], in []*Node) []*Node {
		y, _ := vit.ForwardFrom(m.Config, w, block, in[0])
		return []*Node{y}
	})
	if err != nil {
		t.Fatal(err)
	}
	defer p.Close()
	out, err := p.Run(m, plain)
	if err != nil {
		t.Fatal(err)
	}
	flat := tensors.MustCopyFlatData[float32](out[0])
	var want [][]float32
	for row := range slices.Chunk(flat, 2) {
		want = append(want, row)
	}
	got, err := v.Apply(t.Context(), be, m, s, Swap{K: s.P, Tokens: s.Edited(), Source: func(pair int, row []float32) { copy(row, s.source(cf, pair, NoControl)) }}, nil)
	if err != nil {
		t.Fatal(err)
	}
	near(t, fmt.Sprintf("identity of %d tokens", T), got, want, 1e-5)
}

// After the last block of a model whose head reads CLS no intervention changes an answer:
// its accuracy is 1 - base accuracy, to the last digit.
func TestLastBlock(t *testing.T) {
	be, m := fixture.Go(t), lively(t, small, 1)
	last := m.Config.Blocks - 1
	if !Derived(m.Config, last) || Derived(m.Config, last-1) {
		t.Fatal("derived is the last block alone")
	}
	dir, pairs := t.TempDir(), pairsOf(t, course, stimuli.ShapeProperty, 16)
	if err := Keep(t.Context(), be, m, pairs, []int{0, 1, 2}, dir, nil); err != nil {
		t.Fatal(err)
	}
	s, err := Open(dir, m.Config, pairs)
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	derived, err := random(s, last, true).Answers(t.Context(), be, m, s, nil)
	if err != nil {
		t.Fatal(err)
	}
	cf, err := s.Sources(last)
	if err != nil {
		t.Fatal(err)
	}
	computed, err := random(s, last, true).Apply(t.Context(), be, m, s, Swap{K: s.P, Tokens: s.Edited(),
		Source: func(pair int, row []float32) { copy(row, s.source(cf, pair, NoControl)) }}, nil)
	if err != nil {
		t.Fatal(err)
	}
	near(t, "after the last block", computed, logits(t, be, m, pairs.Base()), 1e-5)
	from, novel := objectsOf(t, be, m, course, stimuli.ShapeProperty, 12), some(s, last)
	for _, method := range []Method{Whole, PCA, Means, Probe} {
		v, err := Baseline(t.Context(), s, Search{Block: last, Method: method, Rank: 3})
		if err != nil {
			t.Fatal(err)
		}
		a, err := v.Answers(t.Context(), be, m, s, nil)
		if err != nil || !a.Derived || a.Score() != derived.Score() {
			t.Errorf("%s: %+v, %v, expected %+v", method, a.Score(), err, derived.Score())
		}
	}
	for _, novelty := range Novelties {
		a, err := novel.NovelAnswers(t.Context(), be, m, s, from, Novel{Novelty: novelty}, nil)
		if err != nil || !a.Derived || a.Score() != derived.Score() {
			t.Errorf("%s: %+v, %v, expected %+v", novelty, a.Score(), err, derived.Score())
		}
	}
	if got, base := derived.Score(), derived.BaseScore(); !derived.Derived || got.Correct != base.N-base.Correct || got.N != 16 || base.Correct == 0 || got.Correct == 0 {
		t.Errorf("%d of %d, the base %d: expected the rest, of a model that is right and wrong", got.Correct, got.N, base.Correct)
	}
	dino := small
	dino.Family = vit.DINOv2
	if Derived(dino, last) {
		t.Error("DINOv2's head reads all patches: its last block is none to derive")
	}
}

// childDir, when set, makes the test binary a process that searches in that folder and halts at its 25th step.
const childDir = "DAS_TEST_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(childDir); dir != "" {
		if _, err := killable(halt.In(context.Background(), 25, halted(dir)), dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func halted(dir string) string { return filepath.Join(dir, "halted") }

// killable is a search in streams that lie in a folder, which writes a checkpoint as often as it can.
func killable(ctx context.Context, dir string) (*Intervention, error) {
	be, err := backend.Open(backend.Go)
	if err != nil {
		return nil, err
	}
	m, err := vit.New(small, 1)
	if err != nil {
		return nil, err
	}
	pairs, err := stimuli.OpenCounterfactuals(stimuli.CounterfactualConfig{Set: course, Property: stimuli.ColorProperty, Size: 16})
	if err != nil {
		return nil, err
	}
	s, err := Open(dir, m.Config, pairs)
	if err != nil {
		return nil, err
	}
	defer s.Close()
	q := Search{Block: 1, Recipe: brief, Seed: 1}
	q.Recipe.Steps = 150
	return Train(ctx, be, m, s, q, Options{Dir: filepath.Join(dir, "work"), Every: time.Nanosecond})
}

// A search that is killed again and again, with shuffles that are drawn anew in every epoch and a
// temperature that falls, ends with the bits of one that was left alone.
func TestKills(t *testing.T) {
	folder := func() string {
		dir := t.TempDir()
		m := fixture.Model(t, small, 1)
		if err := Keep(t.Context(), fixture.Go(t), m, pairsOf(t, course, stimuli.ColorProperty, 16), []int{1}, dir, nil); err != nil {
			t.Fatal(err)
		}
		return dir
	}
	want, err := killable(t.Context(), folder())
	if err != nil {
		t.Fatal(err)
	}
	dir := folder()
	const kills = 4
	for range kills { // of 150 steps, each of these goes on from a checkpoint of one of the last ten
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childDir+"="+dir)
		halt.Kill(t, child, halted(dir))
		if names := checkpoints(t, dir); len(names) == 0 {
			t.Fatal("killed in the middle of a search, it has left no checkpoint")
		}
	}
	got, err := killable(t.Context(), dir)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(got.Rotation, want.Rotation) || !slices.Equal(got.Mask, want.Mask) {
		t.Errorf("after %d kills the search ended with %v, without with %v", kills, got.History[len(got.History)-1], want.History[len(want.History)-1])
	}
}

func checkpoints(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "work", "*"))
	if err != nil {
		t.Fatal(err)
	}
	return names
}
