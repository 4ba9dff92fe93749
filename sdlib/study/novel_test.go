package study

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"samediff/sdlib/artifact"
	"samediff/sdlib/backend"
	"samediff/sdlib/das"
	"samediff/sdlib/stimuli"
)

// A sweep of novel representations runs the searches that it needs, which a sweep of searches then
// finds done; it is computed once, and its file is read as it was written.
func TestNovel(t *testing.T) {
	ctx, l := t.Context(), lab(t, t.TempDir(), backend.Go)
	s := Trained("deep", deep())
	free := briefly
	free.Sparsity = 0
	w := NovelSweep{DASSweep: DASSweep{Recipe: free, Properties: []stimuli.Property{stimuli.ColorProperty}, Test: 16}, Made: 8}
	queries, err := l.NovelQueries(ctx, s, w)
	if err != nil {
		t.Fatal(err)
	}
	jobs := NovelJobs(s, queries)
	if len(queries) != 8 || len(jobs) != 10 {
		t.Fatalf("%d queries and %d jobs, expected 2 blocks of 4 novelties, after their 2 searches", len(queries), len(jobs))
	}
	if err := l.Work(ctx, jobs); err != nil {
		t.Fatal(err)
	}
	reader := lab(t, l.Store.Dir(), "none: reading needs no backend")
	m, err := reader.Train(ctx, deep())
	if err != nil {
		t.Fatal(err)
	}
	rows, err := reader.NovelRows(ctx, m, queries)
	if err != nil {
		t.Fatal(err)
	}
	searches, err := reader.DASRows(ctx, m, []DASQuery{queries[0].DASQuery, queries[4].DASQuery})
	if err != nil {
		t.Fatal(err)
	}
	if rows[0].Dims == 0 {
		t.Fatal("the search swaps no dimension: expected some without a penalty")
	}
	for i, r := range rows {
		search := searches[i/4]
		if r.Block != search.Block || r.Dims != search.Dims || r.Derived != (r.Block == 1) || !slices.Equal(r.Base, search.Base) || !slices.Equal(r.Targets, search.Targets) {
			t.Errorf("%s is about another search than %s", r.Title(), search.Title())
		}
		if r.Derived && r.Score() != r.Without() {
			t.Errorf("%s: %v after the last block, expected the level of no intervention, %v", r.Title(), r.Score(), r.Without())
		}
	}

	path := filepath.Join(t.TempDir(), "novel.csv")
	if err := SaveNovel(path, rows); err != nil {
		t.Fatal(err)
	}
	scores, err := ReadNovel(path)
	if err != nil || !slices.Equal(scores, NovelScores(rows)) {
		t.Errorf("read %v, %v, wrote %v", scores, err, NovelScores(rows))
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	if len(lines) != 9 || !strings.HasPrefix(lines[2], m.ID.Short()+",discrimination,256,color,0,das,none,own,1,test-iid,16,") || !strings.HasSuffix(lines[2], ",false,interpolated,1,8") {
		t.Errorf("the table is\n%s", text)
	}
	if err := SaveDAS(path, searches); err == nil || !strings.Contains(err.Error(), "holds something else") {
		t.Errorf("a table of searches took the place of one of novel representations: %v", err)
	}
	if after, err := os.ReadFile(path); err != nil || string(after) != string(text) {
		t.Errorf("the table that was to stay is\n%s\n%v", after, err)
	}
	path = filepath.Join(t.TempDir(), "das.csv")
	if err := SaveDAS(path, searches); err != nil {
		t.Fatal(err)
	}
	if read, err := ReadDAS(path); err != nil || !slices.Equal(read, DASScores(searches)) {
		t.Errorf("read %v, %v, wrote %v", read, err, DASScores(searches))
	}
	if _, err := ReadNovel(path); err == nil || !strings.Contains(err.Error(), "expected the columns") {
		t.Errorf("a table of searches was read as one of novel representations: %v", err)
	}
}

// Where a search has found nothing worth a dimension there is nothing to write to, and no answer changes.
func TestNovelNowhere(t *testing.T) {
	ctx, l := t.Context(), lab(t, t.TempDir(), backend.Go)
	s, costly := Trained("deep", deep()), briefly
	costly.Sparsity = 10
	queries, err := l.NovelQueries(ctx, s, NovelSweep{DASSweep: DASSweep{Recipe: costly, Blocks: []int{0}, Test: 16}, Made: 8, Novelties: []das.Novelty{das.Added}})
	if err != nil {
		t.Fatal(err)
	}
	m, err := l.Train(ctx, deep())
	if err != nil {
		t.Fatal(err)
	}
	rows, err := l.NovelRows(ctx, m, queries)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if r.Dims != 0 || r.Derived || r.Score() != r.Without() || r.Score().N != 16 {
			t.Errorf("%s: %d dimensions, %+v, expected none, and %+v", r.Title(), r.Dims, r.Score(), r.Without())
		}
	}
}

// Vectors that pairs share are another question than those of their own, and wrong ones are
// refused before anything is trained.
func TestNovelQueries(t *testing.T) {
	l, s := lab(t, t.TempDir(), backend.Go), Trained("deep", deep())
	sweep := DASSweep{Recipe: briefly, Test: 16}
	own, err := l.NovelQueries(t.Context(), s, NovelSweep{DASSweep: sweep})
	if err != nil {
		t.Fatal(err)
	}
	shared, err := l.NovelQueries(t.Context(), s, NovelSweep{DASSweep: sweep, Shared: das.PaperShared})
	if err != nil {
		t.Fatal(err)
	}
	alone, err := l.NovelQueries(t.Context(), s, NovelSweep{DASSweep: sweep, Shared: 1})
	if err != nil || !slices.Equal(alone, own) {
		t.Errorf("%v: vectors that one pair shares are another question than those of its own", err)
	}
	id := func(q NovelQuery) artifact.ID {
		id, err := Novel.key(artifact.ID(strings.Repeat("0", 64)), nil, q).ID()
		if err != nil {
			t.Fatal(err)
		}
		return id
	}
	if own[0].Made != DASTests || id(own[0]) == id(shared[0]) || id(own[0]) == id(own[1]) {
		t.Errorf("%+v, %+v and %+v have one key", own[0], own[1], shared[0])
	}
	made, err := own[0].Objects() // of other images than those of the test, as in the paper
	if err != nil {
		t.Fatal(err)
	}
	tested, err := own[0].Pairs()
	if err != nil {
		t.Fatal(err)
	}
	if made.Config().Set.Split != stimuli.Val || made.Len() != DASTests || tested.Config().Set.Split != stimuli.TestIID || tested.Len() != 16 {
		t.Errorf("%d vectors are made of %s, and tested on %d pairs of %s", made.Len(), made.Config().Set.Split, tested.Len(), tested.Config().Set.Split)
	}
	for want, w := range map[string]NovelSweep{
		`no novelty "mixed"`:     {DASSweep: sweep, Novelties: []das.Novelty{"mixed"}},
		"-1 pairs share":         {DASSweep: sweep, Shared: -1},
		"7 counterfactual pairs": {DASSweep: sweep, Made: 7},
		"no novelties":           {DASSweep: sweep, Novelties: []das.Novelty{}},
		"no block 5: expected 0": {DASSweep: DASSweep{Recipe: briefly, Blocks: []int{5}}},
	} {
		if _, err := l.NovelQueries(t.Context(), s, w); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("the error is %v, expected it to speak of %q", err, want)
		}
	}
	if left, _ := filepath.Glob(filepath.Join(l.Store.Dir(), "*", "*")); len(left) > 0 {
		t.Errorf("the store has %v, expected nothing", left)
	}
}
