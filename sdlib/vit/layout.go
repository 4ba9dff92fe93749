package vit

// A layout is what a class of transformers calls its weights in a file. Files of its
// model without a head leave the prefix out.
type layout struct {
	prefix string // of all names but the head's

	cls, distill, registers, positions, patch, preNorm string

	block          string // of block l, with %d for l
	norm1, norm2   string
	q, k, v, o     string
	up, down       string
	scale1, scale2 string

	norm, head string

	qkvBias bool // config.json says whether queries, keys and values have biases (qkv_bias)

	flat bool // CLS is [D] and positions are [T, D], without leading axes of 1

	// Beginnings of names of what is no part of the model.
	idle   []string // what the class's own files hold and classification never reads: Load passes over it
	zeros  []string // those of them that the class misses in a file: Save writes D zeros
	others []string // what files of pretrained models hold beside the class's: LoadBackbone passes over it
}

// vitLayout is that of ViTForImageClassification and DeiTForImageClassification, and of
// the files of ViTModel, ViTMAEForPreTraining and DeiTForImageClassificationWithTeacher.
func vitLayout(prefix string) layout {
	return layout{
		prefix: prefix, qkvBias: true,
		cls: "embeddings.cls_token", distill: "embeddings.distillation_token",
		positions: "embeddings.position_embeddings", patch: "embeddings.patch_embeddings.projection",
		block: "encoder.layer.%d.", norm1: "layernorm_before", norm2: "layernorm_after",
		q: "attention.attention.query", k: "attention.attention.key", v: "attention.attention.value", o: "attention.output.dense",
		up: "intermediate.dense", down: "output.dense",
		norm: "layernorm", head: "classifier",
		others: []string{"embeddings.mask_token", "pooler.", "decoder.", "cls_classifier.", "distillation_classifier."},
	}
}

// dinov2Layout is that of Dinov2ForImageClassification and Dinov2WithRegistersForImageClassification.
func dinov2Layout(prefix string) layout {
	n := vitLayout(prefix)
	n.registers = "embeddings.register_tokens"
	n.norm1, n.norm2, n.up, n.down = "norm1", "norm2", "mlp.fc1", "mlp.fc2"
	n.scale1, n.scale2 = "layer_scale1.lambda1", "layer_scale2.lambda1"
	n.idle, n.others = []string{"embeddings.mask_token"}, nil
	n.zeros = n.idle
	return n
}

// clipLayout is that of CLIPVisionModelWithProjection and SiglipForImageClassification,
// and of the files of CLIPModel and SiglipModel, which hold a text tower too.
func clipLayout(head string) layout {
	return layout{
		prefix: "vision_model.",
		cls:    "embeddings.class_embedding", positions: "embeddings.position_embedding.weight", patch: "embeddings.patch_embedding",
		preNorm: "pre_layrnorm", // sic
		block:   "encoder.layers.%d.", norm1: "layer_norm1", norm2: "layer_norm2",
		q: "self_attn.q_proj", k: "self_attn.k_proj", v: "self_attn.v_proj", o: "self_attn.out_proj",
		up: "mlp.fc1", down: "mlp.fc2",
		norm: "post_layernorm", head: head,
		flat:   true,
		idle:   []string{"embeddings.position_ids", "head."}, // SigLIP's pooling, which its classifier leaves unread
		others: []string{"text_model.", "text_projection.", "logit_scale", "logit_bias"},
	}
}
