package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/spf13/cobra"

	"samediff/sdlib/delta"
	"samediff/sdlib/figure"
	"samediff/sdlib/vit"
)

func (a *app) modelShowCommand() *cobra.Command {
	var asJSON, all bool
	cmd := &cobra.Command{
		Use:   "show MODEL",
		Short: "A model's configuration and parameters",
		Long: `show prints what a model is made of: its family and what that does in its own way, the
sizes of images, patches, tokens, blocks and heads, the normalization of images, what its
head reads, and every weight's name, shape and number of parameters. Weights that all
blocks have are one line, unless --all is given; --json lists each.

` + modelHelp,
		Example: `  sd model show discrimination-256-quick
  sd model show clip-b16
  sd model show facebook/dinov2-small@main --json`,
		Args: arguments(cobra.ExactArgs(1)),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := a.find(cmd.Context(), args[0], nil)
			if err != nil {
				return err
			}
			if asJSON {
				return a.printJSON(s.describe())
			}
			for _, line := range s.lines() {
				fmt.Fprintf(a.out, "%-14s %s\n", line[0], line[1])
			}
			fmt.Fprintln(a.out)
			weights, total := s.parameters()
			if !all {
				weights = s.perBlock(weights)
			}
			return a.printTable(parameterTable(weights, total))
		},
	}
	addJSON(cmd, &asJSON)
	cmd.Flags().BoolVar(&all, "all", false, "a line for every weight of every block")
	return cmd
}

// A parameter is one weight, or the same weight of every block.
type parameter struct {
	Name   string  `json:"name"`
	Shape  []int   `json:"shape"`
	Count  int     `json:"count"`
	Share  float64 `json:"share"`
	blocks int     // 0 for a single one
}

// parameters lists the weights under their names in a file, a backbone's without the head that it was given.
func (s *subject) parameters() (list []parameter, total int) {
	flat := s.Weights.Flatten(s.Config)
	for i, name := range s.Config.Names() {
		if s.headless != nil && (flat[i] == s.Weights.Head.W || flat[i] == s.Weights.Head.B) {
			continue
		}
		shape := flat[i].Shape()
		list = append(list, parameter{Name: name, Shape: shape.Dimensions, Count: shape.Size()})
		total += shape.Size()
	}
	for i := range list {
		list[i].Share = float64(list[i].Count) / float64(total)
	}
	return list, total
}

var blockNumber = regexp.MustCompile(`\.(layers?)\.\d+\.`)

// perBlock makes one of the same weight of all blocks.
func (s *subject) perBlock(list []parameter) []parameter {
	var short []parameter
	at := map[string]int{}
	for _, p := range list {
		name := blockNumber.ReplaceAllString(p.Name, fmt.Sprintf(".$1.{0..%d}.", s.Config.Blocks-1))
		if i, seen := at[name]; seen {
			short[i].Count += p.Count
			short[i].Share += p.Share
			short[i].blocks++
			continue
		}
		at[name] = len(short)
		if name != p.Name {
			p.Name, p.blocks = name, 1
		}
		short = append(short, p)
	}
	return short
}

func parameterTable(list []parameter, total int) figure.Table {
	t := figure.Table{Columns: []string{"weights", "shape", "parameters", "share, %"}}
	for _, p := range list {
		shape := shapeText(p.Shape)
		if p.blocks > 0 {
			shape = fmt.Sprintf("%d x %s", p.blocks, shape)
		}
		t.Add(p.Name, shape, p.Count, fmt.Sprintf("%.1f", 100*p.Share))
	}
	t.Add("all", "", total, "100.0")
	return t
}

func shapeText(shape []int) string {
	return "[" + strings.Trim(strings.ReplaceAll(fmt.Sprint(shape), " ", ", "), "[]") + "]"
}

// description is what show --json prints.
type description struct {
	Source     string      `json:"source"`
	Origin     *vit.Origin `json:"origin,omitempty"`
	Folder     string      `json:"folder,omitempty"`
	Files      []file      `json:"files,omitempty"`
	Packed     string      `json:"packed,omitempty"`
	Family     string      `json:"family"`
	Traits     vit.Traits  `json:"traits"`
	Config     vit.Config  `json:"config"`
	Grid       int         `json:"grid"`
	Prefix     int         `json:"prefix"`
	Tokens     int         `json:"tokens"`
	HeadDim    int         `json:"head_dim"`
	HasHead    bool        `json:"has_head"`
	Labels     []string    `json:"labels,omitempty"`
	Total      int         `json:"parameters_total"`
	Parameters []parameter `json:"parameters"`
}

type file struct {
	Name  string `json:"name"`
	Bytes int64  `json:"bytes"`
}

