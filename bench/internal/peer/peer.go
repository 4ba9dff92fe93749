// Package peer runs a program in another language beside a benchmark, so that both can
// take turns within one run: it reads a line of words and answers with a line of numbers.
package peer

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
)

// A Process is the other program, waiting for a question.
type Process struct {
	Version string // what it said first
	in      io.Writer
	out     *bufio.Reader
}

// Start runs a command that first says what it is.
func Start(name string, args ...string) (*Process, error) {
	cmd := exec.Command(name, args...)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &Process{in: in, out: bufio.NewReader(out)}
	p.Version, err = p.line()
	return p, err
}

// Ask sends a line of words and returns the numbers of the answer.
func (p *Process) Ask(words ...any) ([]float64, error) {
	if _, err := fmt.Fprintln(p.in, words...); err != nil {
		return nil, err
	}
	line, err := p.line()
	if err != nil {
		return nil, err
	}
	var numbers []float64
	for _, word := range strings.Fields(line) {
		x, err := strconv.ParseFloat(word, 64)
		if err != nil {
			return nil, fmt.Errorf("the other program answered %q, expected numbers", line)
		}
		numbers = append(numbers, x)
	}
	return numbers, nil
}

func (p *Process) line() (string, error) {
	s, err := p.out.ReadString('\n')
	if err != nil {
		return "", fmt.Errorf("the other program ended: %w", err)
	}
	return strings.TrimSpace(s), nil
}

// Median returns the median of some measurements, 0 of none.
func Median(x []float64) float64 {
	if len(x) == 0 {
		return 0
	}
	x = slices.Sorted(slices.Values(x))
	return (x[len(x)/2] + x[(len(x)-1)/2]) / 2
}
