package client

import (
	"context"
	"net/url"
	"time"
)

// Report is what a node tells of a time, as an archive of package report.
func (c *Client) Report(ctx context.Context, node string, from, to time.Time) ([]byte, error) {
	return c.raw(ctx, "/v1/report", url.Values{"node": {node}, "from": {from.Format(time.RFC3339)}, "to": {to.Format(time.RFC3339)}})
}
