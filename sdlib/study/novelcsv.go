package study

import (
	"encoding/csv"
	"io"
	"slices"
	"strconv"

	"samediff/sdlib/artifact"
	"samediff/sdlib/das"
	"samediff/sdlib/internal/disk"
)

// A NovelRow is one result of a [NovelSweep].
type NovelRow struct {
	NovelQuery
	DASResult
	Model artifact.ID
}

// A NovelScore is what figures show of a [NovelRow]; a CSV file keeps it.
type NovelScore struct {
	DASScore
	Novelty das.Novelty
}

// NovelScores are those of rows.
func NovelScores(rows []NovelRow) (scores []NovelScore) {
	for _, r := range rows {
		scores = append(scores, NovelScore{r.search().score(), r.Novel.Novelty})
	}
	return scores
}

// search is the row without what is novel.
func (r NovelRow) search() DASRow { return DASRow{r.DASQuery, r.DASResult, r.Model} }

// novelColumns are the columns of a sweep's CSV file: those of [WriteDAS], and how representations were made.
var novelColumns = append(slices.Clone(dasColumns), "novelty", "shared", "made")

// WriteNovel writes results as CSV, one line each, in the columns of [WriteDAS] and novelty; shared,
// how many pairs have the same vectors; made, of how many objects they are made.
func WriteNovel(w io.Writer, rows []NovelRow) error {
	out := csv.NewWriter(w)
	out.Write(novelColumns)
	for _, r := range rows {
		out.Write(append(r.search().cells(),
			string(r.Novel.Novelty), strconv.Itoa(max(r.Novel.Shared, 1)), strconv.Itoa(r.Made)))
	}
	out.Flush()
	return out.Error()
}

// SaveNovel writes results to a file, aside and renamed.
func SaveNovel(path string, rows []NovelRow) error {
	return disk.ReplaceTable(path, func(w io.Writer) error { return WriteNovel(w, rows) })
}

// ReadNovel reads a file that [WriteNovel] wrote.
func ReadNovel(path string) (scores []NovelScore, err error) {
	err = readResults(path, novelColumns, readNovelLine(&scores))
	return scores, err
}

// readNovelLine reads a line to the end of a list.
func readNovelLine(to *[]NovelScore) func(cell func(string) string) error {
	return func(cell func(string) string) error {
		s, err := dasScore(cell)
		if err != nil {
			return err
		}
		novelty, err := das.ParseNovelty(cell("novelty"))
		*to = append(*to, NovelScore{s, novelty})
		return err
	}
}
