package torchfile

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math"
	"unicode/utf8"
)

const (
	// maxPickle is the most bytes a pickle may have: it describes tensors, and a tensor takes about 150.
	maxPickle = 64 << 20
	// maxValues is how many values a pickle may make or repeat. A tensor takes about 25, of at most about 100 bytes of memory each.
	maxValues = 1 << 20
	maxGlobal = 256 // bytes of a module's or a global's name
)

// A machine runs one pickle: a program of one-byte opcodes for a stack. Python's own machine imports whatever a GLOBAL opcode names
// and calls it at REDUCE; this one knows the names in globals.go and no other. The first error stops it: after an error all methods
// return zero values, and step need not check.
type machine struct {
	in       []byte // starts with the pickle, may go on after it
	at       int
	stack    []any
	marks    []int // positions in the stack
	memo     map[int]any
	values   int
	storages []*storage // all that it has met
	err      error
}

// unpickle runs the pickle at the start of in and returns what it makes, and how many bytes it takes.
func unpickle(in []byte) (value any, m *machine, err error) {
	m = &machine{in: in[:min(len(in), maxPickle)], memo: make(map[int]any)}
	for m.err == nil {
		op := m.uint(1)
		if op == '.' { // STOP
			value = m.pop()
			break
		}
		m.step(byte(op))
	}
	if m.err != nil {
		return nil, nil, fmt.Errorf("its pickle, byte %d: %w", m.at, m.err)
	}
	return value, m, nil
}

func (m *machine) fail(format string, args ...any) {
	if m.err == nil {
		m.err = fmt.Errorf(format, args...)
	}
}

// step runs one opcode. Their names are those of Python's pickletools, which says what each does.
func (m *machine) step(op byte) {
	switch op {
	case 0x80: // PROTO
		if version := m.uint(1); version > 5 {
			m.fail("pickle protocol %d is not known, want 2 to 5", version)
		}
	case 0x95: // FRAME: a hint for reading ahead
		m.take(8)

	case 'N': // NONE
		m.push(nil)
	case 0x88, 0x89: // NEWTRUE, NEWFALSE
		m.push(op == 0x88)
	case 'K': // BININT1
		m.push(m.uint(1))
	case 'M': // BININT2
		m.push(m.uint(2))
	case 'J': // BININT
		m.push(int(int32(m.uint(4))))
	case 0x8a: // LONG1
		m.push(integer(m.take(m.uint(1))))
	case 'G': // BINFLOAT
		if b := m.take(8); b != nil {
			m.push(math.Float64frombits(binary.BigEndian.Uint64(b)))
		}
	case 'U', 0x8c: // SHORT_BINSTRING, SHORT_BINUNICODE
		m.push(m.text(m.uint(1)))
	case 'T', 'X': // BINSTRING, BINUNICODE
		m.push(m.text(m.uint(4)))

	case '(': // MARK
		m.spend(1)
		m.marks = append(m.marks, len(m.stack))
	case ')': // EMPTY_TUPLE
		m.push(tuple{})
	case 0x85, 0x86, 0x87: // TUPLE1, TUPLE2, TUPLE3
		m.push(tuple(m.popN(int(op - 0x84))))
	case 't': // TUPLE
		m.push(tuple(m.popMark()))
	case ']': // EMPTY_LIST
		m.push(&list{})
	case 'a': // APPEND
		m.extend(m.popN(1))
	case 'e': // APPENDS
		m.extend(m.popMark())
	case '}': // EMPTY_DICT
		m.push(&dict{})
	case 's': // SETITEM
		m.set(m.popN(2))
	case 'u': // SETITEMS
		m.set(m.popMark())

	case 'q': // BINPUT
		m.memo[m.uint(1)] = m.top()
	case 'r': // LONG_BINPUT
		m.memo[m.uint(4)] = m.top()
	case 0x94: // MEMOIZE
		m.memo[len(m.memo)] = m.top()
	case 'h': // BINGET
		m.recall(m.uint(1))
	case 'j': // LONG_BINGET
		m.recall(m.uint(4))

	case 'c': // GLOBAL
		module := m.line()
		m.global(module, m.line())
	case 0x93: // STACK_GLOBAL
		names := m.popN(2)
		if m.err == nil {
			module, ok := names[0].(string)
			name, ok2 := names[1].(string)
			if !ok || !ok2 {
				m.fail("a global is named by %s and %s, want strings", kind(names[0]), kind(names[1]))
			}
			m.global(module, name)
		}
	case 'R': // REDUCE
		m.call()
	case 'b': // BUILD: attributes of an object, such as the _metadata of a state dict; no tensor depends on them
		m.pop()
		if _, ok := m.top().(*dict); !ok {
			m.fail("it sets attributes of %s; only those of an OrderedDict are known", kind(m.top()))
		}
	case 'Q': // BINPERSID
		s, err := newStorage(m.pop())
		if err != nil {
			m.fail("%w", err)
			return
		}
		m.storages = append(m.storages, s)
		m.push(s)

	default:
		m.fail("opcode %#02x is not one that torch.save writes; the file is damaged, or its pickle was made by other means", op)
	}
}

