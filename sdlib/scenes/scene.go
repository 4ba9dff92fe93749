package scenes

import (
	"math"
	"math/rand/v2"
	"slices"
	"strings"
)

// A Scene is what a picture shows. Lengths are parts of the picture's side, so that a scene can be drawn at any size.
type Scene struct {
	Things []Thing
	ground ground
}

// A Thing is one object of a scene.
type Thing struct {
	Kind int // counts Set.Names
	// Words name it and how it looks, such as "striped", "navy", "balor"; the kind's name is at the end.
	Words  []string
	X, Y   float64 // its center
	Radius float64 // half the side of its box
	look   look
}

// A look is what a thing has of its own, beside kind, place and size.
type look struct {
	words   []string // in front of the kind's name
	turn    float64  // in radians, clockwise
	mirror  bool
	color   [2]rgb // the second is the texture's
	texture texture
	phase   float64 // of the texture
}

// Scene returns scene i, 0 or more.
func (s *Set) Scene(i int) Scene {
	rng := s.random(i, forPlan)
	scene := Scene{ground: drawGround(rng)}
	n := s.config.Least + rng.IntN(s.config.Most-s.config.Least+1)
	for len(scene.Things) < n {
		kind := rng.IntN(len(s.names))
		if slices.ContainsFunc(scene.Things, func(t Thing) bool { return t.Kind == kind }) {
			continue
		}
		t := Thing{Kind: kind, look: s.stock.look(kind, rng)}
		t.Words = append(slices.Clone(t.look.words), strings.Fields(s.names[kind])...)
		scene.place(&t, n, rng)
		scene.Things = append(scene.Things, t)
	}
	return scene
}

// place gives a thing a size and a place where it covers none of those before it, or the best of many.
func (s *Scene) place(t *Thing, n int, rng *rand.Rand) {
	best := math.Inf(-1)
	for range 40 {
		radius := (.13 + .12*rng.Float64()) * math.Sqrt(2/float64(1+n))
		if n == 1 {
			radius *= 1.3
		}
		x, y := radius+(1-2*radius)*rng.Float64(), radius+(1-2*radius)*rng.Float64()
		room := 1.
		for _, o := range s.Things {
			room = min(room, max(math.Abs(x-o.X), math.Abs(y-o.Y))-radius-o.Radius)
		}
		if room > best {
			best, t.X, t.Y, t.Radius = room, x, y, radius
		}
		if best > 0 {
			return
		}
	}
}

// Caption describes the scene: "a striped navy balor and a plain gold mozad on a cloudy ground".
func (s Scene) Caption() string {
	var things []string
	for _, t := range s.Things {
		things = append(things, article(t.Words)+" "+strings.Join(t.Words, " "))
	}
	return strings.Join(things, " and ") + " on " + article([]string{s.ground.word()}) + " " + s.ground.word() + " ground"
}

// Words are the caption's words that distinguish scenes: those of its things, then the ground's.
func (s Scene) Words() []string {
	var all []string
	for _, t := range s.Things {
		all = append(all, t.Words...)
	}
	return append(all, s.ground.word())
}

// Kinds are those of the things, in order.
func (s Scene) Kinds() []int {
	var all []int
	for _, t := range s.Things {
		all = append(all, t.Kind)
	}
	return all
}

func article(words []string) string {
	if strings.ContainsRune("aeiou", rune(words[0][0])) {
		return "an"
	}
	return "a"
}
