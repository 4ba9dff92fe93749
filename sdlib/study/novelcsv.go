package study

import (
	"encoding/csv"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"

	"samediff/sdlib/artifact"
	"samediff/sdlib/das"
	"samediff/sdlib/finetune"
	"samediff/sdlib/internal/disk"
	"samediff/sdlib/stimuli"
)

// A NovelRow is one result of a [NovelSweep].
type NovelRow struct {
	NovelQuery
	DASResult
	Model artifact.ID
}

// A NovelScore is what figures show of a [NovelRow]; a CSV file keeps it.
type NovelScore struct {
	Task     stimuli.Task
	Objects  stimuli.Objects
	Property stimuli.Property
	Block    int
	Novelty  das.Novelty
	finetune.Score
	Base    float64 // the model's accuracy on the pairs without an intervention
	Derived bool    // of a block after which no intervention reaches the answer
}

// NovelScores are those of rows.
func NovelScores(rows []NovelRow) (scores []NovelScore) {
	for _, r := range rows {
		scores = append(scores, NovelScore{r.Stimuli.Task, r.Stimuli.Objects, r.Property, r.Block, r.Novel.Novelty, r.Score(), r.BaseScore().Accuracy(), r.Derived})
	}
	return scores
}

// novelColumns are the columns of a sweep's CSV file: those of [WriteDAS], and how representations were made.
var novelColumns = append(slices.Clone(dasColumns), "novelty", "shared", "made")

// WriteNovel writes results as CSV, one line each, in the columns of [WriteDAS] and novelty; shared,
// how many pairs have the same vectors; made, of how many objects they are made.
func WriteNovel(w io.Writer, rows []NovelRow) error {
	out := csv.NewWriter(w)
	out.Write(novelColumns)
	for _, r := range rows {
		out.Write(append(DASRow{r.DASQuery, r.DASResult, r.Model}.cells(),
			string(r.Novel.Novelty), strconv.Itoa(max(r.Novel.Shared, 1)), strconv.Itoa(r.Made)))
	}
	out.Flush()
	return out.Error()
}

// SaveNovel writes results to a file, aside and renamed.
func SaveNovel(path string, rows []NovelRow) error {
	return disk.Replace(path, func(w io.Writer) error { return WriteNovel(w, rows) })
}

// ReadNovel reads a file that [WriteNovel] wrote.
func ReadNovel(path string) ([]NovelScore, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	records, err := csv.NewReader(f).ReadAll()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	if len(records) == 0 || !slices.Equal(records[0], novelColumns) {
		return nil, fmt.Errorf("%s: expected the columns %q: write the file with sd novel --csv", path, novelColumns)
	}
	var scores []NovelScore
	for i, record := range records[1:] {
		cell := func(column string) string { return record[slices.Index(novelColumns, column)] }
		s := NovelScore{Task: stimuli.Task(cell("task")), Objects: stimuli.Objects(cell("objects")), Property: stimuli.Property(cell("property")),
			Novelty: das.Novelty(cell("novelty")), Derived: cell("derived") == "true"}
		var errs [4]error
		s.Block, errs[0] = strconv.Atoi(cell("block"))
		s.N, errs[1] = strconv.Atoi(cell("n"))
		s.Correct, errs[2] = strconv.Atoi(cell("correct"))
		s.Base, errs[3] = strconv.ParseFloat(cell("base_accuracy"), 64)
		for _, err := range errs {
			if err != nil {
				return nil, fmt.Errorf("%s, line %d: %w", path, i+2, err)
			}
		}
		scores = append(scores, s)
	}
	return scores, nil
}
