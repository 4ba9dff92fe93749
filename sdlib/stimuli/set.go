package stimuli

// A Set is a planned set of stimuli. It holds no pixels: they are drawn when asked for. All methods may be called from
// several goroutines. Indices outside 0..Len()-1 panic, as those of a slice do.
type Set struct {
	config  Config
	key     uint64
	stimuli []Stimulus
	painter *painter
}

// Open plans the set a configuration describes. It fails, saying which field and what was expected, when the sizes do
// not fit each other, a name is unknown, or the set is too small for the pairs it needs.
func Open(cfg Config) (*Set, error) {
	cfg, err := cfg.Resolved()
	if err != nil {
		return nil, err
	}
	stimuli, err := cfg.plan()
	if err != nil {
		return nil, err
	}
	return &Set{config: cfg, key: cfg.key(), stimuli: stimuli, painter: newPainter(cfg)}, nil
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

// ObjectsPerImage is O: 2 in discrimination, 4 in RMTS.
func (s *Set) ObjectsPerImage() int { return len(s.stimuli[0].Objects) }

// TokensPerObject is P, the patches an object covers.
func (s *Set) TokensPerObject() int { return s.config.Geometry.TokensPerObject() }

// Tokens are the patches the objects cover: [n, O, P] raster indices without CLS (add 1 for a model with a CLS token in
// front), in the order of Stimulus.Objects and Object.Tokens.
func (s *Set) Tokens() []int32 {
	out := make([]int32, 0, s.Len()*s.ObjectsPerImage()*s.TokensPerObject())
	for _, stimulus := range s.stimuli {
		for _, object := range stimulus.Objects {
			for _, token := range object.Tokens {
				out = append(out, int32(token))
			}
		}
	}
	return out
}

// Attributes are the objects' shape and color ids: [n, O] each, in the order of Stimulus.Objects.
func (s *Set) Attributes() (shapes, colors []int32) {
	size := s.Len() * s.ObjectsPerImage()
	shapes, colors = make([]int32, 0, size), make([]int32, 0, size)
	for _, stimulus := range s.stimuli {
		for _, object := range stimulus.Objects {
			shapes = append(shapes, int32(object.Shape))
			colors = append(colors, int32(object.Color))
		}
	}
	return shapes, colors
}
