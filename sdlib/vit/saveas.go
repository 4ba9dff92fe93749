package vit

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"samediff/sdlib/internal/disk"
	"samediff/sdlib/safetensors"
	"samediff/sdlib/torchfile"
)

// A Format is what files a model's weights are written to.
type Format string

// The formats, all of which [Load] and transformers read.
const (
	Safetensors Format = "safetensors" // model.safetensors
	Sharded     Format = "sharded"     // model-00001-of-00004.safetensors and so on, with model.safetensors.index.json
	Bin         Format = "bin"         // pytorch_model.bin, for programs that know nothing else
)

// Formats lists the formats.
var Formats = []Format{Safetensors, Sharded, Bin}

// Saving says how [Model.SaveAs] writes a model. The zero value is what [Model.Save] writes.
type Saving struct {
	Format     Format // "" is Safetensors
	DType      string // of the weights in the file: "F32", which "" is, "F16" or "BF16"
	ShardBytes int    // the most that a shard holds, unless a single tensor is larger; 0 is DefaultShard

	headless bool // leave the head out: of a backbone, which has none
}

// DefaultShard cuts a ViT-B into four.
const DefaultShard = 100e6

// torchNames are what config.json calls the types of weights.
var torchNames = map[string]string{"F32": "float32", "F16": "float16", "BF16": "bfloat16"}

// SaveAs writes the model to a folder in the layout of the family's own class of
// transformers, as [Model.Save] does, in a format and a type of one's choice. The folder is
// written aside and renamed. It replaces an older model; a folder with anything that is no
// file of a model is left alone, and an error.
func (m *Model) SaveAs(dir string, s Saving) error {
	if s.Format == "" {
		s.Format = Safetensors
	}
	if s.DType == "" {
		s.DType = "F32"
	}
	if s.ShardBytes == 0 {
		s.ShardBytes = DefaultShard
	}
	switch {
	case !slices.Contains(Formats, s.Format):
		return fmt.Errorf("vit: there is no format %q: expected one of %v", s.Format, Formats)
	case torchNames[s.DType] == "":
		return fmt.Errorf("vit: weights can't be written as %q: expected F32, F16 or BF16", s.DType)
	case s.ShardBytes < 1:
		return fmt.Errorf("vit: shards of %d bytes, expected 1 or more", s.ShardBytes)
	}
	if err := m.check(); err != nil {
		return err
	}
	err := disk.ReplaceFolder(dir, modelFiles, func(aside string) error {
		all, err := m.safetensors()
		if err != nil {
			return err
		}
		if head := m.Config.Family.Traits().layout.head + "."; s.headless {
			all = slices.DeleteFunc(all, func(t safetensors.Tensor) bool { return strings.HasPrefix(t.Name, head) })
		}
		for i, t := range all {
			if all[i], err = t.As(s.DType); err != nil {
				return err
			}
		}
		switch s.Format {
		case Sharded:
			err = writeShards(aside, all, s.ShardBytes)
		case Bin:
			err = torchfile.WriteFile(filepath.Join(aside, "pytorch_model.bin"), all)
		default:
			err = safetensors.WriteFile(filepath.Join(aside, weightsFile), all, torchMetadata)
		}
		if err != nil {
			return err
		}
		if err := m.Origin.write(aside); err != nil {
			return fmt.Errorf("vit: save model: %w", err)
		}
		return m.about().writeAs(aside, torchNames[s.DType])
	})
	if err != nil {
		return fmt.Errorf("vit: save model: %w", err)
	}
	return nil
}

// torchMetadata is without what transformers refuses a file of weights.
var torchMetadata = map[string]string{"format": "pt"}

// writeShards writes tensors, in their order, to as few files of a size as that order allows, and their index.
func writeShards(dir string, all []safetensors.Tensor, most int) error {
	var shards [][]safetensors.Tensor
	total, room := 0, 0
	for _, t := range all {
		if len(shards) == 0 || len(t.Data) > room {
			shards, room = append(shards, nil), most
		}
		last := len(shards) - 1
		shards[last] = append(shards[last], t)
		room -= len(t.Data)
		total += len(t.Data)
	}
	of := map[string]string{}
	for i, shard := range shards {
		name := fmt.Sprintf("model-%05d-of-%05d.safetensors", i+1, len(shards))
		if err := safetensors.WriteFile(filepath.Join(dir, name), shard, torchMetadata); err != nil {
			return err
		}
		for _, t := range shard {
			of[t.Name] = name
		}
	}
	return writeJSON(filepath.Join(dir, weightsFile+".index.json"), map[string]any{
		"metadata": map[string]int{"total_size": total}, "weight_map": of,
	})
}

// Files returns patterns of the names that the files of a model's folder have.
func Files() []string { return slices.Clone(modelFiles) }

// modelFiles are patterns of the files that a model's folder holds.
var modelFiles = func() []string {
	patterns := []string{configFile, processorFile, newProcessorFile, originFile, "model-*-of-*.safetensors", "pytorch_model-*-of-*.bin"}
	for _, f := range formats {
		patterns = append(patterns, f.name)
	}
	return patterns
}()
