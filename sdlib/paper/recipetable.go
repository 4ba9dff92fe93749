package paper

import (
	"fmt"
	"strconv"
	"strings"

	"samediff/sdlib/figure"
	"samediff/sdlib/finetune"
)

// A NamedRecipe is a column of [RecipeTable].
type NamedRecipe struct {
	Name   string
	Images int // of the training set
	Recipe finetune.Recipe
}

// RecipeTable puts recipes side by side: how models are trained (paper, section 2), a
// setting in each row.
func RecipeTable(recipes ...NamedRecipe) figure.Table {
	t := figure.Table{Title: "Recipes", Columns: []string{""}}
	for _, r := range recipes {
		t.Columns = append(t.Columns, r.Name)
	}
	for _, row := range []struct {
		name string
		of   func(NamedRecipe) string
	}{
		{"images", func(r NamedRecipe) string { return strconv.Itoa(r.Images) }},
		{"epochs", func(r NamedRecipe) string { return strconv.Itoa(r.Recipe.Epochs) }},
		{"new images each epoch", func(r NamedRecipe) string { return yes(r.Recipe.Fresh) }},
		{"images per step", func(r NamedRecipe) string { return strconv.Itoa(r.Recipe.Batch) }},
		{"steps", func(r NamedRecipe) string { return strconv.Itoa(r.Recipe.Epochs * (r.Images / r.Recipe.Batch)) }},
		{"learning rate", func(r NamedRecipe) string { return decimal(r.Recipe.LR) }},
		{"schedule", func(r NamedRecipe) string { return string(r.Recipe.Schedule) }},
		{"warm-up steps", func(r NamedRecipe) string { return strconv.Itoa(r.Recipe.Warmup) }},
		{"weight decay", func(r NamedRecipe) string { return decimal(r.Recipe.WeightDecay) }},
		{"disentanglement loss", func(r NamedRecipe) string { return after(r.Recipe.Disentangle.Weight, r.Recipe.Disentangle.After) }},
		{"relation loss", func(r NamedRecipe) string { return after(r.Recipe.Relation.Weight, r.Recipe.Relation.After) }},
	} {
		cells := []any{row.name}
		for _, r := range recipes {
			cells = append(cells, row.of(r))
		}
		t.Add(cells...)
	}
	return t
}

// decimal writes 1e-6 as the paper does.
func decimal(x float64) string {
	return strings.Replace(strconv.FormatFloat(x, 'g', -1, 64), "e-0", "e-", 1)
}

// after says where a loss reads, and its weight where that is not 1.
func after(weight float64, block int) string {
	switch weight {
	case 0:
		return "–"
	case 1:
		return fmt.Sprintf("after block %d", block)
	}
	return fmt.Sprintf("after block %d, × %g", block, weight)
}
