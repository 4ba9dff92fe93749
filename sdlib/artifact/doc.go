// Package artifact keeps what was computed once: models, activations, scores, tables. A [Store] is a folder; an artifact in it is
// named by the hash of everything that its content depends on.
//
// # The idea
//
// A step of an experiment is a function of parameters and of earlier results. Its [Key] says so: the step's name, the version of
// its code, its parameters, and the IDs of its inputs. Equal keys mean equal results, so asking for a result and computing it are
// the same call:
//
//	store, err := artifact.Open("") // the default folder
//	key := artifact.Key{Step: "train", Version: 1, Params: recipe, Inputs: []artifact.ID{stimuli}}
//	model, err := store.Get(ctx, key, func(ctx context.Context, dir string) error {
//		return train(ctx, recipe, filepath.Join(dir, "model.safetensors")) // runs at most once, ever
//	})
//	weights, err := safetensors.Open(model.Path("model.safetensors"))
//
// [Value] does the same for a Go value that fits into JSON. A change of a parameter changes the key, and with it the keys of
// all that is built on it; a change of the code shows only if the step's Version is raised with it.
//
// # Interruptions
//
// The function fills a working folder, which is renamed into the store when all of it is on the disk: an artifact exists whole or
// not at all. A working folder is kept when its process is killed or fails, and the next one to ask for the key goes on with it: a
// function that finds its own checkpoint resumes. What is worth keeping only until then belongs into the subfolder "work".
//
// # Several processes
//
// Notebook cells, commands and cluster jobs may share a store. One computes a key, under a file lock, while the others who ask for
// it wait and then read. The lock is the operating system's (flock) and vanishes with its process, however that dies. On a network
// file system the locks must work across machines: NFS 4 and Lustre with -o flock do, and the server frees those of a machine that
// died. [Store.Join] notices where they do not.
//
// # Damage
//
// Each artifact carries meta.json: its key, who made it, when, for how long, on what, and the size and SHA-256 of every file.
// Every read compares all sizes, and checksums too where the files have no more than 4 MiB together, a matter of milliseconds;
// Value always checks what it decodes. Larger files are read in full only by [Store.Verify]. An artifact that fails is moved to the
// subfolder damaged and computed again.
//
// # Folders
//
//	artifacts/<id>/              meta.json and the files
//	unfinished/<id>/key.json     what is, or was, being computed
//	unfinished/<id>/files/       the working folder
//	damaged/<id>-<time>/         set aside
//	locks/<id>                   there while somebody computes
//	present/<host>-<process>     there while a process that called Join lives
//
// All of it may be deleted at any time when no process uses it: it only costs the time to compute it again.
package artifact
