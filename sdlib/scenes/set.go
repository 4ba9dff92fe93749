package scenes

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
)

// A Set is the scenes of a configuration. It holds no pixels: they are drawn when asked for. All methods may be called
// from several goroutines.
type Set struct {
	config Config
	stock  stock
	names  []string // of the kinds
	words  []string
	index  map[string]int // of words
}

// A stock has the kinds of things that scenes are made of.
type stock interface {
	names() []string                    // of the kinds
	words() []string                    // that looks and names use; some may be there twice
	look(kind int, rng *rand.Rand) look // draws what is a thing's own
	tokens(kind int) int                // words of a thing
	paint(c *canvas, t Thing)
}

// Open returns the scenes of random outlines that a configuration describes.
func Open(c Config) (*Set, error) {
	if c.Emoji != "" {
		return nil, errors.New("scenes: emoji need their folder: call OpenEmoji")
	}
	return open(c, outlines{})
}

func open(c Config, of stock) (*Set, error) {
	c, err := c.Resolved()
	if err != nil {
		return nil, err
	}
	names := of.names()
	if c.Kinds > len(names) {
		return nil, fmt.Errorf("scenes: %d kinds, expected at most %d, all that there are", c.Kinds, len(names))
	}
	if c.Kinds > 0 {
		names = names[:c.Kinds]
	}
	if len(names) < c.Most {
		return nil, fmt.Errorf("scenes: up to %d things in a scene, all of different kinds, but there are %d kinds: lower Most", c.Most, len(names))
	}
	s := &Set{config: c, stock: of, names: names, words: slices.Concat(of.words(), groundNames), index: map[string]int{}}
	slices.Sort(s.words)
	s.words = slices.Compact(s.words)
	for i, word := range s.words {
		s.index[word] = i
	}
	return s, nil
}

// Config is the configuration, with every default written out.
func (s *Set) Config() Config { return s.config }

// Names are the kinds' names: Thing.Kind counts them.
func (s *Set) Names() []string { return s.names }

// Words is the vocabulary of the captions, sorted.
func (s *Set) Words() []string { return s.words }

// Tokens returns a scene's words as places in Words. *a*, *and*, *on* and *ground*, which all captions share, are left out.
func (s *Set) Tokens(scene Scene) []int {
	var all []int
	for _, word := range scene.Words() {
		if i, ok := s.index[word]; ok {
			all = append(all, i)
		}
	}
	return all
}

// random returns a scene's own generator for a purpose. Scenes of different numbers, seeds or purposes are independent.
func (s *Set) random(i, purpose int) *rand.Rand {
	if s.config.Distinct > 0 {
		i %= s.config.Distinct
	}
	return rand.New(rand.NewPCG(mix(s.config.Seed+uint64(purpose)<<56), mix(uint64(i))))
}

// Purposes of a scene's random numbers.
const (
	forPlan = iota
	forPixels
)

// mix is SplitMix64's finalizer: neighboring numbers become far ones.
func mix(z uint64) uint64 {
	z += 0x9e3779b97f4a7c15
	z = (z ^ z>>30) * 0xbf58476d1ce4e5b9
	z = (z ^ z>>27) * 0x94d049bb133111eb
	return z ^ z>>31
}

// Images draws the scenes from one to before another, on all processor cores: height x width x RGB each, Image·Image·3 bytes.
func (s *Set) Images(from, to int) []uint8 {
	size := s.config.Image * s.config.Image * 3
	out := make([]uint8, (to-from)*size)
	Each(to-from, func(i int) { s.Draw(from+i, s.config.Image, out[i*size:(i+1)*size]) })
	return out
}

// Each calls f with 0 to n-1, on all processor cores.
func Each(n int, f func(i int)) {
	var next atomic.Int64
	var group sync.WaitGroup
	for range min(runtime.GOMAXPROCS(0), n) {
		group.Go(func() {
			for i := int(next.Add(1)) - 1; i < n; i = int(next.Add(1)) - 1 {
				f(i)
			}
		})
	}
	group.Wait()
}

// MaxTokens is the most tokens that a scene can have.
func (s *Set) MaxTokens() int {
	of := 0
	for kind := range s.names {
		of = max(of, s.stock.tokens(kind))
	}
	return s.config.Most*of + 1 // and the ground's
}
