package hypervisor

import (
	"encoding/xml"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/cerco-ha/cerco/internal/guestfence"
)

// saved is what libvirt notes of a running machine on disk, for its own next start.
type saved struct {
	State string `xml:"state,attr"`
	PID   int    `xml:"pid,attr"`
	Job   struct {
		Async string `xml:"async,attr"` // there while something long is under way, such as "migration out"
	} `xml:"job"`
	Domain struct {
		Name string `xml:"name"`
		UUID string `xml:"uuid"`
	} `xml:"domain"`
}

func parseSaved(b []byte) (saved, error) {
	var s saved
	if err := xml.Unmarshal(b, &s); err != nil {
		return saved{}, err
	}
	s.Domain.Name, s.Domain.UUID = strings.TrimSpace(s.Domain.Name), strings.TrimSpace(s.Domain.UUID)
	if s.PID <= 1 || s.Domain.Name == "" || uuidOf(s.Domain.UUID) == "" {
		return saved{}, errors.New("it is no note of a running machine")
	}
	return s, nil
}

// savedMachine finds the note of a machine while libvirt is away. It is libvirt's word of before: that the machine
// was here, and whether it was being moved.
func savedMachine(dir, id string) (saved, error) {
	notes, err := filepath.Glob(filepath.Join(dir, "*.xml"))
	if err != nil {
		return saved{}, err
	}
	for _, file := range notes {
		b, err := os.ReadFile(file)
		if err != nil {
			continue // it ended since
		}
		s, err := parseSaved(b)
		if err != nil {
			continue
		}
		if u := uuidOf(id); u == "" && s.Domain.Name == id || u != "" && strings.EqualFold(u, s.Domain.UUID) {
			return s, nil
		}
	}
	return saved{}, fmt.Errorf("libvirt has left no note of a running machine %q in %s: %w", id, dir, guestfence.ErrUnknown)
}

// settled tells whether the machine was not being moved when the note was written.
func (s saved) settled() bool {
	return s.State == "running" && (s.Job.Async == "" || s.Job.Async == "none")
}
