package stimuli

import (
	"encoding/json"
	"fmt"
	"math/bits"
)

// Values are some of the values 0..NumShapes-1 of a property. The zero value stands for all that a
// set has. It marshals to a list of numbers, and is no list itself so that configurations can be compared.
type Values uint32

// ValuesOf returns the values of a list.
func ValuesOf(list ...int) Values {
	var v Values
	for _, value := range list {
		v |= 1 << value
	}
	return v
}

// List returns the values, from the smallest.
func (v Values) List() (list []int) {
	for value := range bits.Len32(uint32(v)) {
		if v>>value&1 == 1 {
			list = append(list, value)
		}
	}
	return list
}

// MarshalJSON writes the list.
func (v Values) MarshalJSON() ([]byte, error) { return json.Marshal(v.List()) }

// UnmarshalJSON reads a list.
func (v *Values) UnmarshalJSON(text []byte) error {
	var list []int
	if err := json.Unmarshal(text, &list); err != nil {
		return err
	}
	for _, value := range list {
		if value < 0 || value >= 32 {
			return fmt.Errorf("stimuli: %d is no value of a property, expected 0 to %d", value, NumShapes-1)
		}
	}
	*v = ValuesOf(list...)
	return nil
}

// leastValues is how many values counterfactual pairs need: in RMTS four objects may all differ.
const leastValues = 4

// check returns an error unless counterfactual pairs for a property can be made of these values alone.
func (v Values) check(set Config, p Property) error {
	if v == 0 {
		return nil
	}
	if set.Objects == Compositional32 {
		return fmt.Errorf("stimuli: some values of %s in the set %q, which has few of the combinations: expected a set that has all, such as %q", p, set.Objects, All256)
	}
	shapes, colors := set.ranges()
	in := shapes
	if p == ColorProperty {
		in = colors
	}
	list := v.List()
	if len(list) < leastValues || list[0] < in[0] || list[len(list)-1] >= in[1] {
		return fmt.Errorf("stimuli: the values %v of %s: expected %d or more in %d..%d", list, p, leastValues, in[0], in[1]-1)
	}
	return nil
}

// cast gives the objects of stimuli other values of a property, drawn from v. Objects that had equal
// values have equal ones again, and others different ones, so that all relations stay.
func (v Values) cast(stimuli []Stimulus, p Property, key uint64) []Stimulus {
	out := make([]Stimulus, len(stimuli))
	for i, s := range stimuli {
		random := newStream(key, forValues, uint64(s.Index))
		left := v.List()
		shuffle(&random, left)
		to := map[int]int{}
		s.Objects = append([]Object{}, s.Objects...)
		for o := range s.Objects {
			it := itemOf(s.Objects[o])
			if _, seen := to[p.of(it)]; !seen {
				to[p.of(it)], left = left[0], left[1:]
			}
			it = p.with(it, to[p.of(it)])
			s.Objects[o].Shape, s.Objects[o].Color = it.shape, it.color
		}
		out[i] = s
	}
	return out
}
