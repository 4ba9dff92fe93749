package paper_test

import (
	"fmt"
	"log"

	"samediff/sdlib/attribution"
	"samediff/sdlib/figure"
	"samediff/sdlib/finetune"
	"samediff/sdlib/paper"
)

func printTable(t figure.Table) {
	text, err := t.Text()
	if err != nil {
		log.Fatal(err)
	}
	fmt.Print(text)
}

// The paper's recipe beside that of the quick course model.
func ExampleRecipeTable() {
	printTable(paper.RecipeTable(
		paper.NamedRecipe{Name: "paper", Images: 6400, Recipe: finetune.Paper},
		paper.NamedRecipe{Name: "quick", Images: 6400, Recipe: finetune.Quick},
	))
	// Output:
	// Recipes
	//
	//                        paper     quick
	// ---------------------  --------  -------------
	// images                 6400      6400
	// epochs                 200       18
	// new images each epoch  –         –
	// images per step        128       64
	// steps                  10000     1800
	// learning rate          1e-6      0.001
	// schedule               constant  cosine
	// warm-up steps          0         100
	// weight decay           0.01      0.01
	// disentanglement loss   –         after block 2
	// relation loss          –         –
}

func ExampleFamilyTable() {
	printTable(paper.FamilyTable())
	// Output:
	// What sets the families apart
	//
	//                      vit      deit               clip        siglip             dinov2           dinov2_with_registers
	// -------------------  -------  -----------------  ----------  -----------------  ---------------  ---------------------
	// tokens in front      CLS      CLS, distillation  CLS         none               CLS              CLS, registers
	// head reads           CLS      CLS                CLS         mean of patches    CLS, mean patch  CLS, mean patch
	// bias of the head     yes      yes                –           yes                yes              yes
	// bias of the patches  yes      yes                –           yes                yes              yes
	// norm before block 0  –        –                  yes         –                  –                –
	// activation           gelu     gelu               quick_gelu  gelu_pytorch_tanh  gelu             gelu
	// LayerScale           –        –                  –           –                  yes              yes
	// positions resampled  bicubic  bicubic            bicubic     bicubic            bicubic          bicubic, antialiased
	// ε of LayerNorm       1e-12    1e-12              1e-5        1e-6               1e-6             1e-6
}

// A made-up model of three blocks: head 1 of the last block says same, the MLP before it different.
func ExampleContributionFigure() {
	same := attribution.Contribution{Logit: 3.1, Embed: .1, Rest: -.2,
		Heads: [][]float64{{0, .1}, {.4, -.3}, {.6, 2.9}}, MLP: []float64{.1, -.9, .3}}
	different := attribution.Contribution{Logit: -4.2, Embed: .1, Rest: -.2,
		Heads: [][]float64{{0, .2}, {-.2, -.3}, {-.3, -1.9}}, MLP: []float64{0, -1.1, -.5}}
	f, err := paper.ContributionFigure(
		paper.ContributionPanel{Title: "A same image", Contribution: same},
		paper.ContributionPanel{Title: "A different image", Contribution: different},
	)
	save(f, err, "contributions.png")
}

// A made-up model that takes shapes and colors for those next to them in the list.
func ExampleConfusionFigure() {
	var c finetune.Confusions
	for i := range 16 {
		for j := i; j < 16; j++ {
			near := max(0, 5-2*(j-i))
			if i == j {
				near = i % 3
			}
			c.Shapes = append(c.Shapes, finetune.Confusion{First: i, Second: j, N: 10, Errors: near})
			c.Colors = append(c.Colors, finetune.Confusion{First: i, Second: j, N: 10, Errors: near * j / 20})
		}
	}
	f, err := paper.ConfusionFigure("Share of wrong answers", c)
	save(f, err, "confusions.png")
}
