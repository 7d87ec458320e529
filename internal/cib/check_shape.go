package cib

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// shape says what an element may look like.
type shape struct {
	attrs    []attrShape
	children []string // "*": anything goes
}

// attrShape says what an attribute may look like.
type attrShape struct {
	name     string
	kind     string // see value
	required bool
}

func (s *shape) attr(name string) attrShape {
	for _, a := range s.attrs {
		if a.name == name {
			return a
		}
	}
	return attrShape{}
}

// shapeTable is the structure of a configuration as the schemas pacemaker-1.3 to 3.9 together allow it: a line
// an element, its attributes ("!": required, ":": kind of value, "|": choice), ">" and its children.
const shapeTable = `
cib admin_epoch:natural epoch:natural num_updates:natural validate-with:text crm_feature_set:text have-quorum:boolean dc-uuid:text cib-last-written:text no-quorum-panic:boolean update-origin:text update-client:text update-user:text remote-clear-port:integer remote-tls-port:integer execution-date:integer generated:boolean ignore_dtd:boolean ccm_transition:text > configuration status
configuration > crm_config rsc_defaults op_defaults nodes resources constraints fencing-topology acls tags alerts
crm_config > cluster_property_set
rsc_defaults > meta_attributes
op_defaults > meta_attributes
cluster_property_set id!:id id-ref:ref score:score > nvpair rule attributes
meta_attributes id!:id id-ref:ref score:score > nvpair rule attributes
instance_attributes id!:id id-ref:ref score:score > nvpair rule attributes
utilization id!:id id-ref:ref score:score > nvpair rule attributes
nvpair id!:id id-ref:ref name:text value:text
rule id!:id id-ref:ref score:score score-attribute:text score-attribute-mangle:text boolean-op:or|and role:role > expression date_expression rsc_expression op_expression rule
expression id!:id attribute!:text operation!:lt|gt|lte|gte|eq|ne|defined|not_defined value:text type:string|integer|number|version value-source:literal|param|meta
date_expression id!:id operation:in_range|date_spec|gt|lt start:time end:time > date_spec duration
date_spec id!:id years:range months:range monthdays:range hours:range minutes:range seconds:range yeardays:range yearsdays:range weekyears:range weeks:range weekdays:range moon:range
duration id!:id years:integer months:integer weeks:integer days:integer hours:integer minutes:integer seconds:integer monthdays:integer weekdays:integer yearsdays:integer weekyears:integer moon:integer
rsc_expression id!:id class:text provider:text type:text
op_expression id!:id name!:text interval:interval
nodes > node
node id!:text uname!:text type:normal|member|ping|remote description:text score:score > instance_attributes utilization
resources > primitive template group clone master bundle
primitive id!:id class:text provider:text type:text template:ref description:text > meta_attributes instance_attributes utilization operations
template id!:id class!:text provider:text type!:text description:text > meta_attributes instance_attributes utilization operations
group id!:id description:text > meta_attributes instance_attributes primitive
clone id!:id description:text > meta_attributes instance_attributes primitive group
master id!:id description:text > meta_attributes instance_attributes primitive group
bundle id!:id description:text > meta_attributes instance_attributes docker podman rkt network storage primitive
docker image!:text replicas:positive replicas-per-host:positive masters:natural promoted-max:natural run-command:text network:text options:text
podman image!:text replicas:positive replicas-per-host:positive masters:natural promoted-max:natural run-command:text network:text options:text
rkt image!:text replicas:positive replicas-per-host:positive masters:natural promoted-max:natural run-command:text network:text options:text
network id:id ip-range-start:text control-port:natural host-interface:text host-netmask:natural add-host:boolean > port-mapping
port-mapping id!:id port:natural internal-port:natural range:text
storage > storage-mapping
storage-mapping id!:id source-dir:text source-dir-root:text target-dir!:text options:text
operations id:id id-ref:ref > op
op id!:id name!:text interval!:interval description:text start-delay:duration interval-origin:time timeout:duration enabled:boolean record-pending:boolean role:role requires:nothing|quorum|fencing|unfencing on-fail:ignore|block|demote|stop|restart|standby|fence|restart-container > meta_attributes instance_attributes
constraints > rsc_location rsc_colocation rsc_order rsc_ticket
rsc_location id!:id rsc:text rsc-pattern:text role:role node:text score:score resource-discovery:always|never|exclusive > rule resource_set lifetime
rsc_colocation id!:id rsc:text with-rsc:text node-attribute:text rsc-role:role with-rsc-role:role rsc-instance:natural with-rsc-instance:natural score:score score-attribute:text score-attribute-mangle:text influence:boolean > resource_set lifetime
rsc_order id!:id first:text then:text first-action:start|promote|demote|stop then-action:start|promote|demote|stop first-instance:natural then-instance:natural kind:Optional|Mandatory|Serialize score:score symmetrical:boolean require-all:boolean > resource_set lifetime
rsc_ticket id!:id rsc:text rsc-role:role ticket!:text loss-policy:stop|demote|fence|freeze > resource_set
resource_set id!:id id-ref:ref sequential:boolean require-all:boolean ordering:group|listed action:start|promote|demote|stop role:role kind:Optional|Mandatory|Serialize score:score > resource_ref
resource_ref id!:text
lifetime > rule
fencing-topology > fencing-level
fencing-level id!:id target:text target-pattern:text target-attribute:text target-value:text index!:positive devices!:text
tags > tag
tag id!:id > obj_ref
obj_ref id!:text
alerts > alert
alert id!:id description:text path!:text > meta_attributes instance_attributes select recipient
select > select_attributes select_fencing select_nodes select_resources
select_attributes > attribute
select_fencing
select_nodes
select_resources
attribute id!:id name!:text
recipient id!:id description:text value!:text > meta_attributes instance_attributes
acls > acl_role acl_target acl_group acl_user
acl_role id!:id description:text > acl_permission read write deny
acl_target id!:text name:text > role
acl_group id!:text name:text > role
acl_user id!:text > role_ref read write deny
role id!:text
role_ref id!:text
acl_permission id!:id kind!:read|write|deny xpath:text reference:text object-type:text attribute:text description:text
read id!:id tag:text ref:text xpath:text attribute:text
write id!:id tag:text ref:text xpath:text attribute:text
deny id!:id tag:text ref:text xpath:text attribute:text
attributes > nvpair
`

