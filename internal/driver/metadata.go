package driver

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Metadata is what an agent says of itself: the OCF Resource Agent API's meta-data, of version 1.0 or 1.1.
type Metadata struct {
	Name, Version, Standard string // Standard is the version of the OCF API; "1.0" when it does not say
	Short, Long             string
	Parameters              []Parameter
	Actions                 []Action
}

// Parameter is one parameter of an agent.
type Parameter struct {
	Name        string
	Short, Long string
	Type        string // "string", "integer", "boolean", "select", ...
	Default     string
	HasDefault  bool
	Options     []string // of a select
	Required    bool
	Unique      bool // OCF 1.0: a change of it needs a restart
	UniqueGroup string
	Reloadable  bool // OCF 1.1: a change of it can be taken over by reload-agent
	Private     bool // not to be shown to everyone
	Deprecated  bool
	ReplacedBy  string
}

// Action is one action of an agent, with the times it advises.
type Action struct {
	Name        string
	Timeout     time.Duration
	Interval    time.Duration
	StartDelay  time.Duration
	Role, Depth string
	OnTarget    bool
	Automatic   bool
	Written     []cib.Attr // what has a value, as the agent wrote it
}

// Parameter returns the parameter of that name, or nil.
func (m *Metadata) Parameter(name string) *Parameter {
	for i := range m.Parameters {
		if m.Parameters[i].Name == name {
			return &m.Parameters[i]
		}
	}
	return nil
}

// Has reports whether the agent advertises an action.
func (m *Metadata) Has(action string) bool {
	for i := range m.Actions {
		if m.Actions[i].Name == action {
			return true
		}
	}
	return false
}

// Modern reports whether the agent follows the OCF Resource Agent API 1.1 or later.
func (m *Metadata) Modern() bool {
	major, minor, _ := strings.Cut(m.Standard, ".")
	a, _ := strconv.Atoi(major) // what is no number counts as 0
	minor, _, _ = strings.Cut(minor, ".")
	b, _ := strconv.Atoi(minor)
	return a > 1 || a == 1 && b >= 1
}

// ReloadAction is the action by which the agent takes over changed parameters without a restart: "reload-agent"
// of OCF 1.1, "reload" as Pacemaker used it before; empty when it has none.
func (m *Metadata) ReloadAction() string {
	switch {
	case m.Modern() && m.Has("reload-agent"):
		return "reload-agent"
	case !m.Modern() && m.Has("reload"):
		return "reload"
	}
	return ""
}

type xmlAgent struct {
	XMLName    xml.Name   `xml:"resource-agent"`
	Name       string     `xml:"name,attr"`
	Ver        string     `xml:"version,attr"`
	Standard   string     `xml:"version"`
	Short      xmlText    `xml:"shortdesc"`
	Long       xmlText    `xml:"longdesc"`
	Parameters []xmlParam `xml:"parameters>parameter"`
	Actions    []xmlOp    `xml:"actions>action"`
}

type xmlText []string

func (t xmlText) String() string {
	if len(t) == 0 {
		return ""
	}
	return strings.TrimSpace(t[0])
}

type xmlParam struct {
	Name        string  `xml:"name,attr"`
	Required    string  `xml:"required,attr"`
	Unique      string  `xml:"unique,attr"`
	UniqueGroup string  `xml:"unique-group,attr"`
	Reloadable  string  `xml:"reloadable,attr"`
	Private     string  `xml:"private,attr"`
	Short       xmlText `xml:"shortdesc"`
	Long        xmlText `xml:"longdesc"`
	Deprecated  *struct {
		ReplacedWith []struct {
			Name string `xml:"name,attr"`
		} `xml:"replaced-with"`
	} `xml:"deprecated"`
	Content struct {
		Type    string  `xml:"type,attr"`
		Default *string `xml:"default,attr"`
		Options []struct {
			Value string `xml:"value,attr"`
		} `xml:"option"`
	} `xml:"content"`
}

type xmlOp struct {
	Name       string `xml:"name,attr"`
	Timeout    string `xml:"timeout,attr"`
	Interval   string `xml:"interval,attr"`
	StartDelay string `xml:"start-delay,attr"`
	Role       string `xml:"role,attr"`
	Depth      string `xml:"depth,attr"`
	OnTarget   string `xml:"on_target,attr"`
	Automatic  string `xml:"automatic,attr"`
}

// written are the attributes that have a value.
func (x *xmlOp) written() []cib.Attr {
	var list []cib.Attr
	for _, a := range []cib.Attr{{Name: "name", Value: x.Name}, {Name: "interval", Value: x.Interval}, {Name: "timeout", Value: x.Timeout},
		{Name: "start-delay", Value: x.StartDelay}, {Name: "role", Value: x.Role}, {Name: "depth", Value: x.Depth},
		{Name: "on_target", Value: x.OnTarget}, {Name: "automatic", Value: x.Automatic}} {
		if a.Value != "" {
			list = append(list, a)
		}
	}
	return list
}

// maxMetadata is the size beyond which metadata is not read.
const maxMetadata = 4 << 20

