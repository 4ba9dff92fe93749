package study_test

import (
	"context"
	"fmt"
	"log"
	"os"

	"samediff/sdlib/finetune"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// Confidence is an analysis of one's own: how far apart a model's two logits are, on average.
var Confidence = study.Analysis[struct{}, float64]{
	Name: "confidence", Version: 1,
	Compute: func(ctx context.Context, on study.On, _ struct{}) (float64, error) {
		logits, err := finetune.Predict(ctx, on.Backend, on.Model.Model, on.Set, finetune.Condition{}, on.Report)
		sum := 0.0
		for _, row := range logits {
			sum += max(float64(row[1]-row[0]), float64(row[0]-row[1])) / float64(len(logits))
		}
		return sum, err
	},
}

// A new analysis is a variable and a function. It is computed once for each model, set and
// value of its parameters, found again in the store by all, and a job of plans.
func ExampleAnalysis() {
	ctx := context.Background()
	store, err := os.MkdirTemp("", "example")
	check(err)
	defer os.RemoveAll(store)
	lab, err := study.Open(study.Options{Store: store})
	check(err)
	m, _, err := lab.CourseModel("discrimination-256-quick")
	check(err)
	set, err := stimuli.Open(stimuli.Config{Geometry: stimuli.CourseQuick, Split: stimuli.Test, Size: 64, Seed: 1})
	check(err)

	apart, err := Confidence.Of(ctx, lab, m, set, struct{}{}) // computed
	check(err)
	again, err := Confidence.Of(ctx, lab, m, set, struct{}{}) // read
	check(err)
	fmt.Println(apart > 5, again == apart)

	job := Confidence.Job(study.Subject{Name: "discrimination-256-quick"}, "on 64 images", set, struct{}{})
	survey, err := lab.Survey(ctx, []study.Job{job})
	check(err)
	fmt.Println(survey[0].Job, "is", survey[0].State)
	// Output:
	// true true
	// confidence discrimination-256-quick: on 64 images is done
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
