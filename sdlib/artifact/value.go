package artifact

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

const valueName = "value.json"

// Value returns the value of a key, kept as JSON in an artifact's value.json, and computes it if the store does not have it. The
// value returned has always gone through JSON, so that the first call and all later ones return the same: what JSON leaves out
// (unexported fields) is lost the first time already, and NaN is an error.
//
// A stored value with a field that T lacks is an error: the code has changed, and the key's Version must change with it.
func Value[T any](ctx context.Context, s *Store, key Key, compute func(ctx context.Context) (T, error)) (T, error) {
	var value T
	a, err := s.get(ctx, key, full, func(ctx context.Context, dir string) error {
		computed, err := compute(ctx)
		if err != nil {
			return err
		}
		text, err := json.Marshal(computed)
		if err != nil {
			return fmt.Errorf("its value does not encode as JSON: %w", err)
		}
		return os.WriteFile(filepath.Join(dir, valueName), append(text, '\n'), 0o666)
	})
	if err != nil {
		return value, err
	}
	text, err := os.ReadFile(a.Path(valueName))
	if err != nil {
		return value, fmt.Errorf("artifact: step %s (%s) was not stored by Value: %w", key.Step, a.ID.Short(), err)
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&value); err != nil {
		var zero T
		return zero, fmt.Errorf("artifact: step %s (%s): its stored value is no %T: %w: raise the Version in its Key, now %d",
			key.Step, a.ID.Short(), value, err, key.Version)
	}
	return value, nil
}
