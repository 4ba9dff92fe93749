package paper

import (
	"fmt"
	"slices"
	"strings"

	"samediff/sdlib/figure"
	"samediff/sdlib/vit"
)

// CheckpointTable lists the models that the paper starts from (section 2), as the
// registry [vit.Checkpoints] has them, with two answers each.
func CheckpointTable() figure.Table {
	t := figure.Table{Title: "Checkpoints", Columns: []string{
		"name", "hub", "learned from", "family", "patch", "tokens", "parameters", "mean of R, G, B", "standard deviation"}}
	for _, c := range vit.Checkpoints {
		from := c.Repo
		if from == "" {
			from = "random weights"
		}
		t.Add(c.Name, from, c.Training, c.Config.Family, c.Config.Patch, c.Config.Tokens(), millions(c.Config), channels(c.Config.Mean), channels(c.Config.Std))
	}
	return t
}

// FamilyTable puts the families side by side: what each does in its own way, a trait
// in each row.
func FamilyTable() figure.Table {
	t := figure.Table{Title: "What sets the families apart", Columns: []string{""}}
	for _, f := range vit.Families {
		t.Columns = append(t.Columns, f.String())
	}
	for _, row := range []struct {
		name string
		of   func(vit.Traits) any
	}{
		{"tokens in front", func(f vit.Traits) any { return prefix(f) }},
		{"head reads", func(f vit.Traits) any { return f.Readout }},
		{"bias of the head", func(f vit.Traits) any { return yes(f.HeadBias) }},
		{"bias of the patches", func(f vit.Traits) any { return yes(f.PatchBias) }},
		{"norm before block 0", func(f vit.Traits) any { return yes(f.PreNorm) }},
		{"activation", func(f vit.Traits) any { return f.Activation }},
		{"LayerScale", func(f vit.Traits) any { return yes(f.LayerScale) }},
		{"positions resampled", func(f vit.Traits) any {
			if f.Antialias {
				return "bicubic, antialiased"
			}
			return "bicubic"
		}},
		{"ε of LayerNorm", func(f vit.Traits) any { return decimal(f.NormEps) }},
	} {
		cells := []any{row.name}
		for _, f := range vit.Families {
			cells = append(cells, row.of(f.Traits()))
		}
		t.Add(cells...)
	}
	return t
}

// VariantTable lists all geometries that have a name, smallest model first, with two
// answers each.
func VariantTable() figure.Table {
	t := figure.Table{Title: "Variants", Columns: []string{
		"variant", "family", "image", "patch", "tokens", "width", "blocks", "heads", "parameters"}}
	names := vit.Variants()
	slices.SortStableFunc(names, func(a, b string) int { return variant(a).Params() - variant(b).Params() })
	for _, name := range names {
		c := variant(name)
		t.Add(name, c.Family, c.Image, c.Patch, c.Tokens(), c.Width, c.Blocks, c.Heads, millions(c))
	}
	return t
}

// variant returns a geometry whose name comes from vit.Variants.
func variant(name string) vit.Config {
	c, err := vit.Variant(name)
	if err != nil {
		panic(err)
	}
	return c
}

// prefix names the tokens in front of the patches.
func prefix(f vit.Traits) string {
	var names []string
	for _, token := range []struct {
		there bool
		name  string
	}{{f.CLS, "CLS"}, {f.Distill, "distillation"}, {f.Registers, "registers"}} {
		if token.there {
			names = append(names, token.name)
		}
	}
	if names == nil {
		return "none"
	}
	return strings.Join(names, ", ")
}

func millions(c vit.Config) string { return fmt.Sprintf("%.1f M", float64(c.Params())/1e6) }

func channels(x [3]float64) string { return fmt.Sprintf("%.3f, %.3f, %.3f", x[0], x[1], x[2]) }

func yes(there bool) string {
	if there {
		return "yes"
	}
	return "–"
}
