// Package onnx reads ONNX files: the weights in them and the graph of operations. It runs nothing and needs no ONNX runtime.
//
// An ONNX file is one protobuf message: a list of nodes, each an operation with named inputs and outputs, and a list of
// initializers, the tensors that are part of the model. A name is made once, by a node or as an initializer, before it is read.
//
//	m, err := onnx.Open("model.onnx")
//	if err != nil {
//		return err
//	}
//	defer m.Close()
//	for _, n := range m.Nodes {
//		fmt.Println(n.Op, n.Inputs, n.Outputs) // MatMul [x onnx::MatMul_1541] [y]
//	}
//	values, err := m.Initializers["onnx::MatMul_1541"].Float32s()
//
// Weights above two gigabytes, and others where the exporter chose so, lie in files beside the model, as external data. They are found
// by their names, which must stay within the model's folder.
//
// What a graph computes is for package [samediff/sdlib/onnx/encoder] to find out, which knows image encoders.
//
// # Dangers
//
// The file is mapped into memory: [Tensor.Bytes] may be that mapping, which is read-only and gone after [Model.Close].
//
// # Trust
//
// Files come from strangers. Lengths, counts, shapes, references and the places of external data are checked when a file is opened,
// memory stays within a small multiple of what the file's own nodes and names take, and a graph that refers to itself is refused.
// Local functions, subgraphs (If, Loop), sparse initializers and strings are not read: a node that needs them says so.
//
// The format: onnx.proto of ONNX 1.23 (IR version 14), https://onnx.ai/onnx/repo-docs/IR.html.
package onnx
