package fencer

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
)

// maxMetadata is far more than any agent prints.
const maxMetadata = 1 << 20

// Metadata is what a fence agent says of itself: lib/metadata.rng of fence-agents.
type Metadata struct {
	Agent      string      `json:"agent"`
	Short      string      `json:"short"`
	Long       string      `json:"long"`
	Parameters []Parameter `json:"parameters"`
	Actions    []Action    `json:"actions"`
	Raw        string      `json:"-"` // as the agent printed it
}

// Parameter is one parameter of an agent.
type Parameter struct {
	Name       string `json:"name"`
	Required   bool   `json:"required,omitempty"`
	Deprecated bool   `json:"deprecated,omitempty"`
	Obsoletes  string `json:"obsoletes,omitempty"`
	Type       string `json:"type,omitempty"` // boolean, string, second, integer, select
	Default    string `json:"default,omitempty"`
	Short      string `json:"short,omitempty"`
}

// Action is one action that an agent offers.
type Action struct {
	Name      string `json:"name"`
	OnTarget  bool   `json:"on_target,omitempty"` // must run on the target itself
	Automatic bool   `json:"automatic,omitempty"` // is part of a node's joining: unfencing
}

type metadataXML struct {
	XMLName xml.Name `xml:"resource-agent"`
	Name    string   `xml:"name,attr"`
	Short   string   `xml:"shortdesc,attr"`
	Long    string   `xml:"longdesc"`
	Params  []struct {
		Name       string `xml:"name,attr"`
		Required   string `xml:"required,attr"`
		Deprecated string `xml:"deprecated,attr"`
		Obsoletes  string `xml:"obsoletes,attr"`
		Content    struct {
			Type    string `xml:"type,attr"`
			Default string `xml:"default,attr"`
		} `xml:"content"`
		Short string `xml:"shortdesc"`
	} `xml:"parameters>parameter"`
	Actions []struct {
		Name      string `xml:"name,attr"`
		OnTarget  string `xml:"on_target,attr"`
		Automatic string `xml:"automatic,attr"`
		Required  string `xml:"required,attr"`
	} `xml:"actions>action"`
}

// ParseMetadata reads the metadata of the agent. What is broken is refused: guessing what a fence device can
// do is how the wrong node is shot.
func ParseMetadata(agent string, data []byte) (*Metadata, error) {
	if len(data) > maxMetadata {
		return nil, fmt.Errorf("the metadata of %s is longer than %d bytes", agent, maxMetadata)
	}
	var x metadataXML
	dec := xml.NewDecoder(bytes.NewReader(data))
	dec.CharsetReader = func(charset string, in io.Reader) (io.Reader, error) { // ASCII at heart, whatever it calls itself
		return in, nil
	}
	if err := dec.Decode(&x); err != nil {
		return nil, fmt.Errorf("the metadata of %s cannot be read (%w); see what `%s -o metadata` prints", agent, err, agent)
	}
	for {
		if _, err := dec.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return nil, fmt.Errorf("the metadata of %s is followed by something else: %w", agent, err)
		}
	}
	m := &Metadata{Agent: agent, Short: clean(x.Short), Long: clean(x.Long), Raw: string(data)}
	for _, p := range x.Params {
		if p.Name == "" {
			return nil, fmt.Errorf("the metadata of %s has a parameter without a name", agent)
		}
		m.Parameters = append(m.Parameters, Parameter{
			Name: p.Name, Required: yes(p.Required), Deprecated: yes(p.Deprecated), Obsoletes: p.Obsoletes,
			Type: p.Content.Type, Default: p.Content.Default, Short: clean(p.Short),
		})
	}
	for _, a := range x.Actions {
		m.Actions = append(m.Actions, Action{Name: a.Name, OnTarget: yes(a.OnTarget), Automatic: yes(a.Automatic) || yes(a.Required)})
	}
	if m.Action("off") == nil && m.Action("reboot") == nil {
		return nil, fmt.Errorf("the metadata of %s offers neither off nor reboot: it is no fence agent", agent)
	}
	return m, nil
}

func clean(s string) string { return strings.Join(strings.Fields(s), " ") }

func yes(s string) bool {
	return s == "1" || strings.EqualFold(s, "true") || strings.EqualFold(s, "yes")
}

// Action returns the action of that name, or nil.
func (m *Metadata) Action(name string) *Action {
	i := slices.IndexFunc(m.Actions, func(a Action) bool { return a.Name == name })
	if i < 0 {
		return nil
	}
	return &m.Actions[i]
}

// Parameter returns the parameter of that name, or nil. Dashes and underscores are the same.
func (m *Metadata) Parameter(name string) *Parameter {
	name = strings.ReplaceAll(name, "-", "_")
	i := slices.IndexFunc(m.Parameters, func(p Parameter) bool { return strings.ReplaceAll(p.Name, "-", "_") == name })
	if i < 0 {
		return nil
	}
	return &m.Parameters[i]
}

// hostArgument is the parameter that names the target when the device does not say: port, as 2.1.5 sends
// it wherever an agent has it, else plug, else none.
func (m *Metadata) hostArgument() string {
	for _, name := range []string{"port", "plug"} {
		if m.Parameter(name) != nil {
			return name
		}
	}
	return "none"
}

// unfences reports whether a node needs an "on" from this agent before it may work.
func (m *Metadata) unfences() bool { a := m.Action("on"); return a != nil && a.Automatic }

// cutsPower reports whether the agent's off ends everything that runs on a node, rather than its access to
// something: agents of switches and disks have no reboot.
func (m *Metadata) cutsPower() bool { return m.Action("reboot") != nil && !m.unfences() }
