package cib

import (
	"regexp"
	"strings"
)

// fencing checks the fencing topology, and that there is a device at all while fencing is on.
func (k *checker) fencing() {
	devices := make(map[string]bool)
	var names []string
	var add func(list []*Resource)
	add = func(list []*Resource) {
		for _, r := range list {
			if r.Kind == Primitive && r.Class == "stonith" {
				devices[r.ID] = true
				names = append(names, r.ID)
			}
			add(r.Children)
		}
	}
	add(k.c.Resources)
	for _, l := range k.c.Levels {
		k.level(l, devices, names)
	}
	enabled := k.option("fencing-enabled")
	if enabled == "" {
		enabled = k.option("stonith-enabled")
	}
	watchdog, _ := ParseBool(k.option("have-watchdog"))
	if len(devices) == 0 && boolOr(enabled, true) && len(k.c.Resources) > 0 && !watchdog {
		k.errorAt(k.c.Root.Child("configuration"), "configure a device, or set stonith-enabled to false and accept that data can be lost",
			"fencing is on, but there is no fence device: no resource will be started")
		k.problems[len(k.problems)-1].Standing = true
	}
}

// option returns a cluster property that holds whatever the time, empty if it is not set.
func (k *checker) option(name string) string {
	v, _ := Value(k.c.Properties, &RuleInput{}, name)
	return v
}

func (k *checker) level(l *FencingLevel, devices map[string]bool, names []string) {
	for _, d := range l.Devices {
		if devices[d] || strings.EqualFold(d, "watchdog") {
			continue
		}
		if k.ids[d] != nil {
			k.errorAt(l.El, didYouMean(d, names), "the fencing level %s names %q, which is not a fence device", l.ID, d)
		} else {
			k.errorAt(l.El, didYouMean(d, names), "the fencing level %s names the device %q, which does not exist", l.ID, d)
		}
	}
	targets := 0
	for _, name := range []string{"target", "target-pattern", "target-attribute"} {
		if _, ok := l.El.Lookup(name); ok {
			targets++
		}
	}
	if targets != 1 {
		k.errorAt(l.El, "give one of target, target-pattern and target-attribute", "the fencing level %s has %d targets", l.ID, targets)
	}
	_, attribute := l.El.Lookup("target-attribute")
	if _, value := l.El.Lookup("target-value"); attribute != value {
		k.errorAt(l.El, "add the other one", "the fencing level %s has only one of target-attribute and target-value", l.ID)
	}
	if l.Index > 9 {
		k.errorAt(l.El, "use 1 to 9", "the fencing level %s has the index %d", l.ID, l.Index)
	}
	if _, err := regexp.CompilePOSIX(l.TargetPattern); err != nil {
		k.errorAt(l.El, "mend it", "target-pattern %q is not a regular expression", l.TargetPattern)
	}
	if l.Target != "" {
		k.knownNode(l.El, l.Target)
	}
}
