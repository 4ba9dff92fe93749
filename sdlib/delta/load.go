package delta

import (
	"fmt"
	"path/filepath"
	"strings"

	"samediff/sdlib/vit"
)

// Load reads the model in a folder, packed or, as [vit.Load] reads it, whole. find finds the base of a packed one by its name, with
// any head; a base that is a folder beside is found without it.
//
// Errors: those of [Read], of find and of [Delta.Apply].
func Load(dir string, find func(Base) (*vit.Model, error)) (*vit.Model, error) {
	if !Packed(dir) {
		return vit.Load(dir)
	}
	d, err := Read(dir)
	if err != nil {
		return nil, err
	}
	base, err := d.base(dir, find)
	if err != nil {
		return nil, fmt.Errorf("delta: %s is kept as a difference to another model: %w", dir, err)
	}
	m, err := d.Apply(base)
	if err != nil {
		return nil, fmt.Errorf("%w (in %s)", err, dir)
	}
	return m, nil
}

// LoadBackbone reads the model in a folder and puts a new head on it, as [vit.LoadBackbone] does, packed or whole.
func LoadBackbone(dir string, classes int, seed uint64, image int, find func(Base) (*vit.Model, error)) (*vit.Model, error) {
	if !Packed(dir) {
		return vit.LoadBackbone(dir, classes, seed, image)
	}
	m, err := Load(dir, find)
	if err != nil {
		return nil, err
	}
	return m.WithHead(classes, seed, image)
}

// base finds the base of the packed model in a folder.
func (d *Delta) base(dir string, find func(Base) (*vit.Model, error)) (*vit.Model, error) {
	if strings.HasPrefix(d.Base.Name, ".") {
		m, err := vit.LoadBackbone(filepath.Join(dir, filepath.FromSlash(d.Base.Name)), 1, 1, 0)
		if err != nil {
			return nil, fmt.Errorf("the base should be in the folder %q, as seen from there: %w", d.Base.Name, err)
		}
		return m, nil
	}
	if find == nil {
		return nil, fmt.Errorf("the base %q has to be found by its name, and find is nil", d.Base.Name)
	}
	return find(d.Base)
}

// RelativeName returns the name of a base that is a folder, as seen from the folder that a model is going to be packed into.
func RelativeName(base, packed string) (string, error) {
	from, err := filepath.Abs(packed)
	if err != nil {
		return "", fmt.Errorf("delta: %w", err)
	}
	to, err := filepath.Abs(base)
	if err != nil {
		return "", fmt.Errorf("delta: %w", err)
	}
	name, err := filepath.Rel(from, to)
	if err != nil {
		return "", fmt.Errorf("delta: the base has no name as seen from %s: %w", packed, err)
	}
	if name = filepath.ToSlash(name); !strings.HasPrefix(name, ".") {
		name = "./" + name
	}
	return name, nil
}
