package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/scheduler"
)

// metrics are what monitoring reads. Labels are names of members and links and words of a fixed list, so that their
// number is bounded by the size of the cluster; resources are counted, not named.
type metrics struct {
	handler  http.Handler
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMetrics(cfg *Config) *metrics {
	m := &metrics{
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{Name: "cerco_api_requests_total",
			Help: "Requests to the API, by route and class of answer."}, []string{"route", "class"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: "cerco_api_request_seconds",
			Help: "How long requests to the API took, by route.", Buckets: []float64{.001, .005, .025, .1, .5, 2.5, 10, 60}}, []string{"route"}),
	}
	reg := prometheus.NewRegistry()
	reg.MustRegister(m.requests, m.seconds, &snapshot{cfg: *cfg}, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	reg.MustRegister(cfg.Metrics...)
	m.handler = promhttp.HandlerFor(reg, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
	return m
}

func (s *Server) getMetrics(w http.ResponseWriter, r *http.Request) error {
	s.metrics.handler.ServeHTTP(w, r)
	return nil
}

// counted counts the requests of a route.
func (m *metrics) counted(route string, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := time.Now()
		sw := &statusWriter{ResponseWriter: w, status: http.StatusOK}
		defer func() {
			m.requests.WithLabelValues(route, strconv.Itoa(sw.status/100)+"xx").Inc()
			m.seconds.WithLabelValues(route).Observe(time.Since(start).Seconds())
		}()
		h.ServeHTTP(sw, r)
	})
}

type statusWriter struct {
	http.ResponseWriter
	status int
}

func (w *statusWriter) WriteHeader(code int) {
	w.status = code
	w.ResponseWriter.WriteHeader(code)
}

// Unwrap lets http.ResponseController find what it needs.
func (w *statusWriter) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// snapshot reads the state when monitoring asks.
type snapshot struct{ cfg Config }

var _ prometheus.Collector = (*snapshot)(nil)

// Describe says nothing: what there is depends on the state.
func (*snapshot) Describe(chan<- *prometheus.Desc) {}

// Collect gives the cluster as this node sees it.
func (c *snapshot) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	g := gauges{ch}
	self := c.cfg.Backend.Self()
	g.set("cerco_quorate", "1 if this node is part of a quorate partition.", b(self.Quorate))
	g.set("cerco_leader", "1 if this node decides.", b(self.Leader != "" && self.Leader == self.Name))
	g.set("cerco_term", "Term of the log.", float64(self.Term))
	g.set("cerco_state_index", "Index of the last command in this node's state.", float64(self.Index))
	g.set("cerco_generation", "Generation of the log: raised when survivors go on alone.", float64(self.Generation))
	st, err := c.cfg.Backend.State(ctx, false)
	if err != nil || st.CIB == nil {
		return
	}
	c.cluster(g, &st)
	if cl, err := c.cfg.Backend.Cluster(ctx); err == nil {
		for _, l := range cl.Links {
			ring := strconv.Itoa(l.Ring)
			g.set("cerco_link_up", "1 if the link to a peer works.", b(l.Up), "peer", l.Peer, "ring", ring)
			if l.Up {
				g.set("cerco_link_rtt_seconds", "Round trip time of a link.", l.RTTMS/1000, "peer", l.Peer, "ring", ring)
			}
		}
	}
	g.set("cerco_agreed_version", "Version of commands that the cluster has agreed on.", float64(st.Agreed()))
	if rest, err := c.cfg.Backend.Rest(ctx, st.Index); err == nil {
		g.set("cerco_upgrade_unfinished", "1 while nodes run a newer version than the cluster has agreed on.", b(rest.Upgrade != nil))
		g.set("cerco_settled", "1 if the cluster is at rest.", b(rest.Settled))
		g.set("cerco_waiting", "Things that the cluster waits for.", float64(len(rest.Waiting)))
	}
}

// cluster counts nodes, resources, failures and fencings.
func (c *snapshot) cluster(g gauges, st *cib.State) {
	v := scheduler.Look(st.CIB, scheduler.Options{Now: c.cfg.Now()})
	for _, n := range v.Nodes {
		if n.Kind == "member" {
			g.set("cerco_node_online", "1 if the node is online.", b(n.Online), "node", n.Name)
			g.set("cerco_node_unclean", "1 if the node must be fenced.", b(n.Unclean), "node", n.Name)
			g.set("cerco_node_standby", "1 if the node is in standby.", b(n.Standby), "node", n.Name)
			if m := st.Cluster.Member(n.Name); m != nil {
				if age, known := m.KeyAge(c.cfg.Now()); known {
					g.set("cerco_node_key_age_seconds", "Age of the node's key.", age.Seconds(), "node", n.Name)
				}
				g.set("cerco_node_key_overdue", "1 if the node's key should have been exchanged long ago.", b(st.Cluster.KeyOverdue(m, c.cfg.Now())), "node", n.Name)
			}
			g.set("cerco_node_resources", "Resources that are active on the node.", float64(n.Running), "node", n.Name)
		}
	}
	roles := map[string]int{}
	countRoles(v.Resources, roles)
	for _, role := range []string{"Started", "Stopped", "Promoted", "Unpromoted", "failed", "blocked"} {
		g.set("cerco_resource_instances", "Resource instances by role; failed and blocked ones are counted again.", float64(roles[role]), "role", role)
	}
	g.set("cerco_failed_operations", "Failed operations that history remembers.", float64(len(v.Failures)))
	states := map[string]int{}
	for _, f := range st.Fencing {
		states[f.State]++
	}
	for _, s := range []string{cib.FencePending, cib.FenceDone, cib.FenceFailed} {
		g.set("cerco_fencings", "Fencings that history remembers, by state.", float64(states[s]), "state", s)
	}
}

func countRoles(rs []*scheduler.ResourceView, n map[string]int) {
	for _, r := range rs {
		if r == nil {
			continue
		}
		if r.Kind == "primitive" {
			n[r.Role]++
			if r.Failed {
				n["failed"]++
			}
			if r.Blocked {
				n["blocked"]++
			}
		}
		countRoles(r.Children, n)
		for _, rep := range r.Replicas {
			countRoles([]*scheduler.ResourceView{rep.IP, rep.Container, rep.Remote, rep.Child}, n)
		}
	}
}

type gauges struct{ ch chan<- prometheus.Metric }

// set sends one value; labels are pairs of name and value.
func (g gauges) set(name, help string, value float64, labels ...string) {
	var names, values []string
	for i := 0; i+1 < len(labels); i += 2 {
		names, values = append(names, labels[i]), append(values, labels[i+1])
	}
	g.ch <- prometheus.MustNewConstMetric(prometheus.NewDesc(name, help, names, nil), prometheus.GaugeValue, value, values...)
}

func b(v bool) float64 {
	if v {
		return 1
	}
	return 0
}