func (s *subject) describe() description {
	c := s.Config
	weights, total := s.parameters()
	return description{Source: s.source, Origin: s.Origin, Folder: s.dir, Files: s.files(), Packed: packed(s.dir), Family: c.Family.String(), Traits: c.Family.Traits(), Config: c, Grid: c.Grid(),
		Prefix: c.Prefix(), Tokens: c.Tokens(), HeadDim: c.HeadDim(), HasHead: s.headless == nil, Labels: s.Labels, Total: total, Parameters: weights}
}

// files lists the files of weights in the subject's folder.
func (s *subject) files() []file {
	var all []file
	if s.dir == "" {
		return nil
	}
	for _, pattern := range []string{"model*.safetensors", "pytorch_model*.bin", "model.onnx", delta.DataFile} {
		paths, _ := filepath.Glob(filepath.Join(s.dir, pattern)) // the pattern is well-formed
		for _, path := range paths {
			if info, err := os.Stat(path); err == nil {
				all = append(all, file{filepath.Base(path), info.Size()})
			}
		}
	}
	return all
}

// lines describes the model in words.
func (s *subject) lines() [][2]string {
	c, f := s.Config, s.Config.Family.Traits()
	lines := append([][2]string{{"source", s.source}}, originLines(s.Origin)...)
	add := func(what, format string, args ...any) {
		lines = append(lines, [2]string{what, fmt.Sprintf(format, args...)})
	}
	if s.dir != "" {
		add("folder", "%s", s.dir)
	}
	for _, file := range s.files() {
		add("file", "%s, %.1f MB", file.Name, float64(file.Bytes)/1e6)
	}
	if text := packed(s.dir); text != "" {
		add("packed", "%s", text)
	}
	add("family", "%s (%s of transformers)", c.Family, f.Class)
	add("images", "%d x %d pixels, (byte/255 - mean) / std with mean %.4g, std %.4g", c.Image, c.Image, c.Mean, c.Std)
	add("prepared", "%s", s.Preparation)
	if s.Preparation.Assumed != "" {
		add("assumed", "%s", s.Preparation.Assumed)
	}
	add("patches", "%d x %d pixels, a grid of %d x %d%s", c.Patch, c.Patch, c.Grid(), c.Grid(), without(f.PatchBias, ", embedded without bias")+
		without(c.Image%c.Patch == 0, fmt.Sprintf("; the last %d rows and columns of pixels fill no patch and are not seen", c.Image%c.Patch)))
	add("tokens", "%d: %d patches%s", c.Tokens(), c.Grid()*c.Grid(), inFront(c))
	if c.PosGrid > 0 {
		add("positions", "learned on a grid of %d x %d, resampled", c.PosGrid, c.PosGrid)
	}
	add("residual", "width %d%s", c.Width, without(!f.PreNorm, ", a LayerNorm before block 0"))
	add("blocks", "%d, of %d heads of %d components and an MLP of %d with %s%s", c.Blocks, c.Heads, c.HeadDim(), c.MLP, c.MLPActivation(),
		without(!f.LayerScale, "; LayerScale on what both add")+without(!c.NoQKVBias, "; queries, keys and values without bias"))
	add("LayerNorm", "epsilon %g", c.NormEps)
	if s.headless != nil {
		add("head", "none that is read: %s (sd model convert --classes N puts a new one on it)", strings.TrimPrefix(s.headless.Error(), "vit: "))
	} else {
		add("head", "%d classes%s, reads %s%s", c.Classes, s.classNames(), f.Readout, without(f.HeadBias, ", without bias"))
	}
	_, total := s.parameters()
	add("parameters", "%d", total)
	return lines
}

// classNames lists the classes' names, where they have some.
func (s *subject) classNames() string {
	switch {
	case len(s.Labels) > 6:
		return fmt.Sprintf(" (%s, ...)", strings.Join(s.Labels[:6], ", "))
	case s.Labels != nil:
		return fmt.Sprintf(" (%s)", strings.Join(s.Labels, ", "))
	case s.Answers() == nil:
		return " (different, same)"
	}
	return ""
}

// originLines says where weights come from and what was done to them.
func originLines(o *vit.Origin) (lines [][2]string) {
	if o == nil {
		return nil
	}
	for _, line := range [][2]string{{"model", o.Name}, {"weights", o.Weights}, {"made from", o.Base}, {"from", o.From}, {"license", o.License}} {
		if line[1] != "" {
			lines = append(lines, line)
		}
	}
	return lines
}

// without says text where something is not there.
func without(there bool, text string) string {
	if there {
		return ""
	}
	return text
}

// inFront names the tokens in front of the patches.
func inFront(c vit.Config) string {
	var names []string
	f := c.Family.Traits()
	if f.CLS {
		names = append(names, "CLS")
	}
	if f.Distill {
		names = append(names, "distillation")
	}
	if c.Registers > 0 {
		names = append(names, fmt.Sprintf("%d registers", c.Registers))
	}
	if len(names) == 0 {
		return ", nothing in front"
	}
	return ", in front " + strings.Join(names, ", ")
}
