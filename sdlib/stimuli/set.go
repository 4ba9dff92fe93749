package stimuli

import "sync"

// A Set is a planned set of stimuli. It holds no pixels: they are drawn when asked for. All methods may be called from
// several goroutines. Indices outside 0..Len()-1 panic, as those of a slice do.
type Set struct {
	config  Config
	key     uint64
	plan    func() []Stimulus // made at the first call: a set that is only named costs nothing
	painter *painter          // nil for imported sets
	files   [][]byte          // the image files of imported sets, else nil
	measure func() (objects, tokens int)
}

// newSet makes a set of stimuli that plan returns.
func newSet(cfg Config, key uint64, plan func() []Stimulus) *Set {
	s := &Set{config: cfg, key: key, plan: sync.OnceValue(plan)}
	s.measure = sync.OnceValues(func() (objects, tokens int) {
		for _, stimulus := range s.plan() {
			objects = max(objects, len(stimulus.Objects))
			for _, object := range stimulus.Objects {
				tokens = max(tokens, len(object.Tokens))
			}
		}
		return objects, tokens
	})
	return s
}

// Open returns the set that a configuration describes. It fails, saying which field and what was expected, when the sizes
// do not fit each other, a name is unknown, or a value is out of range.
func Open(cfg Config) (*Set, error) {
	cfg, err := cfg.Resolved()
	if err != nil {
		return nil, err
	}
	s := newSet(cfg, cfg.key(), cfg.plan)
	s.painter = newPainter(cfg)
	return s, nil
}

// plannedSet makes a set, to be drawn, of stimuli that have been planned.
func plannedSet(cfg Config, key uint64, stimuli []Stimulus) *Set {
	s := newSet(cfg, key, func() []Stimulus { return stimuli })
	s.painter = newPainter(cfg)
	return s
}

// Config is the configuration, with every default written out.
func (s *Set) Config() Config { return s.config }

// Geometry is Config().Geometry.
func (s *Set) Geometry() Geometry { return s.config.Geometry }

// Len is the number of stimuli, n.
func (s *Set) Len() int { return len(s.plan()) }

// Stimulus returns everything about image i except its pixels. Treat its slices as read-only.
func (s *Set) Stimulus(i int) Stimulus { return s.plan()[i] }

// Labels are the stimuli's labels: [n], 1 same, 0 different.
func (s *Set) Labels() []int32 {
	out := make([]int32, s.Len())
	for i, stimulus := range s.plan() {
		out[i] = int32(stimulus.Label)
	}
	return out
}

// ObjectsPerImage is O, the most objects of any image: 2 in discrimination, 4 in RMTS, as many as there are in others.
func (s *Set) ObjectsPerImage() int {
	objects, _ := s.measure()
	return objects
}

// TokensPerObject is P, the most patches that any object covers.
func (s *Set) TokensPerObject() int {
	_, tokens := s.measure()
	return tokens
}

// Tokens are the patches the objects cover: [n, O, P] raster indices without CLS (add 1 for a model with a CLS token in
// front), in the order of Stimulus.Objects and Object.Tokens. Where an object covers fewer than P patches (objects off
// the grid, one's own images) or an image has fewer than O objects, the rest is -1; the paper's sets have none.
func (s *Set) Tokens() []int32 {
	O, P := s.measure()
	out := make([]int32, s.Len()*O*P)
	for i := range out {
		out[i] = -1
	}
	for i, stimulus := range s.plan() {
		for o, object := range stimulus.Objects {
			for p, token := range object.Tokens {
				out[(i*O+o)*P+p] = int32(token)
			}
		}
	}
	return out
}

// Attributes are the objects' shape and color ids: [n, O] each, in the order of Stimulus.Objects, and -1 where an image
// has fewer than O objects.
func (s *Set) Attributes() (shapes, colors []int32) {
	O := s.ObjectsPerImage()
	shapes, colors = make([]int32, s.Len()*O), make([]int32, s.Len()*O)
	for i, stimulus := range s.plan() {
		for o := range O {
			at := i*O + o
			shapes[at], colors[at] = -1, -1
			if o < len(stimulus.Objects) {
				shapes[at], colors[at] = int32(stimulus.Objects[o].Shape), int32(stimulus.Objects[o].Color)
			}
		}
	}
	return shapes, colors
}
