package finetune

import (
	"fmt"

	"samediff/sdlib/stimuli"
	"samediff/sdlib/vit"
)

// stream hands out the training images of each epoch: always those of one set, or for a
// recipe with Fresh those of another set in every epoch, which is drawn while the device
// still learns the one before.
type stream struct {
	config vit.Config
	set    *stimuli.Set
	fresh  bool
	epochs int

	epoch int         // whose images are in data
	data  *deviceData // nil before the first
	next  chan drawn  // the epoch after it, nil when it is not under way
}

type drawn struct {
	epoch int
	data  *deviceData
	err   error
}

// at returns the images of an epoch, counted from 0. The images of the epoch before are freed.
func (s *stream) at(epoch int) (*deviceData, error) {
	if s.data != nil && (!s.fresh || epoch == s.epoch) {
		return s.data, nil
	}
	var d drawn
	if s.next != nil {
		d = <-s.next
		s.next = nil
	} else {
		d = s.draw(epoch)
	}
	if d.err != nil {
		return nil, d.err
	}
	if s.data != nil {
		s.data.close()
	}
	s.data, s.epoch = d.data, epoch
	if s.fresh && epoch+1 < s.epochs {
		next := make(chan drawn, 1)
		go func() { next <- s.draw(epoch + 1) }()
		s.next = next
	}
	return s.data, nil
}

// draw plans and draws an epoch's set.
func (s *stream) draw(epoch int) drawn {
	set := s.set
	if s.fresh && epoch > 0 {
		c := set.Config()
		c.Seed = freshSeed(c.Seed, epoch)
		var err error
		if set, err = stimuli.Open(c); err != nil {
			return drawn{err: fmt.Errorf("finetune: draw the images of epoch %d: %w", epoch+1, err)}
		}
	}
	data, err := load(s.config, set)
	return drawn{epoch, data, err}
}

// freshSeed is the seed of an epoch's images: epoch 0 has the training set's own. The
// upper half of the seed counts epochs, so that runs with seeds 1, 2, 3, ... share no images.
func freshSeed(seed uint64, epoch int) uint64 { return seed + uint64(epoch)<<32 }

func (s *stream) close() {
	if s.next != nil {
		if d := <-s.next; d.data != nil {
			d.data.close()
		}
	}
	if s.data != nil {
		s.data.close()
	}
}
