// Package slurm runs a plan of jobs on a cluster with Slurm, as an array of tasks that share a
// store of results.
//
//	w := slurm.Work{Name: "table-1", Item: []string{"table", "1"}, Program: "/shared/samediff/bin/sd", Store: "/shared/sd",
//		Options: slurm.Options{Partition: "gpu", Time: "08:00:00", GPUs: "1", Tasks: 4}}
//	script, err := w.Script()
//	id, err := slurm.Submit(ctx, path)      // sbatch
//	tasks, err := slurm.Reports(ctx, w)     // squeue, sacct, and what the tasks say of themselves
//
// # Workers, not one task per job
//
// A task is a worker: it takes the next job of the plan that no other has, until none is left,
// by the same locks of the store that let several processes of one machine share a plan
// (study.Lab.Work). One task per job would be simpler to write down and worse to run: jobs take
// from a second to a day, hundreds of them need the same trained model, a task waits in the queue
// and compiles its programs before it does anything, and dependencies between array tasks are
// not what a store that knows what is done needs. So the number of tasks is the number of GPUs
// one wants, whatever the plan; more may be submitted at any time, and fewer end by themselves.
//
// # Interruptions
//
// Slurm ends a task when its time is over, when another user preempts it, when its node fails, or
// when it is requeued. The first three come with a warning where they can: the script asks for
// SIGTERM a minute before the time is over, and preemption sends it. The program then writes a
// checkpoint and has Slurm put the task into the queue again ([Requeue]), where it goes on from
// the checkpoint, or another task does before. A task that is killed without a warning, with its
// node for instance, has lost a minute of a training at most; Slurm requeues it by itself, and
// its locks vanish. A task that a user cancels (scancel) is not requeued.
//
// # The folder of a plan
//
//	slurm/table-1/script.sh         what sbatch was given
//	slurm/table-1/4711.json         a submission: [Work], when and by whom
//	slurm/table-1/4711_3.json       a task: [Task], written by the task itself
//	slurm/table-1/4711_3.log        its output
//
// It lies in the store, which all nodes see: a node that does not find the script there has
// another store.
package slurm
