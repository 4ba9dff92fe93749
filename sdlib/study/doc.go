// Package study ties the steps of an experiment to a store of results, so that each
// is computed once and asked for as often as one likes.
//
//	lab, err := study.Open(study.Options{})
//	m, err := lab.Train(ctx, study.Quick)        // minutes the first time, then a read
//	b, err := lab.Evaluate(ctx, m)               // accuracy on every set
//	s, err := lab.Heads(ctx, m)                  // local and global attention heads
//
// A notebook cell is a new process, so a cell simply asks again for what an earlier one
// made; so do the command line and jobs on other machines that share the store.
//
// # Analyses
//
// What can be asked of a model is a value, an [Analysis]: a name, a version, and a function of
// a model, a set of images and parameters. [Accuracy] and [HeadScores] are two. A set is
// drawn ([stimuli.Open]) or a folder of images ([ImportSet]); every analysis takes either:
//
//	set, err := study.ImportSet("my-images", m.Config)
//	r, err := lab.EvaluateOn(ctx, m, "mine", set)
//
// A new analysis is a variable of a few lines, see the example of Analysis.
//
// [Analysis.During] asks it of a model at steps of its training, which is run again for that and
// stays what it is; [Lab.Dynamics] asks for head scores and answers:
//
//	d, err := lab.Dynamics(ctx, study.Quick, []int{0, 100, 400, 1800}, study.PaperSample)
//
// # What a result depends on
//
// The key of a result holds the analysis's name and version, its parameters, the set (of a
// folder of images the hash of its content), and the hash of the model's weights. So equal
// weights share their results wherever they lie, and a model that was trained again, on
// another machine with other rounding, has results of its own. A training's key holds the
// whole [Training]. The backend is not part of a key: backends agree up to rounding, and
// each result's meta.json says which one made it.
//
// # What a model learned
//
// Analyses ask a model about stimuli of the kind that it learned. A training knows them, and so does a folder with metrics.json, as
// those of the course. Weights of others do not say: then it is a set of the geometry that fits their images and
// patches, of the task in [Options].Task, or else of discrimination, of which Options.Notify hears. [Model.Assume] says it of one model.
//
// # Plans
//
// A figure or a table needs many results. Each is a [Job], an analysis of a model that may
// have to be trained first. [Lab.Survey] says which are done and estimates the rest, and
// [Lab.Work] computes what is missing, together with any number of other processes:
//
//	jobs, err := lab.AccuracyJobs(ctx, study.Trained("mine", t))
//	err = lab.Work(ctx, jobs)
//
// # Analogues
//
// A [Pretraining] makes a small model that saw pictures before it learns a task, an analogue of the paper's pretrained models;
// [Analogues] has one for each objective of package pretrain. A Training may name one to start from:
//
//	a, err := lab.Pretrain(ctx, study.Analogues[pretrain.Contrastive])
//	m, err := lab.Train(ctx, study.AnalogueTraining(pretrain.Contrastive, stimuli.Discrimination, stimuli.Compositional32))
//
// # Presets
//
// [Quick] and [Course] are discrimination models that two CPU cores train in minutes, [ClipMinutes]
// is the real CLIP, which they fine-tune in minutes too; [Presets] has the paper's by name, such as
// "clip-b16-rmts-32". Change a field and you have another
// experiment with a key of its own:
//
//	t := study.Quick
//	t.Recipe.Disentangle.Weight = 0 // without the auxiliary loss (paper, section 7)
package study
