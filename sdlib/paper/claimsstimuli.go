package paper

import (
	"fmt"

	"samediff/sdlib/stimuli"
)

// stimuliClaims are about the images: Figures 1, 7, 8, 9 and 23.
func stimuliClaims() []Claim {
	claim := func(item, where, says, value string, check func(*Finding) error) Claim {
		return Claim{OfStimuli, item, where, says, "stimuli", value, func(*Results) (Finding, error) {
			f := Finding{Command: "sd " + item}
			err := check(&f)
			return f, err
		}}
	}
	return []Claim{
		claim("figure 1", "2", "Discrimination: half of the images of a split are same", "3,200 of 6,400", sameImages(stimuli.Discrimination)),
		claim("figure 7", "A", "Objects have one of 16 shapes and one of 16 colors", "16, 16", func(f *Finding) error {
			f.Value, f.Verdict = fmt.Sprintf("%d, %d", stimuli.BaseShapes, stimuli.BaseColors), whether(stimuli.BaseShapes == 16, stimuli.BaseColors == 16)
			return nil
		}),
		claim("figure 8", "A", "RMTS: half of the images of a split are same, and half of those show two different pairs", "3,200 of 6,400, 1,600", sameImages(stimuli.RMTS)),
		claim("figure 9", "A.3", "1,024 photorealistic images, 512 of them same", "1,024, 512", countPhotographs),
		claim("figure 23", "G", "Half of the counterfactual pairs should become same", "1,000 of 2,000", func(f *Finding) error {
			pairs, err := stimuli.OpenCounterfactuals(stimuli.CounterfactualConfig{Set: stimuli.Config{Seed: 1}, Property: stimuli.ColorProperty})
			if err != nil {
				return err
			}
			same := 0
			for _, target := range pairs.Targets() {
				same += int(target)
			}
			f.Value, f.Verdict = fmt.Sprintf("%s of %s", thousands(same), thousands(pairs.Len())), whether(2*same == pairs.Len())
			return nil
		}),
	}
}

// sameImages counts the images of a split that are same, and in RMTS those of two pairs that differ.
func sameImages(task stimuli.Task) func(*Finding) error {
	return func(f *Finding) error {
		set, err := stimuli.Open(stimuli.Config{Task: task, Seed: 1})
		if err != nil {
			return err
		}
		same, different := 0, 0
		for i := range set.Len() {
			if s := set.Stimulus(i); s.Label == 1 {
				if same++; s.Kind != stimuli.Same {
					different++
				}
			}
		}
		f.Value, f.Verdict = fmt.Sprintf("%s of %s", thousands(same), thousands(set.Len())), whether(2*same == set.Len())
		if task == stimuli.RMTS {
			f.Value += ", " + thousands(different)
			f.Verdict = whether(2*same == set.Len(), 2*different == same)
		}
		return nil
	}
}

// thousands writes a number below a million with a comma.
func thousands(n int) string {
	if n < 1000 {
		return fmt.Sprint(n)
	}
	return fmt.Sprintf("%d,%03d", n/1000, n%1000)
}
