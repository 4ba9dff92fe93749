// Command stimuli times the drawing of discrimination stimuli on one core against NumPy and PIL drawing the same ones. The two
// sides take turns in one run, so that whatever else the machine does weighs on both:
//
//	go run ./bench/stimuli -python .venv/bin/python
//
// The Python needs numpy and pillow. For each geometry it prints the median images per second of both sides and the factor, and
// then how one call of Set.Draw is distributed.
package main

import (
	"bufio"
	"flag"
	"fmt"
	"image/color"
	"image/png"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"time"

	benchmarks "github.com/janpfeifer/go-benchmarks"

	"samediff/sdlib/stimuli"
)

func main() {
	python := flag.String("python", "python3", "a Python with numpy and pillow")
	script := flag.String("script", "bench/stimuli/generate.py", "the Python side")
	rounds := flag.Int("rounds", 9, "turns of each side")
	count := flag.Int("images", 1000, "images per turn of the Python side; ours draws ten times as many")
	flag.Parse()
	if err := run(*python, *script, *rounds, *count); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(python, script string, rounds, count int) error {
	runtime.GOMAXPROCS(1)
	masks, err := os.MkdirTemp("", "masks")
	if err != nil {
		return err
	}
	defer os.RemoveAll(masks)
	if err := writeMasks(masks); err != nil {
		return err
	}
	peer, err := start(python, script, masks)
	if err != nil {
		return err
	}
	defer peer.close()

	fmt.Println("| geometry | Go, images/s | NumPy, images/s | factor | PIL, images/s | factor |")
	fmt.Println("| --- | --- | --- | --- | --- | --- |")
	var draws []benchmarks.NamedFunction
	for _, g := range stimuli.Geometries() {
		set, err := stimuli.Open(stimuli.Config{Geometry: g})
		if err != nil {
			return err
		}
		draw := drawer(set)
		var ours, numpy, pil []float64
		for range rounds {
			ours = append(ours, rate(draw, 10*count))
			fast, err := peer.ask(g, count, "numpy")
			if err != nil {
				return err
			}
			slow, err := peer.ask(g, count, "pil")
			if err != nil {
				return err
			}
			numpy, pil = append(numpy, fast), append(pil, slow)
		}
		a, b, c := median(ours), median(numpy), median(pil)
		fmt.Printf("| %s | %.0f | %.0f | %.1f | %.0f | %.1f |\n", g.Name, a, b, a/b, c, a/c)
		draws = append(draws, benchmarks.NamedFunction{Name: "Draw/" + g.Name, Func: draw})
	}
	fmt.Println()
	benchmarks.New(draws...).WithDuration(2 * time.Second).WithInnerRepeats(1).Done()
	return nil
}

// drawer draws the set's stimuli one after the other into the same 16 images.
func drawer(set *stimuli.Set) func() {
	side := set.Geometry().Image
	var images [16][]uint8
	for i := range images {
		images[i] = make([]uint8, side*side*3)
	}
	i := 0
	return func() {
		set.Draw(i%set.Len(), images[i%16])
		i++
	}
}

func rate(draw func(), count int) float64 {
	start := time.Now()
	for range count {
		draw()
	}
	return float64(count) / time.Since(start).Seconds()
}

func median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// writeMasks saves the shapes as the original keeps them: black on white, one file each.
func writeMasks(dir string) error {
	for shape := range stimuli.BaseShapes {
		mask, err := stimuli.ShapeMask(shape, 504)
		if err != nil {
			return err
		}
		img, err := stimuli.RenderShape(shape, 0, 504)
		if err != nil {
			return err
		}
		for i, object := range mask.Bits {
			if object {
				img.Set(i%504, i/504, color.Black)
			}
		}
		file, err := os.Create(filepath.Join(dir, strconv.Itoa(shape)+".png"))
		if err != nil {
			return err
		}
		if err := png.Encode(file, img); err != nil {
			return err
		}
		if err := file.Close(); err != nil {
			return err
		}
	}
	return nil
}

// A peer is the Python process, which answers a line with a line.
type peer struct {
	command *exec.Cmd
	in      io.WriteCloser
	out     *bufio.Reader
}

func start(python, script, masks string) (*peer, error) {
	p := &peer{command: exec.Command(python, script, masks)}
	p.command.Stderr = os.Stderr
	in, err := p.command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := p.command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.in, p.out = in, bufio.NewReader(out)
	return p, p.command.Start()
}

func (p *peer) ask(g stimuli.Geometry, count int, method string) (float64, error) {
	if _, err := fmt.Fprintln(p.in, g.Image, g.Patch, g.Cell, g.Object, g.Jitter, count, method); err != nil {
		return 0, err
	}
	line, err := p.out.ReadString('\n')
	if err != nil {
		return 0, fmt.Errorf("the Python side ended (does its Python have numpy and pillow?): %w", err)
	}
	return strconv.ParseFloat(strings.TrimSpace(line), 64)
}

func (p *peer) close() {
	p.in.Close()
	_ = p.command.Wait()
}
