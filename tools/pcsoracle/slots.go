package main

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/cerco-ha/cerco/internal/cib"
)

// slots are the names that a configuration holds, by kind.
type slots struct {
	*rand.Rand
	kinds map[string][]string
	// wrong is how many of a hundred slots hold something that does not fit.
	wrong int
}

// kindOf says which slots an element's id fills.
func kindOf(e, parent *cib.Element) []string {
	switch e.Name {
	case "primitive":
		switch {
		case e.Attr("class") == "stonith":
			return []string{"stonith"}
		case parent.Name == "group":
			return []string{"prim", "rsc", "member"}
		}
		return []string{"prim", "rsc", "loose"}
	case "group":
		return []string{"group", "rsc"}
	case "clone", "master":
		return []string{"clone", "rsc"}
	case "bundle":
		return []string{"bundle", "rsc"}
	case "rsc_location":
		return []string{"location", "constraint"}
	case "rsc_order", "rsc_colocation", "rsc_ticket":
		return []string{e.Name[len("rsc_"):], "constraint"}
	case "rule":
		if parent.Name == "rsc_location" {
			return []string{"rule"}
		}
	case "tag", "alert", "recipient":
		return []string{e.Name}
	case "op":
		return []string{"opelement"}
	case "acl_role":
		return []string{"aclrole"}
	case "acl_target":
		return []string{"user"}
	case "acl_group":
		return []string{"aclgroup"}
	case "acl_permission":
		return []string{"permission"}
	case "meta_attributes":
		switch parent.Name {
		case "rsc_defaults":
			return []string{"rscset"}
		case "op_defaults":
			return []string{"opset"}
		}
	case "port-mapping":
		return []string{"port"}
	case "storage-mapping":
		return []string{"storage"}
	}
	return nil
}

func slotsOf(random *rand.Rand, root *cib.Element) *slots {
	s := &slots{Rand: random, kinds: map[string][]string{}, wrong: 5}
	if root == nil {
		return s
	}
	var walk func(e, parent *cib.Element)
	walk = func(e, parent *cib.Element) {
		if id := e.ID(); id != "" {
			s.add("any", id)
			for _, kind := range kindOf(e, parent) {
				s.add(kind, id)
			}
		}
		switch e.Name {
		case "node":
			s.add("node", e.Attr("uname"))
		case "rsc_ticket":
			s.add("ticketname", e.Attr("ticket"))
		case "nvpair":
			s.add("pairname", e.Attr("name"))
			if parent.Name == "cluster_property_set" {
				s.add("setproperty", e.Attr("name"))
			}
		}
		for c := range e.Elements() {
			walk(c, e)
		}
	}
	walk(root, root)
	return s
}

func (s *slots) add(kind, value string) {
	if value != "" && !slices.Contains(s.kinds[kind], value) {
		s.kinds[kind] = append(s.kinds[kind], value)
	}
}

// fallback names what fills a slot when the configuration holds nothing of its kind.
var fallback = map[string]string{
	"prim": "R1", "rsc": "R1", "loose": "R2", "member": "R3", "group": "G1", "clone": "R1-clone", "bundle": "B1", "stonith": "S1",
	"location": "location-R1-n1-INFINITY", "order": "order-R1-R2-mandatory", "colocation": "colocation-R1-R2-INFINITY", "ticket": "ticket-T-R1",
	"constraint": "c1", "rule": "location-R1-rule", "opelement": "R1-monitor-interval-10s", "tag": "tag1", "alert": "alert", "recipient": "alert-recipient",
	"aclrole": "role1", "user": "user1", "aclgroup": "group1", "permission": "role1-read", "rscset": "rsc_defaults-meta_attributes",
	"opset": "op_defaults-meta_attributes", "node": "n1", "ticketname": "T", "pairname": "a", "setproperty": "maintenance-mode", "any": "cib-bootstrap-options",
	"port": "B1-port-map-80", "storage": "B1-storage-map",
}

// of says a name of a kind: mostly one that the configuration has, now and then another one, a missing or an impossible one.
func (s *slots) of(kind string) (string, bool) {
	if kind == "new" {
		return s.fresh(), true
	}
	other, known := fallback[kind]
	if !known {
		return "", false
	}
	if s.IntN(100) < s.wrong {
		switch s.IntN(5) {
		case 0:
			return []string{"1bad", "a b", "x#y", "", "é", "%A"}[s.IntN(6)], true
		case 1, 2:
			if any := s.kinds["any"]; len(any) > 0 {
				return any[s.IntN(len(any))], true
			}
		}
		return []string{"missing", "nope", "Missing-2"}[s.IntN(3)], true
	}
	if have := s.kinds[kind]; len(have) > 0 {
		return have[s.IntN(len(have))], true
	}
	return other, true
}

// fresh is a name that is not taken, mostly.
func (s *slots) fresh() string {
	if n := s.IntN(100); n < s.wrong {
		id, _ := s.of("any")
		return id
	}
	for {
		id := []string{"R", "A", "x", "My-", "res_"}[s.IntN(5)] + strconv.Itoa(s.IntN(40))
		if !slices.Contains(s.kinds["any"], id) {
			return id
		}
	}
}

// vary damages a call as people do: a word is left out, said twice, in the wrong place, of another call, or forced.
func vary(random *rand.Rand, args []string, s *slots, others [][]string) []string {
	args = slices.Clone(args)
	for range 1 + random.IntN(2) {
		if len(args) < 2 {
			return args
		}
		i := 1 + random.IntN(len(args)-1)
		switch random.IntN(8) {
		case 0:
			args = slices.Delete(args, i, i+1)
		case 1:
			args = slices.Insert(args, i, args[i])
		case 2:
			j := 1 + random.IntN(len(args)-1)
			args[i], args[j] = args[j], args[i]
		case 3:
			args = append(args, "--force")
		case 4, 5:
			args[i] = s.exchange(args[i])
		case 6:
			if len(others) > 0 {
				if o := others[random.IntN(len(others))]; len(o) > i && o[0] == args[0] {
					args = append(args[:i:i], o[i:]...)
				}
			}
		case 7:
			args[i] = fmt.Sprint(args[i], []string{"x", "=", "-", "1"}[random.IntN(4)])
		}
	}
	return args
}

// exchange puts another name of the same kind in the place of one.
func (s *slots) exchange(word string) string {
	kinds := make([]string, 0, len(s.kinds))
	for kind, have := range s.kinds {
		if kind != "any" && slices.Contains(have, word) {
			kinds = append(kinds, kind)
		}
	}
	if len(kinds) == 0 {
		return word
	}
	slices.Sort(kinds)
	value, _ := s.of(kinds[s.IntN(len(kinds))])
	return value
}
