package pcs

import (
	"fmt"
	"io"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/listing"
)

func relationsNoun() *verb {
	return &verb{name: "resource", sub: []*verb{
		{name: "relations", args: "RESOURCE", options: []string{"full"}, run: resourceRelations,
			what: "Show as a tree what a resource is part of, what is part of it, and what it is ordered with. --full shows kinds and ids, too."},
	}}
}

func resourceRelations(c *call) error {
	if err := c.want(1, 1); err != nil {
		return err
	}
	return c.show(func(doc *cib.CIB, w io.Writer) error {
		lines, found := listing.Relations(doc, c.words[0], c.has("full"))
		if !found {
			return fmt.Errorf("resource '%s' does not exist%s", c.words[0], didYouMean(c.words[0], resourceIDs(doc)))
		}
		if r := doc.Resource(c.words[0]); r.Class == "stonith" {
			c.deprecate("nothing is tied to a fence device: this command is about resources")
		}
		_, err := lines.WriteTo(w)
		return err
	})
}
