package delta

import (
	"path/filepath"
	"testing"

	"samediff/sdlib/vit"
)

// BenchmarkLoadViTB measures by how much a packed ViT-B/16 takes longer to load than a whole one of 344 MB: its base is
// read, hashed and added to. Both lie in the operating system's memory.
//
//	go test -run '^$' -bench LoadViTB -benchtime 5x ./sdlib/delta
func BenchmarkLoadViTB(b *testing.B) {
	c, err := vit.Variant("clip-b16")
	if err != nil {
		b.Fatal(err)
	}
	base := newModel(b, c, 1)
	parent := b.TempDir()
	whole := filepath.Join(parent, "base")
	if err := base.Save(whole); err != nil {
		b.Fatal(err)
	}
	tuned := tune(b, base, .1, .1, .1, .1, .1, .1, .1, .1, .1, .1, .1, .1, .1, .1, .1, .1)
	load := func(name, dir string) {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				if _, err := Load(dir, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
	load("whole", whole)
	for _, rank := range []int{4, 16} {
		dir := filepath.Join(parent, "packed")
		d, err := Pack(b.Context(), base, tuned, Options{Base: "../base", Method: Method{Rank: rank}})
		if err != nil {
			b.Fatal(err)
		}
		if err := d.Save(dir); err != nil {
			b.Fatal(err)
		}
		load(d.Method.String(), dir)
	}
}
