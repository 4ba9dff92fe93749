// Package workers runs a program as several processes side by side on one machine, one for each
// device: a GPU that no other sees, or a share of the CPUs.
//
//	devices, err := workers.Devices([]string{"0", "1"}, "cuda")
//	ended := workers.Run(ctx, devices, workers.Options{
//		Command: func(workers.Device) []string { return []string{"sd", "run", "table", "1"} },
//		Line:    func(d workers.Device, line string) { fmt.Println(d, line) },
//	})
//
// # Why processes
//
// The jobs of a plan are independent, so several devices need no common program: each process
// works through the same list, and the locks of the store (package artifact) see to it that no two
// have the same job. A process that dies, of a full memory or a failing GPU, takes down none of
// the others, and one of them goes on with its job from the last checkpoint. (One model that is
// trained on several devices at the same time is another matter, and not here.)
//
// # Devices
//
// A process on a GPU finds that one alone, by CUDA_VISIBLE_DEVICES. Devices are counted as CUDA
// counts them: within the variable's list where it is set, as Slurm and Docker do.
//
// Processes on the CPU get a share of the CPUs each, on Linux, by their affinity, which XLA and Go
// take their numbers of threads from. Elsewhere they share all of them.
//
// # Signals
//
// Run passes the end of its context on as SIGTERM, once, and waits: a program that trains writes
// its checkpoint. The processes have a group of their own, so that ctrl-c in a terminal reaches
// them by this way alone; on Linux they get SIGTERM too if this process dies.
package workers
