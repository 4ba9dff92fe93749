package stimuli

// A Set is a planned set of stimuli. It holds no pixels: they are drawn when asked for. All methods may be called from
// several goroutines. Indices outside 0..Len()-1 panic, as those of a slice do.
type Set struct {
	config  Config
	key     uint64
	stimuli []Stimulus
	painter *painter // nil for imported sets
	files   [][]byte // the image files of imported sets, else nil

	objects, tokens int // O and P
}

// newSet makes a set of stimuli that have been planned.
func newSet(cfg Config, key uint64, stimuli []Stimulus) *Set {
	s := &Set{config: cfg, key: key, stimuli: stimuli, painter: newPainter(cfg)}
	s.measure()
	return s
}

// Open plans the set a configuration describes. It fails, saying which field and what was expected, when the sizes do
// not fit each other, a name is unknown, or a value is out of range.
func Open(cfg Config) (*Set, error) {
	cfg, err := cfg.Resolved()
	if err != nil {
		return nil, err
	}
	return newSet(cfg, cfg.key(), cfg.plan()), nil
}

// Config is the configuration, with every default written out.
func (s *Set) Config() Config { return s.config }

// Geometry is Config().Geometry.
func (s *Set) Geometry() Geometry { return s.config.Geometry }

// Len is the number of stimuli, n.
func (s *Set) Len() int { return len(s.stimuli) }

// Stimulus tells everything about image i but its pixels. Treat its slices as read-only.
func (s *Set) Stimulus(i int) Stimulus { return s.stimuli[i] }

// Labels are the stimuli's labels: [n], 1 same, 0 different.
func (s *Set) Labels() []int32 {
	out := make([]int32, s.Len())
	for i, stimulus := range s.stimuli {
		out[i] = int32(stimulus.Label)
	}
	return out
}

// ObjectsPerImage is O, the most objects of any image: 2 in discrimination, 4 in RMTS, as many as there are in others.
func (s *Set) ObjectsPerImage() int { return s.objects }

// TokensPerObject is P, the most patches that any object covers.
func (s *Set) TokensPerObject() int { return s.tokens }

// measure finds O and P.
func (s *Set) measure() {
	for _, stimulus := range s.stimuli {
		s.objects = max(s.objects, len(stimulus.Objects))
		for _, object := range stimulus.Objects {
			s.tokens = max(s.tokens, len(object.Tokens))
		}
	}
}

// Tokens are the patches the objects cover: [n, O, P] raster indices without CLS (add 1 for a model with a CLS token in
// front), in the order of Stimulus.Objects and Object.Tokens. Where an object covers fewer than P patches (objects off
// the grid, one's own images) or an image has fewer than O objects, the rest is -1; the paper's sets have none.
func (s *Set) Tokens() []int32 {
	out := make([]int32, s.Len()*s.objects*s.tokens)
	for i := range out {
		out[i] = -1
	}
	for i, stimulus := range s.stimuli {
		for o, object := range stimulus.Objects {
			for p, token := range object.Tokens {
				out[(i*s.objects+o)*s.tokens+p] = int32(token)
			}
		}
	}
	return out
}

// Attributes are the objects' shape and color ids: [n, O] each, in the order of Stimulus.Objects, and -1 where an image
// has fewer than O objects.
func (s *Set) Attributes() (shapes, colors []int32) {
	shapes, colors = make([]int32, s.Len()*s.objects), make([]int32, s.Len()*s.objects)
	for i, stimulus := range s.stimuli {
		for o := range s.objects {
			at := i*s.objects + o
			shapes[at], colors[at] = -1, -1
			if o < len(stimulus.Objects) {
				shapes[at], colors[at] = int32(stimulus.Objects[o].Shape), int32(stimulus.Objects[o].Color)
			}
		}
	}
	return shapes, colors
}
