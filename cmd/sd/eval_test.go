package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"samediff/sdlib/artifact"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
	"samediff/sdlib/vit"
)

// evaluated is what eval --json prints.
type evaluated struct {
	Model artifact.ID
	Sets  []study.SetResult
}

// testEvalTrained evaluates a model of the store by the first digits of its ID.
func testEvalTrained(t *testing.T, store string, m trained) {
	args := []string{"eval", string(m.ID[:6]), "--images", "16", "--backend", "go", "--store", store}
	table := sd(args...).want(t, exitOK)
	for _, set := range []string{"train", "test (IID)", "OOD shape", "OOD color", "OOD shape-color"} {
		if !strings.Contains(table.out, "\n"+set) {
			t.Errorf("the table lacks %s:\n%s", set, table.out)
		}
	}
	r := sd(append(args, "--json")...).want(t, exitOK)
	if r.errors != "" {
		t.Errorf("a second evaluation computes:\n%s", r.errors)
	}
	got := decode[evaluated](t, r)
	if got.Model != m.ID || len(got.Sets) != 5 || got.Sets[0].All.N != 128 || got.Sets[1].All.N != 16 {
		t.Errorf("--json prints %+v, want five sets of model %s: 128 images, then 16", got, m.ID.Short())
	}
}

// folder writes a model with random weights, small enough to compile at once.
func folder(t *testing.T) string {
	t.Helper()
	c := vit.CourseQuick
	c.Width, c.Blocks, c.Heads, c.MLP = 8, 1, 2, 16
	m, err := vit.New(c, 1)
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "model")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := m.Save(dir); err != nil {
		t.Fatal(err)
	}
	return dir
}

// A folder does not say what its model learned: what is supposed is said, unless --task names it.
func TestEvalSupposes(t *testing.T) {
	args := []string{"eval", folder(t), "--images", "8", "--only", "test (IID)", "--json", "--backend", "go", "--store", t.TempDir()}
	const supposes = "does not say which task it learned: it is asked about discrimination; --task"
	if r := sd(args...).want(t, exitOK); !strings.Contains(r.errors, supposes) {
		t.Errorf("without --task it says %q", r.errors)
	}
	r := sd(append(args, "--task", "rmts")...).want(t, exitOK)
	if got := decode[evaluated](t, r); len(got.Sets) != 1 || got.Sets[0].Stimuli.Task != stimuli.RMTS || strings.Contains(r.errors, supposes) {
		t.Errorf("with --task rmts it is asked about %+v and says %q", got.Sets, r.errors)
	}
}

func TestEvalFolder(t *testing.T) {
	r := sd("eval", folder(t), "--images", "8", "--json", "--quiet", "--backend", "go", "--store", t.TempDir()).want(t, exitOK)
	if r.errors != "" {
		t.Errorf("--quiet lets through:\n%s", r.errors)
	}
	if got := decode[evaluated](t, r); len(got.Sets) != 5 || got.Sets[4].All.N != 8 {
		t.Errorf("got %+v, want five sets, the last of 8 images", got)
	}
	r = sd("eval", folder(t), "--images", "8", "--only", "test (IID),OOD color", "--json", "--quiet", "--backend", "go", "--store", t.TempDir()).want(t, exitOK)
	if got := decode[evaluated](t, r); len(got.Sets) != 2 || got.Sets[0].Name != "test (IID)" || got.Sets[1].Name != "OOD color" {
		t.Errorf("got %+v, want the two sets that --only names", got)
	}
	sd("eval", folder(t), "--only", "iid", "--store", t.TempDir()).want(t, exitUsage).says(t, `no set is called "iid"`, "test (IID)")
	sd("eval", folder(t), "--vary", "--only", "train", "--store", t.TempDir()).want(t, exitUsage).says(t, "--vary asks about sets of its own")
}

func TestDamagedModel(t *testing.T) {
	store := t.TempDir()
	dir := folder(t)
	file := filepath.Join(dir, "model.safetensors")
	if err := os.Truncate(file, 3000); err != nil {
		t.Fatal(err)
	}
	sd("eval", dir, "--store", store).want(t, exitFailure).says(t, file, "damaged, incomplete or no safetensors file")

	dir = folder(t)
	config := filepath.Join(dir, "config.json")
	text := strings.Replace(string(read(t, dir, "config.json")), `"num_attention_heads": 2`, `"num_attention_heads": 3`, 1)
	if err := os.WriteFile(config, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	sd("eval", dir, "--store", store).want(t, exitFailure).says(t, config, "3 heads")

	sd("eval", "nowhere", "--store", store).want(t, exitFailure).says(t, `no model "nowhere"`, "(quick, course, rmts, clip-b16-112, clip-b16-112-32, clip-b16-112-rmts, clip-b16-112-rmts-32, clip-b16-112-rmts-direct, clip-b16-minutes, dinov2-s-saliency-112, dinov2-s-saliency-112-rmts, course-scratch, course-supervised, course-contrastive, course-masked, course-distilled, or one of clip-b16, clip-b32, ", "sd store ls", "config.json")
}
