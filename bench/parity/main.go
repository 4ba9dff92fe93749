// Parity holds what package vit computes against transformers, for models that it draws
// anew each time, in both directions:
//
//	make parity                                          an environment of its own, then a run
//	go run ./bench/parity -python python -seed 1         a run with a Python that has requirements.txt
//	go run ./bench/parity -budget                        the error budget, from the golden files of sdlib/vit; needs no Python
//
// parity.py makes random models of every family, writes them through safetensors, through
// shards and through torch.save, and records every hidden state, attention map and the
// logits. They are read here, computed, and written in the same three ways; parity.py reads
// those with from_pretrained and torch.load, and computes the logits again.
// docs/parity.md has the tables.
package main

import (
	"crypto/rand"
	"encoding/binary"
	"flag"
	"fmt"
	"os"
)

func main() {
	budget := flag.Bool("budget", false, "print the error budget from the golden files, and compute nothing else")
	python := flag.String("python", "python3", "a Python with what requirements.txt names")
	seed := flag.Uint64("seed", 0, "what the models are drawn from (0: another each time)")
	base := flag.String("base", "one", "models of ViT-B's size, 350 MB each: none, one, all families, or a family's name")
	keep := flag.String("keep", "", "folder to keep the models in (default: a temporary one)")
	flag.Parse()
	err := fmt.Errorf("parity: %q is too much: expected flags alone", flag.Args())
	switch {
	case flag.NArg() > 0:
	case *budget:
		err = printBudget()
	default:
		if *seed == 0 {
			var random [4]byte
			rand.Read(random[:])
			*seed = uint64(binary.LittleEndian.Uint32(random[:]))
		}
		err = exchange(*python, *seed, *base, *keep)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