// shapes is the table, read.
var shapes = sync.OnceValue(func() map[string]*shape { return parseShapes(shapeTable) })

func parseShapes(table string) map[string]*shape {
	shapes := make(map[string]*shape)
	for line := range strings.Lines(table) {
		words := strings.Fields(line)
		if len(words) == 0 {
			continue
		}
		s := &shape{}
		for i, word := range words[1:] {
			if word == ">" {
				s.children = words[i+2:]
				break
			}
			name, kind, _ := strings.Cut(word, ":")
			name, required := strings.CutSuffix(name, "!")
			s.attrs = append(s.attrs, attrShape{name, kind, required})
		}
		shapes[words[0]] = s
	}
	return shapes
}

// element checks an element of the configuration and everything under it against the shapes. around is
// the nearest id above.
func (k *checker) element(e *Element, around string) {
	s := k.shapes[e.Name]
	if s == nil {
		return // already complained of
	}
	k.attributes(e, s, around)
	if id := e.Attr("id"); id != "" {
		around = id
	}
	for _, c := range e.Children {
		switch {
		case c.Kind == KindText:
			k.errorAt(e, "take it out", "text between the elements of <%s>: %.20q", e.Name, strings.TrimSpace(c.body))
		case c.Kind != KindElement:
		case !slices.Contains(s.children, c.Name):
			fix := didYouMean(c.Name, s.children)
			if fix == "" && k.shapes[c.Name] == nil {
				fix = didYouMean(c.Name, slices.Sorted(maps.Keys(k.shapes)))
			}
			k.errorAt(c, fix, "<%s> cannot be in <%s>", c.Name, e.Name)
		default:
			k.element(c, around)
		}
	}
}

// attributes checks the attributes of one element.
func (k *checker) attributes(e *Element, s *shape, around string) {
	_, reference := e.Lookup("id-ref")
	at := len(k.problems)
	of := " of <" + e.Name + ">"
	for name, value := range e.Attrs() {
		a := s.attr(name)
		if a.name == "" {
			if !strings.Contains(name, ":") { // attributes with a prefix are somebody else's
				k.errorAt(e, didYouMean(name, s.names()), "<%s> has no attribute %s", e.Name, name)
			}
			continue
		}
		k.complain(e, a.kind, name, value, of)
	}
	for _, a := range s.attrs {
		if !a.required || reference {
			continue
		}
		if _, ok := e.Lookup(a.name); !ok {
			k.errorAt(e, "add it", "<%s> has no %s", e.Name, a.name)
		}
	}
	for i := range k.problems[at:] {
		if p := &k.problems[at+i]; p.ID == "" {
			p.ID = around
		}
	}
}

func (s *shape) names() []string {
	var names []string
	for _, a := range s.attrs {
		names = append(names, a.name)
	}
	return names
}
