package encoder

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"samediff/sdlib/onnx"
)

func TestTry(t *testing.T) {
	for _, p := range strings.Fields(os.Getenv("TRY")) {
		start := time.Now()
		m, err := onnx.Open(p)
		if err != nil {
			t.Error(err)
			continue
		}
		e, err := Read(m, Options{})
		if err != nil {
			fmt.Println(p, "ERR", err)
			continue
		}
		fmt.Println(p, time.Since(start), e.Image, e.Patch, e.Width, e.Heads, e.MLP, e.NormEps, e.Activation, "front", len(e.Front), "reg", e.Registers.Shape, "pos", e.Positions.Shape, e.PosGrid, e.Resampled, "blocks", len(e.Blocks), "pre", e.PreNorm != nil, "ls", e.Blocks[0].Scale1 != nil, "bits", e.Bits(), "head", e.Head != nil, e.Reads, e.Rest)
	}
}
