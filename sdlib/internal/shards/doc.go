// Package shards reads models whose weights are spread over several files, as Hugging Face writes large ones:
//
//	model.safetensors.index.json        {"metadata": {...}, "weight_map": {"embeddings.cls_token": "model-00001-of-00002.safetensors", ...}}
//	model-00001-of-00002.safetensors
//	model-00002-of-00002.safetensors
//
// The index says which tensor is in which file. [Open] opens all files and compares: an index and files of different versions of a
// model make a mixture that computes something, and nobody would see it.
package shards
