package main

import (
	"bytes"
	"runtime"
	"strings"
	"testing"
)

func TestVersion(t *testing.T) {
	var out, errs bytes.Buffer
	if status := run(t.Context(), []string{"--version"}, &out, &errs); status != exitOK || errs.Len() > 0 {
		t.Errorf("status %d, %s", status, &errs)
	}
	if got := out.String(); !strings.HasPrefix(got, "sd version ") || !strings.Contains(got, runtime.Version()) {
		t.Errorf("printed %q, want sd's version and Go's", got)
	}
}