// ParseMetadata reads an agent's metadata. What comes before the XML, such as a stray message, is skipped.
func ParseMetadata(b []byte) (*Metadata, error) {
	if len(b) > maxMetadata {
		return nil, fmt.Errorf("metadata of %d bytes is not read: the limit is %d", len(b), maxMetadata)
	}
	for _, start := range []string{"<?xml", "<resource-agent"} {
		if i := bytes.Index(b, []byte(start)); i >= 0 {
			b = b[i:]
			break
		}
	}
	dec := xml.NewDecoder(bytes.NewReader(b))
	dec.CharsetReader = func(_ string, in io.Reader) (io.Reader, error) { return in, nil }
	var x xmlAgent
	if err := dec.Decode(&x); err != nil {
		return nil, fmt.Errorf("metadata is no resource-agent document: %w", err)
	}
	m := &Metadata{Name: x.Name, Version: x.Ver, Standard: strings.TrimSpace(x.Standard), Short: x.Short.String(), Long: x.Long.String()}
	if m.Standard == "" {
		m.Standard = "1.0"
	}
	for _, p := range x.Parameters {
		m.Parameters = append(m.Parameters, p.parameter())
	}
	for _, a := range x.Actions {
		m.Actions = append(m.Actions, Action{Name: a.Name, Timeout: span(a.Timeout), Interval: span(a.Interval), StartDelay: span(a.StartDelay),
			Role: a.Role, Depth: a.Depth, OnTarget: truth(a.OnTarget), Automatic: truth(a.Automatic), Written: a.written()})
	}
	return m, nil
}

func (x *xmlParam) parameter() Parameter {
	p := Parameter{Name: x.Name, Short: x.Short.String(), Long: x.Long.String(), Type: x.Content.Type,
		Required: truth(x.Required), Unique: truth(x.Unique), UniqueGroup: x.UniqueGroup,
		Reloadable: truth(x.Reloadable), Private: truth(x.Private)}
	if x.Content.Default != nil {
		p.Default, p.HasDefault = *x.Content.Default, true
	}
	for _, o := range x.Content.Options {
		p.Options = append(p.Options, o.Value)
	}
	if x.Deprecated != nil {
		p.Deprecated = true
		if len(x.Deprecated.ReplacedWith) > 0 {
			p.ReplacedBy = x.Deprecated.ReplacedWith[0].Name
		}
	}
	return p
}

// truth reads a boolean as the field writes it.
func truth(s string) bool {
	switch strings.ToLower(s) {
	case "1", "true", "yes", "on", "y":
		return true
	}
	return false
}

// span reads a time such as "20s", "100", "10ms"; 0 when it is none.
func span(s string) time.Duration {
	ms, ok := cib.ParseDuration(s)
	if !ok || ms < 0 {
		return 0
	}
	return time.Duration(ms) * time.Millisecond
}

// metaCache keeps metadata for as long as the agent's file stays as it is.
type metaCache struct {
	mu      sync.Mutex
	entries map[string]metaEntry // by path
}

type metaEntry struct {
	mod  time.Time
	size int64
	meta *Metadata
}

func (c *metaCache) get(path string, st os.FileInfo) *Metadata {
	c.mu.Lock()
	defer c.mu.Unlock()
	e, ok := c.entries[path]
	if !ok || !e.mod.Equal(st.ModTime()) || e.size != st.Size() {
		return nil
	}
	return e.meta
}

func (c *metaCache) put(path string, st os.FileInfo, m *Metadata) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.entries == nil {
		c.entries = map[string]metaEntry{}
	}
	c.entries[path] = metaEntry{st.ModTime(), st.Size(), m}
}

// metadataTimeout is how long an agent may take to describe itself.
const metadataTimeout = 30 * time.Second

// Metadata implements Driver.
func (h *Host) Metadata(ctx context.Context, class, provider, typ string) (*Metadata, error) {
	switch h.classOf(class, typ) {
	case "ocf":
	case "systemd", "lsb":
		return &Metadata{Name: typ, Standard: "1.0", Short: class + " " + typ, Actions: plainActions()}, nil
	default:
		return nil, fmt.Errorf("agents of class %q have no metadata here", class)
	}
	root, path, err := h.findOCF(provider, typ)
	if err != nil {
		return nil, err
	}
	st, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("agent %s: %w", path, err)
	}
	if m := h.meta.get(path, st); m != nil {
		return m, nil
	}
	ctx, cancel := context.WithTimeout(ctx, metadataTimeout)
	defer cancel()
	r := Request{Class: class, Provider: provider, Type: typ, Resource: typ, Action: "meta-data"}
	e := h.call(ctx, path, []string{"meta-data"}, h.ocfEnv(&r, root), nil)
	if e.err == nil && e.killed == 0 && e.rc == 0 && !e.abandoned {
		m, err := ParseMetadata([]byte(e.stdout))
		if err != nil {
			return nil, fmt.Errorf("agent %s: %w", path, err)
		}
		h.meta.put(path, st, m)
		return m, nil
	}
	err = e.err
	if err == nil {
		err = errors.New(lastLines(e.stderr, e.stdout))
	}
	return nil, fmt.Errorf("agent %s does not describe itself (exit code %d): %w", path, e.rc, err)
}

func plainActions() []Action {
	return []Action{{Name: "start", Timeout: 15 * time.Second}, {Name: "stop", Timeout: 15 * time.Second},
		{Name: "status", Timeout: 15 * time.Second}, {Name: "monitor", Timeout: 15 * time.Second, Interval: 15 * time.Second}}
}
