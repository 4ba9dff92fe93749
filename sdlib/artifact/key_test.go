package artifact

import (
	"math"
	"strings"
	"testing"
)

type recipe struct {
	Width  int     `json:"width"`
	Rate   float64 `json:"rate"`
	Seed   uint64  `json:"seed"`
	Extra  string  `json:"extra,omitempty"`
	secret int
}

func id(t *testing.T, k Key) ID {
	t.Helper()
	id, err := k.ID()
	if err != nil {
		t.Fatal(err)
	}
	return id
}

var someID = ID(strings.Repeat("0123456789abcdef", 4))

// The hash of {"inputs":["0123..."],"params":{"rate":0.0005,"seed":18446744073709551615,"width":96},"step":"train","version":2},
// by `printf '%s' '{...}' | sha256sum`. If this test fails, every store there is has lost its content: raise versions instead.
func TestIDIsStable(t *testing.T) {
	key := Key{Step: "train", Version: 2, Params: recipe{Width: 96, Rate: 5e-4, Seed: math.MaxUint64}, Inputs: []ID{someID}}
	text, err := key.canonical()
	if want := `{"inputs":["` + string(someID) + `"],"params":{"rate":0.0005,"seed":18446744073709551615,"width":96},"step":"train","version":2}`; err != nil || string(text) != want {
		t.Errorf("canonical JSON is\n%s, want\n%s (%v)", text, want, err)
	}
	if got, want := id(t, key), ID("91405398971e72869ef890812b56d57c3cb01ec430cb500cff3f10804d28cc97"); got != want {
		t.Errorf("ID is %s, want %s", got, want)
	}
}

func TestEqualKeys(t *testing.T) {
	params := recipe{Width: 96, Rate: 1, Seed: 3}
	want := id(t, Key{Step: "train", Params: params})
	type reordered struct {
		Seed  int     `json:"seed"`
		Rate  float32 `json:"rate"`
		Width uint8   `json:"width"`
	}
	params.secret = 7 // not part of JSON, so not of the key
	for name, key := range map[string]Key{
		"another field order":  {Step: "train", Params: reordered{3, 1, 96}},
		"a map":                {Step: "train", Params: map[string]any{"seed": 3, "width": 96, "rate": 1.0}},
		"a pointer":            {Step: "train", Params: &params},
		"an empty input list":  {Step: "train", Params: params, Inputs: []ID{}},
		"an unexported field":  {Step: "train", Params: params},
		"a zero omitted field": {Step: "train", Params: recipe{Width: 96, Rate: 1, Seed: 3, Extra: ""}},
	} {
		if got := id(t, key); got != want {
			t.Errorf("with %s the ID is %s, want %s", name, got.Short(), want.Short())
		}
	}
}

func TestDifferentKeys(t *testing.T) {
	other := ID(strings.Repeat("f", 64))
	seen := map[ID]int{}
	for i, key := range []Key{
		{Step: "train"},
		{Step: "Train"},
		{Step: "train", Version: 1},
		{Step: "train", Params: map[string]int{}},
		{Step: "train", Params: recipe{}},
		{Step: "train", Params: recipe{Seed: 1}},
		{Step: "train", Params: recipe{Seed: 1 << 60}},
		{Step: "train", Params: recipe{Seed: 1<<60 + 1}}, // equal as float64
		{Step: "train", Params: recipe{Extra: "x"}},
		{Step: "train", Params: []int{1, 2}},
		{Step: "train", Params: []int{2, 1}},
		{Step: "train", Params: "1"},
		{Step: "train", Params: 1},
		{Step: "train", Inputs: []ID{someID}},
		{Step: "train", Inputs: []ID{someID, other}},
		{Step: "train", Inputs: []ID{other, someID}},
	} {
		got := id(t, key)
		if before, ok := seen[got]; ok {
			t.Errorf("keys %d and %d have the same ID", before, i)
		}
		seen[got] = i
	}
}

func TestKeyRefuses(t *testing.T) {
	for _, test := range []struct {
		key  Key
		want string
	}{
		{Key{}, "needs the name of a step"},
		{Key{Step: "a\x1b[2J"}, "without control characters"},
		{Key{Step: "a", Params: math.NaN()}, "hold NaN, which JSON cannot express"},
		{Key{Step: "a", Params: recipe{Rate: math.Inf(1)}}, "hold +Inf, which JSON cannot express"},
		{Key{Step: "a", Params: map[string]any{"f": func() {}}}, "hold a func(), which is no data"},
		{Key{Step: "a", Inputs: []ID{"abc"}}, `input 0 is "abc", want 64 hexadecimal digits`},
		{Key{Step: "a", Inputs: []ID{ID(strings.ToUpper(string(someID)))}}, "want 64 hexadecimal digits"},
	} {
		if got, err := test.key.ID(); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("the ID of %+v is %q, %v, want an error with %q", test.key, got, err, test.want)
		}
	}
}
