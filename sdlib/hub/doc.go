// Package hub brings pretrained models from the Hugging Face hub into the cache that Python's huggingface_hub uses too: what one has
// fetched, the other finds.
//
// # The way in
//
//	dir, err := hub.FetchModel(ctx, hub.Repo{Name: "openai/clip-vit-base-patch16", Revision: commit}, hub.Options{
//		Progress: progress.Terminal(os.Stderr),
//	})
//	model, err := vit.Load(dir)
//
// A revision that is a whole commit hash always means the same bytes, and needs no network once they are here: use one wherever a
// result is to be had again. A branch, such as main, is looked up at the hub each time.
//
// # The cache
//
//	models--openai--clip-vit-base-patch16/
//		refs/main                           the commit that main was when it was last looked up
//		blobs/<etag>                        contents, named by their hash: sha256 of large files, git's hash of small ones
//		blobs/<etag>.incomplete             a content of which a part has come
//		snapshots/<commit>/config.json      a relative link to ../../blobs/<etag>; a copy where there are no links
//		.no_exist/<commit>/<file>           the hub has said that there is no such file
//	.locks/models--openai--.../<etag>.lock  held while the blob is fetched, by Python as well
//
// A file of the same content is kept once, whatever commits have it. A blob gets its name only when it has come whole and its hash is
// what the hub announced; what does not pass is discarded. A download that breaks off, or is killed, goes on where it was.
//
// # The environment
//
// What is not set in [Options] is taken from the variables that huggingface_hub knows: HF_HUB_CACHE, HF_HOME, HF_ASSETS_CACHE, HF_TOKEN, HF_TOKEN_PATH,
// HF_ENDPOINT (a mirror), HF_HUB_OFFLINE=1 (never use the network), and HTTPS_PROXY. The token goes to the hub's own host alone,
// never to the hosts to which it redirects for large files.
//
// # Trust
//
// A commit hash pins what the hub serves, and the hashes guard the way. They say nothing about the author: weights in
// pytorch_model.bin are programs in Python's eyes, and are read without being run by [samediff/sdlib/torchfile].
//
// The protocol: huggingface_hub/file_download.py of huggingface_hub 2.4.0, with which the layout was compared
// (testdata/python_cache.py).
package hub
