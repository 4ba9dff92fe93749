package hub

import (
	"context"
	"fmt"
	"strings"

	"samediff/sdlib/internal/shards"
)

// Fetch returns a folder that holds files of a model, downloading those that the cache lacks. The folder is one commit's: all files
// are of the same version, even when the branch moves in between. It belongs to the cache: read it, and do not write there.
//
// Files of a revision that is a whole commit hash need no network once they are in the cache. A branch or tag is looked up at the
// hub each time; where the hub cannot be reached, the commit it was last time is used.
func Fetch(ctx context.Context, repo Repo, files []string, o Options) (dir string, err error) {
	if len(files) == 0 {
		return "", fmt.Errorf("hub: no file of %s is asked for", repo)
	}
	f, err := newFetcher(repo, o)
	if err != nil {
		return "", err
	}
	defer f.client.CloseIdleConnections()
	for _, file := range files {
		if err := f.need(ctx, file); err != nil {
			return "", err
		}
	}
	return f.finish(ctx)
}

// The forms of weights, best first.
var weights = []string{"model.safetensors", "model.safetensors.index.json", "pytorch_model.bin", "pytorch_model.bin.index.json"}

// FetchModel returns a folder that holds what it takes to load a model: config.json, preprocessor_config.json or processor_config.json if the model has one,
// and its weights: model.safetensors, else its shards with their index, else pytorch_model.bin, else its shards with their index.
func FetchModel(ctx context.Context, repo Repo, o Options) (dir string, err error) {
	f, err := newFetcher(repo, o)
	if err != nil {
		return "", err
	}
	defer f.client.CloseIdleConnections()
	if err := f.need(ctx, "config.json"); err != nil {
		return "", err
	}
	fresh := len(f.wanted) > 0
	prepared, err := f.take(ctx, "preprocessor_config.json")
	if err != nil {
		return "", err
	}
	if !prepared && fresh { // what transformers 5 writes; of a model that is in the cache nothing more is asked
		if _, err := f.take(ctx, "processor_config.json"); err != nil {
			return "", err
		}
	}
	form, err := f.takeFirst(ctx, weights)
	if err != nil {
		return "", err
	}
	if strings.HasSuffix(form, ".index.json") && len(f.missing) == 0 {
		if err := f.download(ctx); err != nil {
			return "", err
		}
		index, err := shards.ReadIndex(f.cache.file(f.commit, form))
		if err != nil {
			return "", err
		}
		for _, file := range index.Files() {
			if err := f.need(ctx, file); err != nil {
				return "", err
			}
		}
	}
	return f.finish(ctx)
}
