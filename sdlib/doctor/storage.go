package doctor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"samediff/sdlib/artifact"
)

// lowDisk is the free space in bytes below which work is likely to fail soon: a model of the paper with its activations.
const lowDisk = 1 << 30

// storage examines the store of results and the disk it lies on.
func storage(ctx context.Context, dir string) []Finding {
	const name = "Store"
	s, err := artifact.Open(dir)
	if err != nil {
		return []Finding{failed(name, err.Error(), "name a folder by --store or $SD_STORE")}
	}
	infos, err := s.List(ctx)
	if err != nil {
		return []Finding{failed(name, err.Error(), "name another folder by --store or $SD_STORE")}
	}
	var size int64
	damaged := 0
	for _, i := range infos {
		size += i.Size
		if i.Problem != nil {
			damaged++
		}
	}
	place := existing(s.Dir())
	all := []Finding{ok(name, fmt.Sprintf("%s, %d results, %d MiB, writable", s.Dir(), len(infos), size>>20))}
	if err := writable(place); err != nil {
		all[0] = failed(name, fmt.Sprintf("%s cannot be written: %v", s.Dir(), err), "name a folder that you may write by --store or $SD_STORE")
	} else if damaged > 0 {
		all[0] = absent(name, fmt.Sprintf("%s, %d of %d results are damaged", s.Dir(), damaged, len(infos)),
			"nothing to do: they are computed again when they are asked for (`sd store verify` sets them aside)")
	}
	return append(all, disk(place))
}

func disk(dir string) Finding {
	const name = "Free disk"
	free, err := freeSpace(dir)
	switch {
	case errors.Is(err, errors.ErrUnsupported):
		return absent(name, "not known on this system", "see to it that there is 1 GiB or more")
	case err != nil:
		return failed(name, err.Error(), "name another folder for the store by --store or $SD_STORE")
	case free < lowDisk:
		return failed(name, fmt.Sprintf("%d MiB at %s", free>>20, dir), "free some space (`sd store ls` shows sizes), or name a store on another disk by $SD_STORE")
	}
	return ok(name, fmt.Sprintf("%.1f GiB at %s", float64(free)/(1<<30), dir))
}

// existing returns the folder itself or the nearest one above that exists: where it would be made.
func existing(dir string) string {
	for {
		if _, err := os.Stat(dir); !errors.Is(err, fs.ErrNotExist) || dir == filepath.Dir(dir) {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

// writable tries to write a file into a folder.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".sd-doctor-")
	if err != nil {
		return err
	}
	_, err = f.WriteString("writable")
	return errors.Join(err, f.Close(), os.Remove(f.Name()))
}
