package daemon

import (
	"fmt"
	"io"
	"text/tabwriter"

	"github.com/cerco-ha/cerco/internal/client"
	"github.com/cerco-ha/cerco/internal/wire"
)

func (c *clusterCommand) upgrade() error {
	if err := c.want(0); err != nil {
		return err
	}
	return c.live(func(cl *client.Client) error {
		u, err := cl.Upgrade(c.ctx, c.final)
		if err != nil {
			return err
		}
		writeUpgrade(c.stdout, &u)
		return nil
	})
}

// writeUpgrade shows what each member speaks, and what is to be done next.
func writeUpgrade(w io.Writer, u *wire.Upgrade) {
	fmt.Fprintf(w, "The cluster has agreed on version %d of commands.\n\n", u.Agreed)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "Name\tSpeaks")
	silent, newer := false, false
	for _, m := range u.Members {
		speaks := fmt.Sprintf("up to version %d", m.Speaks)
		if m.Speaks == 0 {
			speaks, silent = "(not heard)", true
		}
		newer = newer || m.Speaks > u.Agreed
		fmt.Fprintf(t, "%s\t%s\n", m.Node, speaks)
	}
	t.Flush()
	switch {
	case u.Final:
		fmt.Fprintln(w, "\nAll nodes run the new version. Each can still go back; cerco cluster upgrade --final ends that.")
	case newer && silent:
		fmt.Fprintln(w, "\nStart the nodes that are not heard with the new version, or remove them.")
	case newer:
		fmt.Fprintln(w, "\nUpgrade the other nodes, one by one.")
	default:
		fmt.Fprintln(w, "\nThere is nothing to upgrade.")
	}
}
