package vit

import (
	"slices"
	"strings"
	"testing"
)

func TestMatchNodes(t *testing.T) {
	c := CourseQuick
	for _, test := range []struct{ patterns, want []string }{
		{[]string{"logits", "embed"}, []string{"embed", "logits"}}, // in the order of the computation
		{[]string{"block*/resid_post", "block01/*_post"}, []string{"block00/resid_post", "block01/resid_post", "block02/resid_post", "block03/resid_post"}},
		{nil, []string{}},
	} {
		if got, err := c.MatchNodes(test.patterns...); err != nil || !slices.Equal(got, test.want) {
			t.Errorf("%v match %v (%v), expected %v", test.patterns, got, err, test.want)
		}
	}
	if all, err := c.MatchNodes("*", "*/*", "*/*/*"); err != nil || !slices.Equal(all, c.Nodes()) {
		t.Errorf("all patterns match %v (%v)", all, err)
	}
	for _, bad := range []string{"block04/resid_post", "resid_post", "[", ""} {
		if got, err := c.MatchNodes("embed", bad); err == nil || !strings.Contains(err.Error(), `"`+bad+`" in a model of 4 blocks: expected embed, block00/* ... block03/* with one of [resid_pre`) {
			t.Errorf("%q matches %v (%v)", bad, got, err)
		}
	}
}
