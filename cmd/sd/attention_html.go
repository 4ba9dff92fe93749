package main

import (
	"context"

	"github.com/spf13/cobra"

	"samediff/sdlib/stimuli"
	"samediff/sdlib/study"
)

// viewing is what `sd attention --html` writes.
type viewing struct {
	file  string // "" for none
	count int
	index []int // nil for the first count images
}

func (v *viewing) add(cmd *cobra.Command) {
	cmd.Flags().StringVar(&v.file, "html", "", "file for a page to explore where the heads look")
	cmd.Flags().IntVar(&v.count, "images", 8, "number of images on the page, the first of the set")
	cmd.Flags().IntSliceVar(&v.index, "index", nil, "images on the page instead, by their indices: 3,5,8")
}

// check returns what is wrong with the flags.
func (v *viewing) check(cmd *cobra.Command) error {
	count, index := cmd.Flags().Changed("images"), cmd.Flags().Changed("index")
	switch {
	case v.file == "" && (count || index):
		return misuse(cmd, "--images and --index are for --html: name the page's file")
	case count && index:
		return misuse(cmd, "expected either --images or --index")
	case v.count < 1:
		return misuse(cmd, "--images is %d, expected 1 or more", v.count)
	}
	return nil
}

// write writes the page, with images of a folder or else of the stimuli that the heads are
// scored on. It reports whether there are scores.
func (v *viewing) write(ctx context.Context, lab *study.Lab, m *study.Model, name, folder string) (scored bool, err error) {
	var set *stimuli.Set
	images := v.index
	for i := 0; v.index == nil && i < v.count; i++ {
		images = append(images, i)
	}
	if folder != "" {
		if set, err = study.ImportSet(folder, m.Config); err != nil {
			return false, err
		}
		if v.index == nil {
			images = images[:min(len(images), set.Len())]
		}
	}
	page, err := lab.Viewer(ctx, m, set, images)
	if err != nil {
		return false, err
	}
	page.Title = "Attention of " + m.Label(name)
	return page.Scores != nil, page.Save(v.file)
}
