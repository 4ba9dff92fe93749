package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"samediff/sdlib/vit"
)

// testdata are tiny models that transformers wrote.
const testdata = "../../sdlib/vit/testdata"

func TestModelShow(t *testing.T) {
	t.Setenv("SD_STORE", t.TempDir())
	registers := filepath.Join(testdata, "registers")
	out := sd("model", "show", registers).want(t, exitOK).out
	for _, part := range []string{
		"family         dinov2_with_registers (Dinov2WithRegistersForImageClassification of transformers)",
		"24 x 24 pixels", "mean [0.485 0.456 0.406], std [0.229 0.224 0.225]", "a grid of 3 x 3", "13: 9 patches, in front CLS, 3 registers",
		"learned on a grid of 4 x 4", "2, of 3 heads of 8 components and an MLP of 48 with gelu; LayerScale", "2 classes (different, same), reads CLS, mean patch",
		"layer.{0..1}.mlp.fc1.weight", "2 x [48, 24]",
	} {
		if !strings.Contains(out, part) {
			t.Errorf("show lacks %q:\n%s", part, out)
		}
	}
	if all := sd("model", "show", registers, "--all").want(t, exitOK).out; !strings.Contains(all, "layer.1.mlp.fc1.weight ") || strings.Contains(all, "{0..1}") {
		t.Errorf("--all prints\n%s", all)
	}

	d := decode[description](t, sd("model", "show", registers, "--json").want(t, exitOK))
	sum, share := 0, 0.
	for _, p := range d.Parameters {
		sum, share = sum+p.Count, share+p.Share
	}
	if sum != d.Total || sum != 15122 || share < .999 || share > 1.001 { // counted by transformers, mask_token left out
		t.Errorf("%d parameters (%g of all), the total is %d", sum, share, d.Total)
	}
	if d.Family != "dinov2_with_registers" || d.Config.Registers != 3 || d.Tokens != 13 || d.Prefix != 4 || d.Grid != 3 || d.HeadDim != 8 || !d.HasHead ||
		!d.Traits.LayerScale || len(d.Files) != 1 || d.Files[0].Name != "model.safetensors" {
		t.Errorf("--json prints %+v", d)
	}

	// A whole CLIP has a text tower and no head of its own; the new one is not shown.
	d = decode[description](t, sd("model", "show", filepath.Join(testdata, "clip-whole"), "--json").want(t, exitOK))
	for _, p := range d.Parameters {
		if strings.Contains(p.Name, "visual_projection") {
			t.Errorf("the backbone shows %s", p.Name)
		}
	}
	if d.HasHead || d.Family != "clip" {
		t.Errorf("a whole CLIP shows as %+v", d)
	}
	if d = decode[description](t, sd("model", "show", "scratch-b32", "--json").want(t, exitOK)); d.Total != 87_456_770 || d.Source != "random weights of seed 1" || d.Folder != "" {
		t.Errorf("scratch-b32 has %d parameters, %q", d.Total, d.Source) // 87,456,770: transformers (testdata/variants.json)
	}
}

// What a model does in another way than its family is shown.
func TestModelShowVariation(t *testing.T) {
	t.Setenv("SD_STORE", t.TempDir())
	c := vit.CourseQuick
	c.Image, c.Activation, c.NoQKVBias = 66, vit.ReLU, true
	m, err := vit.New(c, 1)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := m.Save(dir); err != nil {
		t.Fatal(err)
	}
	out := sd("model", "show", dir).want(t, exitOK).out
	for _, part := range []string{"a grid of 4 x 4; the last 2 rows and columns of pixels fill no patch and are not seen", "an MLP of 384 with relu; queries, keys and values without bias"} {
		if !strings.Contains(out, part) {
			t.Errorf("show lacks %q:\n%s", part, out)
		}
	}
}

// A model on the hub is read from the cache that Python uses too, and the network is not asked.
func TestModelOnHub(t *testing.T) {
	cache := t.TempDir()
	t.Setenv("SD_STORE", t.TempDir())
	t.Setenv("HF_HUB_CACHE", cache)
	t.Setenv("HF_ASSETS_CACHE", t.TempDir())
	t.Setenv("HF_HUB_OFFLINE", "1")
	const commit = "0123456789abcdef0123456789abcdef01234567"
	model := filepath.Join(cache, "models--owner--name")
	for _, err := range []error{
		os.MkdirAll(filepath.Join(model, "refs"), 0o755),
		os.WriteFile(filepath.Join(model, "refs", "main"), []byte(commit), 0o644),
		os.CopyFS(filepath.Join(model, "snapshots", commit), os.DirFS(filepath.Join(testdata, "deit"))),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, source := range map[string]string{"owner/name": "owner/name@main", "owner/name@" + commit: "owner/name@" + commit} {
		d := decode[description](t, sd("model", "show", name, "--json").want(t, exitOK))
		if d.Source != source || d.Family != "deit" || filepath.Base(d.Folder) != commit {
			t.Errorf("%s shows %q, %s in %s", name, d.Source, d.Family, d.Folder)
		}
	}
	sd("model", "show", "owner/name@v2").want(t, exitFailure).says(t, "lacks revision v2 of owner/name@v2", "without HF_HUB_OFFLINE")
	sd("model", "show", "clip-b16").want(t, exitFailure).says(t, "openai/clip-vit-base-patch16@57c216476eefef5ab752ec549e440a49ae4ae5f3", "without HF_HUB_OFFLINE")
	sd("model", "show", "nowhere").want(t, exitFailure).says(t, `no model "nowhere"`, "course, ", "owner/name")
	sd("model", "show", t.TempDir()).want(t, exitFailure).says(t, "no model", "a folder with config.json")
	sd("model", "show").want(t, exitUsage).says(t, "accepts 1 arg(s)")
}
