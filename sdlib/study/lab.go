package study

import (
	"fmt"
	"sync"

	"samediff/sdlib/artifact"
	"samediff/sdlib/backend"
	"samediff/sdlib/delta"
	"samediff/sdlib/finetune"
	"samediff/sdlib/hub"
	"samediff/sdlib/pretrain"
	"samediff/sdlib/progress"
	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// Options say where a Lab keeps its results, on what it computes, and who hears of it.
// The zero value is the default store, the best backend, and silence.
type Options struct {
	Store    string        // folder of the store; "" is artifact.DefaultDir
	Backend  string        // as for backend.Open; "" is the best that works here
	Devices  int           // that a batch of a training is split over, all of one backend; 0 is 1
	Progress progress.Func // told how far long steps are
	Notify   func(string)  // told what happens on the way: waiting, damage found
	Hub      hub.Options   // where pretrained weights come from
	OnJob    func(Job)     // called when [Lab.Work] begins to compute a job, beside Notify
	// ReadOnly computes nothing: asking for what the store lacks is an error that wraps artifact.ErrNotFound.
	ReadOnly bool
	// Task is what models learned that do not say so, such as those of a folder without metrics.json; "" asks them about
	// discrimination, and Notify hears of it. For a model that says that it learned another one it is an error.
	Task stimuli.Task
	// OnEpoch is told all epochs of a training so far after each one, to plot them while it runs.
	OnEpoch func(history []finetune.Epoch)
	// OnPretrainEpoch is called so during a pretraining.
	OnPretrainEpoch func(history []pretrain.Epoch)
}

// A Lab is a store of results together with the backend that computes what is missing.
// The backend is opened at the first computation: reading results needs none.
type Lab struct {
	Store    *artifact.Store
	options  Options
	computes *backend.Backend
	bases    func(delta.Base) (*vit.Model, error) // of packed models

	opening  sync.Mutex        // of the backend
	mu       sync.Mutex        // of found and spent
	found    map[string]*Model // by name, those that are no trainings
	spent    Spent
	paired   sync.Map // the DASQueries whose pairs were found right, without what pairs do not depend on
	supposed sync.Map // IDs of the models of which Notify heard what they are asked about
}

// Open opens a lab.
func Open(o Options) (*Lab, error) {
	store, err := artifact.Open(o.Store)
	if err != nil {
		return nil, err
	}
	store.Notify, store.ReadOnly = o.Notify, o.ReadOnly
	return &Lab{Store: store, options: o, bases: Bases(o.Hub), found: map[string]*Model{}}, nil
}

// Backend returns the backend that the lab computes on.
func (l *Lab) Backend() (*backend.Backend, error) {
	l.opening.Lock()
	defer l.opening.Unlock()
	if l.computes != nil {
		return l.computes, nil
	}
	be, err := backend.Open(l.options.Backend)
	if err != nil {
		return nil, err
	}
	l.computes, l.Store.Machine = be, fmt.Sprintf("%s, PJRT %s", be.Choice, be.Version)
	if !be.IsXLA() {
		l.Store.Machine = be.Choice
	}
	return be, nil
}
