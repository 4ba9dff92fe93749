package study

import "samediff/sdlib/vit"

// Adopt lets a name stand for a model that was read elsewhere, such as one from the hub, in this lab
// for as long as it is open. Its results are kept under the hash of its weights, as those of any other.
func (l *Lab) Adopt(name string, m *vit.Model) (*Model, error) {
	adopted, err := l.identified(m, "")
	if err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.found[name] = adopted
	return adopted, nil
}
