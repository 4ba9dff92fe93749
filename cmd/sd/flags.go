package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"samediff/sdlib/stimuli"
)

// A choice is a flag that takes one of a few names.
type choice[T ~string] struct {
	to      *T
	allowed []T
}

func (c choice[T]) String() string {
	if c.to == nil {
		return ""
	}
	return string(*c.to)
}

func (c choice[T]) Type() string { return "name" }

func (c choice[T]) Set(s string) error {
	if !slices.Contains(c.allowed, T(s)) {
		return fmt.Errorf("expected one of %s", join(c.allowed))
	}
	*c.to = T(s)
	return nil
}

// A geometryFlag is a flag that takes the name of a geometry.
type geometryFlag struct{ to *stimuli.Geometry }

func (g geometryFlag) String() string {
	if g.to == nil {
		return ""
	}
	return g.to.Name
}

func (g geometryFlag) Type() string { return "name" }

func (g geometryFlag) Set(s string) (err error) {
	*g.to, err = stimuli.ParseGeometry(s)
	return err
}

var (
	tasks      = []stimuli.Task{stimuli.Discrimination, stimuli.RMTS}
	splits     = []stimuli.Split{stimuli.Train, stimuli.Val, stimuli.Test, stimuli.TestIID}
	properties = []stimuli.Property{stimuli.ShapeProperty, stimuli.ColorProperty}
	objects    = []stimuli.Objects{stimuli.All256, stimuli.Compositional32, stimuli.OODShape, stimuli.OODColor, stimuli.OODShapeColor}
)

// addStimuli gives a command the flags that choose a kind of stimuli; what c holds are their defaults.
func addStimuli(cmd *cobra.Command, c *stimuli.Config) {
	cmd.Flags().Var(geometryFlag{&c.Geometry}, "geometry", "sizes of image, patch and object: "+geometryNames())
	cmd.Flags().Var(choice[stimuli.Task]{&c.Task, tasks}, "task", "the question: "+join(tasks))
	cmd.Flags().Var(choice[stimuli.Objects]{&c.Objects, objects}, "objects", "which shapes and colors: "+join(objects))
	cmd.Flags().Var(choice[stimuli.Property]{&c.Factors.Relation, properties}, "same-in", "which property makes objects the same, whatever the other is: "+join(properties)+" (the paper: both)")
}

// addTask gives a command the flag --task, for models that do not say what they learned. A command that asks a model about stimuli
// of its own choice needs it.
func (a *app) addTask(cmd *cobra.Command) {
	cmd.Flags().Var(choice[stimuli.Task]{&a.task, tasks}, "task", "what a model learned that does not say so (default discrimination): "+join(tasks))
}

func geometryNames() string {
	var names []string
	for _, g := range stimuli.Geometries() {
		names = append(names, g.Name)
	}
	return strings.Join(names, ", ")
}

func join[T ~string](names []T) string {
	var all []string
	for _, name := range names {
		all = append(all, string(name))
	}
	return strings.Join(all, ", ")
}