// take returns the next n bytes.
func (m *machine) take(n int) []byte {
	if rest := len(m.in) - m.at; m.err != nil || n < 0 || n > rest {
		m.fail("it ends in the middle: %d bytes are wanted, %d are left", uint(n), rest)
		return nil
	}
	m.at += n
	return m.in[m.at-n : m.at]
}

// uint reads a little-endian number of n bytes.
func (m *machine) uint(n int) (v int) {
	for i, b := range m.take(n) {
		v |= int(b) << (8 * i)
	}
	return v
}

func (m *machine) text(n int) string {
	b := m.take(n)
	if !utf8.Valid(b) {
		m.fail("a string of %d bytes is not UTF-8", len(b))
	}
	return string(b)
}

func (m *machine) line() string {
	rest := m.in[m.at:min(len(m.in), m.at+maxGlobal)]
	end := bytes.IndexByte(rest, '\n')
	if end < 0 {
		m.fail("the name of a global is cut or has more than %d bytes", maxGlobal)
		return ""
	}
	m.at += end + 1
	return string(rest[:end])
}

// integer reads a little-endian number in two's complement.
func integer(b []byte) any {
	if len(b) > 8 {
		return long(b)
	}
	var v uint64
	for i, x := range b {
		v |= uint64(x) << (8 * i)
	}
	unused := 64 - 8*len(b) // Go shifts by 64 to 0
	signed := int64(v<<unused) >> unused
	if int64(int(signed)) != signed {
		return long(b)
	}
	return int(signed)
}

// spend counts values against what a pickle may make.
func (m *machine) spend(n int) {
	if m.values += n; m.values > maxValues {
		m.fail("it makes more than %d values, which no state dict needs", maxValues)
	}
}

func (m *machine) push(v any) {
	m.spend(1)
	m.stack = append(m.stack, v)
}

// fence is where the stack ends that an opcode may reach: the last mark.
func (m *machine) fence() int {
	if len(m.marks) == 0 {
		return 0
	}
	return m.marks[len(m.marks)-1]
}

func (m *machine) top() any {
	if m.err != nil || len(m.stack) <= m.fence() {
		m.fail("its stack is empty")
		return nil
	}
	return m.stack[len(m.stack)-1]
}

func (m *machine) pop() any {
	v := m.top()
	if m.err == nil {
		m.stack = m.stack[:len(m.stack)-1]
	}
	return v
}

// popN returns the last n values, in a slice of their own.
func (m *machine) popN(n int) []any {
	if m.err != nil || len(m.stack)-n < m.fence() {
		m.fail("its stack is empty")
		return nil
	}
	values := append(make([]any, 0, n), m.stack[len(m.stack)-n:]...)
	m.stack = m.stack[:len(m.stack)-n]
	return values
}

// popMark returns all values above the last mark, and takes the mark away.
func (m *machine) popMark() []any {
	if len(m.marks) == 0 {
		m.fail("its stack has no mark")
		return nil
	}
	values := m.popN(len(m.stack) - m.fence())
	m.marks = m.marks[:len(m.marks)-1]
	return values
}

func (m *machine) recall(key int) {
	v, ok := m.memo[key]
	if !ok {
		m.fail("it recalls value %d, which it has not stored", key)
	}
	m.push(v)
}

func (m *machine) extend(values []any) {
	l, ok := m.top().(*list)
	if !ok {
		m.fail("it appends to %s, want a list", kind(m.top()))
		return
	}
	l.items = append(l.items, values...)
}

func (m *machine) set(pairs []any) {
	d, ok := m.top().(*dict)
	switch {
	case !ok:
		m.fail("it sets items of %s, want a dict", kind(m.top()))
	case len(pairs)%2 != 0:
		m.fail("a dict has a key without a value")
	default:
		for i := 0; i < len(pairs); i += 2 {
			d.keys, d.values = append(d.keys, pairs[i]), append(d.values, pairs[i+1])
		}
	}
}
