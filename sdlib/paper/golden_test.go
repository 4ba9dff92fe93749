package paper_test

import (
	"testing"

	"samediff/sdlib/internal/goldenimage"
)

func TestGolden(t *testing.T) {
	goldenimage.Test(t, map[string]func(){
		"figure01.png":        ExampleFigure1,
		"figure01_course.png": ExampleFigure1_course,
		"figure02.png":        ExampleFigure2,
		"heads.png":           ExampleHeadFigure,
		"figure07.png":        ExampleFigure7,
		"figure08.png":        ExampleFigure8,
		"figure09.png":        ExampleFigure9,
		"figure23.png":        ExampleFigure23,
		"counterfactual.png":  ExampleCounterfactualPair,
		"gallery.png":         ExampleGallery,
		"combinations.png":    ExampleCombinationFigure,
		"patches.png":         ExamplePatchFigure,
		"training.png":        ExampleTrainingCurve,
		"contributions.png":   ExampleContributionFigure,
		"confusions.png":      ExampleConfusionFigure,
		"novel.png":           ExampleNovelFigure,
		"figure03a.png":       ExampleFigure3a,
		"figure04a.png":       ExampleFigure4a,
		"training_all.png":    ExampleTrainingCurve_auxiliary,
		"losses.png":          ExampleLossFigure,
		"disentangle.png":     ExampleDisentangleFigure,
		"pipeline.png":        ExamplePipelineFigure,
		"relation.png":        ExampleRelationFigure,
		"searches.png":        ExampleSearchFigure,
		"knockouts.png":       ExampleKnockOutFigure,
		"edges.png":           ExampleEdgeFigure,
		"interchange.png":     ExampleRecoveryFigure,
	})
}
