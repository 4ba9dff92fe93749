package shell

import (
	"os/exec"
	"testing"
)

func TestQuote(t *testing.T) {
	for _, word := range []string{"plain", "", "it's", "$(rm x)", "a b", `"`, "*"} {
		out, err := exec.Command("bash", "-c", "printf %s "+Quote(word)).Output()
		if err != nil || string(out) != word {
			t.Errorf("the shell reads %s as %q, %v; want %q", Quote(word), out, err, word)
		}
	}
	if got := Quote("models/my-vit"); got != "models/my-vit" {
		t.Errorf("a path became %s", got)
	}
}
