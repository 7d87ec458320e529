package cib

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
)

// snapshotFormat is the number of the format that EncodeState writes.
const snapshotFormat = 1

// snapshotHead is what stands before the CIB in an encoded state: one line of JSON.
type snapshotHead struct {
	Format  int           `json:"cerco_state"`
	Index   uint64        `json:"index"`
	Spoken  Vocabulary    `json:"spoken,omitempty"`
	Cluster Cluster       `json:"cluster"`
	Nodes   []NodeFacts   `json:"nodes"`
	Fencing []FenceRecord `json:"fencing"`
}

// EncodeState writes a state: a line of JSON with everything but the CIB, and the CIB as XML.
func EncodeState(w io.Writer, s State) error {
	head, err := json.Marshal(snapshotHead{snapshotFormat, s.Index, s.Spoken, s.Cluster, s.Nodes, s.Fencing})
	if err != nil {
		return fmt.Errorf("encode the state: %w", err)
	}
	if _, err := w.Write(append(head, '\n')); err != nil {
		return err
	}
	_, err = w.Write(s.CIB.Root.AppendXML(nil))
	return err
}

// DecodeState reads what EncodeState wrote.
func DecodeState(r io.Reader) (State, error) { return CommandVersion.DecodeState(r) }

// DecodeState is that of a program that speaks this vocabulary.
func (v Vocabulary) DecodeState(r io.Reader) (State, error) {
	data, err := io.ReadAll(r)
	if err != nil {
		return State{}, fmt.Errorf("read the state: %w", err)
	}
	line, document, _ := bytes.Cut(data, []byte{'\n'})
	var head snapshotHead
	if err := json.Unmarshal(line, &head); err != nil {
		return State{}, fmt.Errorf("the first line of the state is not what it must be: %w", err)
	}
	if head.Format != snapshotFormat {
		return State{}, fmt.Errorf("the state has format %d, this version reads %d: upgrade this node", head.Format, snapshotFormat)
	}
	if head.Spoken > v {
		return State{}, v.behind(head.Spoken)
	}
	c, err := Decode("", document)
	if err != nil {
		return State{}, fmt.Errorf("the CIB of the state: %w", err)
	}
	return State{Index: head.Index, Spoken: head.Spoken, CIB: c, Cluster: head.Cluster, Nodes: head.Nodes, Fencing: head.Fencing}, nil
}

// Encode writes a command as it stands in the log: JSON.
func (c Command) Encode() []byte {
	b, err := json.Marshal(c)
	if err != nil {
		panic("cib: a command that is no JSON: " + err.Error()) // only of years beyond 9999
	}
	return b
}

// DecodeCommand reads what Encode wrote. A command of a later vocabulary is read as far as it is known: its
// version is right, and Apply refuses it. One with unknown fields that says it is of a known version is none.
func DecodeCommand(data []byte) (Command, error) { return CommandVersion.DecodeCommand(data) }

// DecodeCommand is that of a program that speaks this vocabulary.
func (v Vocabulary) DecodeCommand(data []byte) (Command, error) {
	var c Command
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	err := d.Decode(&c)
	if err == nil {
		if _, end := d.Token(); !errors.Is(end, io.EOF) {
			return Command{}, errors.New("this is not a command: it goes on behind its end")
		}
		return c, nil
	}
	c = Command{}
	if lenient := json.Unmarshal(data, &c); lenient != nil {
		return Command{}, fmt.Errorf("this is not a command: %w", lenient)
	}
	if c.V > v {
		return c, nil
	}
	return Command{}, fmt.Errorf("this is not a command: %w", err)
}
