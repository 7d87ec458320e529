package cib

import (
	"errors"
	"fmt"
)

// ErrBehind says that the cluster has agreed on a vocabulary that this program does not speak: from here on it
// cannot follow the state. It is no error of a command, and leaves the node nothing but to stop: whoever went on
// would have another state than the others.
var ErrBehind = errors.New("this version of cerco is too old for the cluster")

func (v Vocabulary) behind(agreed Vocabulary) error {
	return fmt.Errorf("%w, which has agreed on version %d of commands; this program speaks those up to %d: install the version that the other nodes run",
		ErrBehind, agreed, v)
}

// Agreed is the vocabulary that the cluster has agreed on.
func (s *State) Agreed() Vocabulary { return max(s.Spoken, 1) }

// permits refuses what the cluster has not agreed on. The words are the same whether or not this program knows
// the command.
func (v Vocabulary) permits(s *State, c *Command) error {
	agreed := s.Agreed()
	switch {
	case c.Raise > agreed && c.Raise > v:
		return v.behind(c.Raise)
	case c.Raise > agreed:
		return nil
	case c.Raise != 0:
		return refuse("", "the cluster has agreed on version %d of commands, and cannot go back to %d", agreed, c.Raise)
	}
	if needs := max(c.V, c.needs()); needs > agreed {
		return refuse("when all nodes run the new version, `cerco cluster upgrade --final` agrees on it",
			"the command is of version %d, the cluster has agreed on version %d", needs, agreed)
	}
	return nil
}
