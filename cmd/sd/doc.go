// Command sd trains small vision transformers on same-different tasks, evaluates
// them, and looks inside: the command line of "samediff".
//
//	sd doctor              what works on this machine, and how to mend what does not
//	sd stimuli show        a sheet of the images a model learns from
//	sd train quick         train a model, or read it from the store if it is there
//	sd eval quick          its accuracy on every set, with intervals
//	sd attention quick     how local or global each of its attention heads is
//	sd patch heads quick   what its answers lose without some of its heads
//	sd figure 2            the paper's figures, for a model of your own
//	sd run figure 2        what a figure needs, on one GPU, several (--devices) or a cluster (sd slurm)
//	sd report quick        one page about a model, with all of this that suits it
//	sd paper               the paper claim by claim: its values, and ours
//	sd model show quick    what a model is made of; trace writes what it computes, convert another format
//	sd store ls            what was computed so far
//	sd demo                all of it once, for the quick model
//
// "sd help train" and so on explain each method and name the section of the paper it
// comes from.
//
// # How it is built
//
// Each command is one file and calls the library for all work, so what a command
// computes, a notebook reads, and the other way round. Results go to standard output
// (JSON with --json); progress, the backend's name and errors go to standard error.
// Every result is kept in the store, so asking again is a read.
//
// # Exit status
//
//	0    success
//	1    failure
//	2    wrong usage: an unknown command, flag or value
//	130  interrupted; the same command goes on where it stopped
package main
