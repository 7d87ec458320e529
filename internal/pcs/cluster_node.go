package pcs

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/wire"
)

func nodeAdd(c *call) error {
	if err := c.want(1, -1); err != nil {
		return err
	}
	w, err := c.cluster()
	if err != nil {
		return err
	}
	name := c.words[0]
	if w.Member(name) != nil {
		return fmt.Errorf("the cluster has a node '%s' already", name)
	}
	var addrs []string
	for _, word := range c.words[1:] {
		addr, ok := strings.CutPrefix(word, "addr=")
		if !ok {
			return c.misused("'%s' does not know what to do with '%s': addr=ADDRESS is the only option", strings.Join(c.path, " "), word)
		}
		addrs = append(addrs, addr)
	}
	return c.invite(name, addrs)
}

// inviteFor is how long an invitation holds unless something else is said.
const inviteFor = time.Hour

// invite makes an invitation for a host, and shows what to type there.
func (c *call) invite(name string, addrs []string) error {
	d, err := c.daemon()
	if err != nil {
		return err
	}
	valid := inviteFor
	if c.has("valid") {
		if valid, err = time.ParseDuration(c.option("valid")); err != nil || valid <= 0 {
			return c.misused("--valid=%s is no time such as 2h", c.option("valid"))
		}
	}
	i, err := d.Invite(c.context(), wire.Invite{ValidMS: valid.Milliseconds()})
	if err != nil {
		return err
	}
	join := "cerco cluster join --node " + name
	for _, a := range addrs {
		join += " --addr " + a
	}
	fmt.Fprintf(c.Stdout, "On %s, until %s:  %s\nIt asks for this token, which is good for once, and starts the node:\n\n  %s\n\n", name, i.Expires.Format(time.DateTime), join, i.Token)
	return nil
}

func nodeRemove(c *call) error {
	if err := c.want(1, -1); err != nil {
		return err
	}
	d, err := c.daemon()
	if err != nil {
		return err
	}
	w, err := c.cluster()
	if err != nil {
		return err
	}
	if err := strangers(w, c.words); err != nil {
		return err
	}
	n, err := d.Node(c.context())
	if err != nil {
		return err
	}
	for _, name := range c.words {
		if name == n.Name && len(w.Members) > 1 {
			return fmt.Errorf("%s is this node: ask another one, since this one could not see to the end of it", name)
		}
		remove := func() (bool, error) {
			err := d.Remove(c.context(), name, c.has("force"))
			return err == nil, err
		}
		if heard(w, name) && !c.has("force") {
			if err := c.stop(n.Name, []string{name}); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(c.context(), startTime) // the state may need a moment to say that it has stopped
			err = await(ctx, remove)
			cancel()
		} else {
			_, err = remove()
		}
		if err != nil {
			return err
		}
		c.note("%s: removed from the cluster; 'cerco cluster destroy' there removes what is left of it", name)
	}
	return nil
}

// nodeClear takes out what is left of a node that was removed.
func nodeClear(c *call) error {
	if err := c.want(1, 1); err != nil {
		return err
	}
	name := c.words[0]
	w, err := c.cluster()
	if err != nil {
		return err
	}
	if w.Member(name) != nil {
		return fmt.Errorf("%s is a member: '%s cluster node remove %s' takes it out", name, c.program, name)
	}
	d, err := c.daemon()
	if err != nil {
		return err
	}
	var edits []cib.Edit
	for _, path := range []string{"/cib/configuration/nodes/node[@uname='%s']", "/cib/status/node_state[@uname='%s']"} {
		found, err := d.Query(c.context(), fmt.Sprintf(path, name), false)
		if err != nil && !client.HasCode(err, wire.CodeNotFound) {
			return err
		}
		for _, f := range found {
			edits = append(edits, cib.Edit{Op: "delete", XPath: f.Path})
		}
	}
	if len(edits) == 0 {
		c.note("Nothing is left of a node '%s'", name)
		return nil
	}
	_, err = d.Edit(c.context(), wire.Edit{Edits: edits}, client.Wait{})
	return err
}
