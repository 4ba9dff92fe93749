package paper

import "testing"

// What is not here is made by a command that works as it stands: a model first, where there is none, and its controls in a file of their own.
func TestMissingCommands(t *testing.T) {
	r := &Results{root: t.TempDir(), read: map[string]any{}} // where nothing comes along
	for _, test := range []struct{ got, want string }{
		{alignment.makes(r, "rmts-256-dinov2-s-saliency"), "sd model build rmts-256-dinov2-s-saliency && sd das rmts-256-dinov2-s-saliency --control none,wrong-object --csv models/das-rmts-256-dinov2-s-saliency.csv"},
		{controls.makes(r, "course-masked"), "sd das course-masked --control wrong-object --csv models/das-course-masked-wrong-object.csv"}, // a preset
		{headScores.makes(r, "rmts-256-dinov2-s-saliency"), "sd model build rmts-256-dinov2-s-saliency"},
		{accuracy.makes(r, "rmts-256-dinov2-s-saliency"), "sd model build rmts-256-dinov2-s-saliency"},
	} {
		if test.got != test.want {
			t.Errorf("the command is %s, expected %s", test.got, test.want)
		}
	}
	here, err := OpenResults()
	if err != nil {
		t.Fatal(err)
	}
	for model, want := range map[string]bool{"rmts-256-dinov2-s-saliency": true, "rmts-256-course-plain": true, "rmts-256-course": false, "course-masked": false} {
		if here.atChance(model) != want {
			t.Errorf("%s is at chance: %t, expected %t", model, !want, want)
		}
	}
	if got, want := lacking([]string{controls.what + "a", "another", controls.what + "b"}), "wrong-object searches in a, b; another"; got != want {
		t.Errorf("missing is %q, expected %q", got, want)
	}
}
