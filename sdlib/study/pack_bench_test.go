package study_test

import (
	"testing"

	"samediff/sdlib/delta"
	"samediff/sdlib/hub"
	"samediff/sdlib/study"
)

// BenchmarkLoadPacked measures by how much a fine-tuned CLIP of the repository's models, which is kept as a difference to the base,
// takes longer to load than the same model whole: `sd model fetch clip-b16` gets the base. Both lie in the operating system's memory.
//
//	go test -run '^$' -bench LoadPacked -benchtime 5x ./sdlib/study
func BenchmarkLoadPacked(b *testing.B) {
	packed, err := study.CourseModelDir("discrimination-256-clip-b16-112")
	if err != nil {
		b.Fatal(err)
	}
	bases := study.Bases(hub.Options{})
	m, err := delta.Load(packed, bases)
	if err != nil {
		b.Skip(err) // says how to fetch the base
	}
	whole := b.TempDir()
	if err := m.Save(whole); err != nil {
		b.Fatal(err)
	}
	for _, kept := range []struct{ name, dir string }{{"whole", whole}, {"packed", packed}} {
		b.Run(kept.name, func(b *testing.B) {
			for b.Loop() {
				if _, err := delta.Load(kept.dir, bases); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
