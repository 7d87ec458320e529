package configure

import "github.com/cerco-ha/cerco/internal/cib"

// Agents tells what agents say of themselves. It is asked only where that matters.
type Agents interface {
	// Metadata is that of one agent. The provider is empty where the class has none.
	Metadata(class, provider, typ string) (*Agent, error)
	// Find lists the full names (class, provider, type) of the agents of a type.
	Find(typ string) []AgentName
}

// AgentName says which agent operates a resource.
type AgentName struct{ Class, Provider, Type string }

func (n AgentName) String() string {
	if n.Provider != "" {
		return n.Class + ":" + n.Provider + ":" + n.Type
	}
	return n.Class + ":" + n.Type
}

// Agent is what an agent says of itself, as far as configurations go.
type Agent struct {
	Modern      bool // it follows version 1.1 of the OCF Resource Agent API or a later one
	Short, Long string
	Parameters  []Parameter
	Actions     [][]cib.Attr // each action's attributes as the agent writes them
}

// Parameter is a parameter of an agent.
type Parameter struct {
	Name, Type, Default  string
	Short, Long          string
	Required, Deprecated bool
	Advanced             bool     // few need it
	DeprecatedBy         []string // the parameters to use instead of it
	UniqueGroup          string
	Reloadable           bool
}
