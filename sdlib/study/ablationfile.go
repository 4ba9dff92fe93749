package study

import (
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"regexp"
	"slices"
	"strconv"

	"samediff/sdlib/artifact"
	"samediff/sdlib/internal/disk"
	"samediff/sdlib/stimuli"
)

// ablationColumns are the columns of the CSV file of an ablation.
var ablationColumns = []string{"scale", "task", "losses", "seed", "set", "n", "correct", "accuracy", "low", "high", "model"}

// fields are a result's columns, with Wilson's 95 % interval.
func (r AblationResult) fields() []string {
	low, high := r.Score.Interval()
	return []string{string(r.Scale), string(r.Task), r.Losses.String(), strconv.FormatUint(r.Seed, 10), r.Set, strconv.Itoa(r.Score.N), strconv.Itoa(r.Score.Correct),
		fmt.Sprintf("%.4f", r.Score.Accuracy()), fmt.Sprintf("%.4f", low), fmt.Sprintf("%.4f", high), r.Model.Short()}
}

// WriteAblation writes results as CSV, one line each, with Wilson's 95 % interval.
func WriteAblation(w io.Writer, results []AblationResult) error {
	out := csv.NewWriter(w)
	out.Write(ablationColumns)
	for _, r := range results {
		out.Write(r.fields())
	}
	out.Flush()
	return out.Error()
}

// SaveAblation writes results to a file. The rows that it has already keep their places: those of the same models and sets are
// replaced, those of a model that a training has no longer go, all others stay as they are, and new ones come behind. The file is
// written aside and renamed, and left alone where nothing changes.
func SaveAblation(path string, results []AblationResult) error {
	there, err := ReadAblation(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	merged := slices.DeleteFunc(slices.Clone(there), func(old AblationResult) bool {
		return slices.ContainsFunc(results, func(r AblationResult) bool {
			return r.Ablation == old.Ablation && r.Set != old.Set && r.Model.Short() != old.Model.Short()
		})
	})
	for _, r := range results {
		if i := slices.IndexFunc(merged, r.sameRow); i >= 0 {
			merged[i] = r
		} else {
			merged = append(merged, r)
		}
	}
	var text, was bytes.Buffer
	if err := errors.Join(WriteAblation(&text, merged), WriteAblation(&was, there)); err != nil {
		return err
	}
	if len(there) > 0 && bytes.Equal(text.Bytes(), was.Bytes()) {
		return nil
	}
	return disk.Replace(path, func(w io.Writer) error {
		_, err := w.Write(text.Bytes())
		return err
	})
}

// sameRow reports whether two results are about the same training and set.
func (r AblationResult) sameRow(other AblationResult) bool {
	return r.Ablation == other.Ablation && r.Set == other.Set
}

// ReadAblation reads a file that [WriteAblation] wrote. A row that could not be a result is an error that names its line: counts
// that are none, an accuracy or an interval that does not follow from them, a set that a table lacks, a row that is there twice.
func ReadAblation(path string) ([]AblationResult, error) {
	text, err := disk.ReadText(path)
	if err != nil {
		return nil, err
	}
	all, err := parseAblation(text)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return all, nil
}

// parseAblation reads the text of a file of results.
func parseAblation(text []byte) ([]AblationResult, error) {
	in := csv.NewReader(bytes.NewReader(text))
	in.FieldsPerRecord = len(ablationColumns)
	header, err := in.Read()
	if err != nil && err != io.EOF && !errors.Is(err, csv.ErrFieldCount) {
		return nil, err
	}
	if !slices.Equal(header, ablationColumns) {
		return nil, fmt.Errorf("no table of losses: expected the columns %v", ablationColumns)
	}
	var all []AblationResult
	seen := map[AblationResult]int{} // the line, by training and set
	models := pairing[Ablation]{}
	for {
		fields, err := in.Read()
		if err == io.EOF {
			return all, nil
		}
		if err != nil {
			return nil, err // it names the line
		}
		line, _ := in.FieldPos(0)
		r, err := parseAblationRow(fields)
		if err != nil {
			return nil, fmt.Errorf("line %d: %w: correct the line, or delete it to compute it again", line, err)
		}
		key := AblationResult{Ablation: r.Ablation, Set: r.Set}
		if before := seen[key]; before > 0 {
			return nil, fmt.Errorf("line %d is about the same model and set as line %d: delete one of them", line, before)
		}
		if other := models.line(r.Ablation, r.Model, line); other > 0 {
			return nil, fmt.Errorf("line %d has model %s for seed %d, which line %d contradicts: a training has one model, and a model one training; delete the wrong line", line, r.Model, r.Seed, other)
		}
		seen[key] = line
		all = append(all, r)
	}
}

// A pairing has the model of each training, and the training of each model, with the line that says so. It finds a digit that was
// changed in a seed or an ID, which nothing else in a line depends on.
type pairing[T comparable] map[any]paired

type paired struct {
	to   any
	line int
}

// line takes a line, and returns one before it that contradicts it, 0 where there is none.
func (p pairing[T]) line(training T, model artifact.ID, line int) int {
	for _, pair := range [][2]any{{training, model}, {model, training}} {
		if before, known := p[pair[0]]; !known {
			p[pair[0]] = paired{pair[1], line}
		} else if before.to != pair[1] {
			return before.line
		}
	}
	return 0
}

// shortID is what artifact.ID.Short gives.
var shortID = regexp.MustCompile(`^[0-9a-f]{12}$`)

// parseAblationRow reads and checks one row.
func parseAblationRow(fields []string) (r AblationResult, err error) {
	r = AblationResult{Ablation: Ablation{Scale: Scale(fields[0]), Task: stimuli.Task(fields[1])}, Set: fields[4], Model: artifact.ID(fields[10])}
	var errs [4]error
	r.Losses, errs[0] = ParseLosses(fields[2], r.Task)
	r.Seed, errs[1] = strconv.ParseUint(fields[3], 10, 64)
	r.Score.N, errs[2] = strconv.Atoi(fields[5])
	r.Score.Correct, errs[3] = strconv.Atoi(fields[6])
	if err := errors.Join(errs[:]...); err != nil {
		return r, err
	}
	switch {
	case r.Scale.check() != nil:
		return r, r.Scale.check()
	case r.Task != stimuli.Discrimination && r.Task != stimuli.RMTS:
		return r, fmt.Errorf("no task %q, expected %s or %s", r.Task, stimuli.Discrimination, stimuli.RMTS)
	case !slices.Contains(ablationSets, r.Set):
		return r, fmt.Errorf("no set %q, expected one of %q", r.Set, ablationSets)
	case r.Score.N < 1 || r.Score.Correct < 0 || r.Score.Correct > r.Score.N:
		return r, fmt.Errorf("%d of %d images are right, expected 0 to n of n images, n at least 1", r.Score.Correct, r.Score.N)
	case !shortID.MatchString(fields[10]):
		return r, fmt.Errorf("the model is %q, expected the first 12 hexadecimal digits of an ID", fields[10])
	}
	for i, want := range r.fields() {
		switch {
		case fields[i] == want:
		case i >= slices.Index(ablationColumns, "accuracy"):
			return r, fmt.Errorf("%s is %s, but %d of %d gives %s", ablationColumns[i], fields[i], r.Score.Correct, r.Score.N, want)
		default:
			return r, fmt.Errorf("%s is %q, expected it as %q", ablationColumns[i], fields[i], want)
		}
	}
	return r, nil
}
