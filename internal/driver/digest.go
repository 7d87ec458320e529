package driver

import (
	"slices"
	"strings"

	"github.com/cerco-ha/cerco/internal/cib"
)

// Digests are what later plans compare the parameters of a resource with, to see whether its definition has
// changed since an operation. They are those that Pacemaker 2.1 keeps (testdata/digests.txt is a recording).
type Digests struct {
	All     string // op-digest
	Restart string // op-restart-digest: of the parameters whose change needs a restart
	Force   string // op-force-restart: their names; empty when the agent cannot reload at all
	Secure  string // op-secure-digest: of the parameters that are not private
	Private string // op-secure-params: the names of those that are
}

// DigestsOf computes the digests of an operation's parameters. meta may be nil: then there is only the first.
func DigestsOf(meta *Metadata, params []cib.Attr, intervalMS int64) Digests {
	d := Digests{All: digest(params, func(n string) bool { return inDigest(n, intervalMS > 0) })}
	if meta == nil {
		return d
	}
	if private := meta.names(func(p *Parameter) bool { return p.Private }); private != nil {
		d.Private = list(private)
		d.Secure = digest(params, func(n string) bool { return inDigest(n, intervalMS > 0) && !slices.Contains(private, n) })
	}
	if intervalMS > 0 {
		return d
	}
	var restart []string
	switch meta.ReloadAction() {
	case "reload-agent":
		restart = meta.names(func(p *Parameter) bool { return !p.Reloadable })
	case "reload":
		restart = meta.names(func(p *Parameter) bool { return p.Unique })
	}
	if restart != nil {
		d.Force = list(restart)
		d.Restart = digest(params, func(n string) bool { return slices.Contains(restart, n) })
	}
	return d
}

// names lists parameters, the last first: so does Pacemaker, and the order shows in the CIB.
func (m *Metadata) names(which func(*Parameter) bool) []string {
	var out []string
	for i := range m.Parameters {
		if which(&m.Parameters[i]) {
			out = append(out, m.Parameters[i].Name)
		}
	}
	slices.Reverse(out)
	return out
}

func list(names []string) string { return "  " + strings.Join(names, " ") + "  " }

// inDigest tells what an agent is called with from what the cluster adds to it. The time-out of a recurring
// operation counts: it must be started anew when that changes.
func inDigest(name string, recurring bool) bool {
	switch name {
	case "CRM_meta_timeout":
		return recurring
	case "id", "crm_feature_set", "op-digest", "pcmk_external_ip":
		return false
	}
	return !strings.HasPrefix(name, "CRM_meta_")
}

// digest is the digest of those parameters that in tells of.
func digest(params []cib.Attr, in func(name string) bool) string {
	m := make(map[string]string, len(params))
	for _, a := range params {
		if in(a.Name) {
			m[a.Name] = a.Value
		}
	}
	return cib.Digest(m, nil)
}
