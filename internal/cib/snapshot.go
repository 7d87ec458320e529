package cib

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
)

// snapshotFormat is the number of the format that EncodeState writes.
const snapshotFormat = 1

// snapshotHead is what stands before the CIB in an encoded state: one line of JSON.
type snapshotHead struct {
	Format  int           `json:"cerco_state"`
	Index   uint64        `json:"index"`
	Cluster Cluster       `json:"cluster"`
	Nodes   []NodeFacts   `json:"nodes"`
	Fencing []FenceRecord `json:"fencing"`
}

// EncodeState writes a state: a line of JSON with everything but the CIB, and the CIB as XML.
func EncodeState(w io.Writer, s State) error {
	head, err := json.Marshal(snapshotHead{snapshotFormat, s.Index, s.Cluster, s.Nodes, s.Fencing})
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
func DecodeState(r io.Reader) (State, error) {
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
	c, err := Decode("", document)
	if err != nil {
		return State{}, fmt.Errorf("the CIB of the state: %w", err)
	}
	return State{Index: head.Index, CIB: c, Cluster: head.Cluster, Nodes: head.Nodes, Fencing: head.Fencing}, nil
}

// Encode writes a command as it stands in the log: JSON.
func (c Command) Encode() []byte {
	b, err := json.Marshal(c)
	if err != nil {
		panic("cib: a command that is no JSON: " + err.Error()) // only of years beyond 9999
	}
	return b
}

// DecodeCommand reads what Encode wrote. Fields that it does not know are left out: Apply refuses commands of
// versions that have such.
func DecodeCommand(data []byte) (Command, error) {
	var c Command
	if err := json.Unmarshal(data, &c); err != nil {
		return Command{}, fmt.Errorf("this is not a command: %w", err)
	}
	return c, nil
}
