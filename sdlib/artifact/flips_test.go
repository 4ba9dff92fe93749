package artifact

import (
	"context"
	"reflect"
	"strings"
	"testing"
	"time"

	"samediff/sdlib/internal/flips"
)

// Of 100 bits that are flipped in an artifact, small or large, each is noticed by the next process that reads it, and the artifact
// computed again; or all that is read of it is the same, but for when, where and how fast it was computed.
func TestFlips(t *testing.T) {
	for name, model := range map[string]string{"small": "weights", "large": strings.Repeat("weights", smallPayload/7+1)} {
		t.Run(name, func(t *testing.T) {
			s, key := open(t), Key{Step: "train", Params: map[string]int{"seed": 1}}
			noticed := 0
			compute := func(ctx context.Context, dir string) error {
				noticed++
				return write("model", model, "logs/run", "{}")(ctx, dir)
			}
			a := get(t, s, key, compute)
			noticed = 0
			n := 100
			if name == "large" {
				n = flips.OrFewer(15) // hashing takes its time
			}
			flips.Each(t, n, []string{a.Path("model"), a.Path("logs/run"), a.Path(metaName)}, func(which string) {
				checked.Delete(a.Dir) // as in another process
				before := noticed
				b := get(t, s, key, compute)
				if content(t, b.Path("model")) != model || content(t, b.Path("logs/run")) != "{}" {
					t.Errorf("not noticed: %s", which)
				}
				was, is := a.Meta, b.Meta
				for _, m := range []*Meta{&was, &is} {
					m.Created, m.Seconds, m.Resumed, m.Module, m.Program, m.Go, m.System, m.CPUs, m.Machine = time.Time{}, 0, false, "", "", "", "", 0, ""
					if len(m.Inputs) == 0 {
						m.Inputs = nil // an empty list whose name was spoiled says no less
					}
				}
				if noticed == before && !reflect.DeepEqual(was, is) {
					t.Errorf("not noticed: %s: %+v, was %+v", which, is, was)
				}
			})
			t.Logf("%d of %d noticed", noticed, n)
			if noticed < 3*n/4 {
				t.Errorf("%d of %d noticed: expected three quarters or more", noticed, n)
			}
		})
	}
}
