package artifact

import (
	"context"
	"errors"
	"math"
	"reflect"
	"strings"
	"testing"
)

type scores struct {
	Accuracy float64
	Heads    []float32
	private  int
}

func TestValue(t *testing.T) {
	s, ctx, key, computed := open(t), context.Background(), Key{Step: "scores"}, 0
	var results []scores
	for range 2 {
		v, err := Value(ctx, s, key, func(context.Context) (scores, error) {
			computed++
			return scores{Accuracy: 1.0 / 3, Heads: []float32{.1, .2}, private: 7}, nil
		})
		if err != nil {
			t.Fatal(err)
		}
		results = append(results, v)
	}
	if computed != 1 || !reflect.DeepEqual(results[0], results[1]) || !reflect.DeepEqual(results[0], scores{Accuracy: 1.0 / 3, Heads: []float32{.1, .2}}) {
		t.Errorf("computed %d times: %+v", computed, results)
	}
	_, err := Value(ctx, s, key, func(context.Context) (struct{ Accuracy float64 }, error) { panic("the store has it") })
	if err == nil || !strings.Contains(err.Error(), "raise the Version in its Key, now 0") {
		t.Errorf("reading another type gave %v", err)
	}
}

func TestValueFails(t *testing.T) {
	s, ctx, stop := open(t), context.Background(), errors.New("stop")
	if _, err := Value(ctx, s, Key{Step: "a"}, func(context.Context) (int, error) { return 1, stop }); !errors.Is(err, stop) {
		t.Errorf("Value gave %v, want the error of the computation", err)
	}
	if _, err := Value(ctx, s, Key{Step: "b"}, func(context.Context) (float64, error) { return math.NaN(), nil }); err == nil || !strings.Contains(err.Error(), "NaN") {
		t.Errorf("Value of NaN gave %v", err)
	}
	get(t, s, Key{Step: "c"}, write("model", "weights"))
	if _, err := Value(ctx, s, Key{Step: "c"}, func(context.Context) (int, error) { return 1, nil }); err == nil || !strings.Contains(err.Error(), "was not stored by Value") {
		t.Errorf("Value of an artifact of files gave %v", err)
	}
}
