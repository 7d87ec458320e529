package api

import (
	"net/http"
	"strings"
)

// routes is the table of everything that can be asked.
func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	handle := func(pattern string, h handler) {
		_, path, _ := strings.Cut(pattern, " ")
		mux.Handle(pattern, s.metrics.counted(path, s.answered(h)))
	}
	handle("GET /v1/node", s.getNode)
	handle("GET /v1/cib", s.getCIB)
	handle("POST /v1/cib", s.postCIB)
	handle("GET /v1/attributes", s.getAttributes)
	handle("POST /v1/attributes", s.postAttributes)
	handle("GET /v1/status", s.getStatus)
	handle("GET /v1/rest", s.getRest)

	handle("GET /v1/fencing", s.getFencing)
	handle("POST /v1/fencing", s.postFencing)
	handle("GET /v1/fencing/devices", s.getFencingDevices)
	handle("POST /v1/fencing/confirm", s.postFencingConfirm)

	handle("GET /v1/transitions", s.getTransitions)
	handle("GET /v1/transitions/{id}", s.getTransition)
	handle("GET /v1/transitions/{id}/cib", s.getTransitionCIB)
	handle("GET /v1/transitions/{id}/graph", s.getTransitionGraph)

	handle("GET /v1/cluster", s.getCluster)
	handle("POST /v1/cluster/invite", rootOnly(s.postInvite))
	handle("POST /v1/cluster/remove", rootOnly(s.postRemove))
	handle("POST /v1/cluster/stop", s.postStop)
	handle("POST /v1/cluster/standby", s.postStandby)
	handle("POST /v1/cluster/options", rootOnly(s.postOptions))
	handle("POST /v1/cluster/rotate", rootOnly(s.postRotate))
	handle("GET /v1/cluster/upgrade", s.getUpgrade)
	handle("POST /v1/cluster/upgrade", rootOnly(s.postUpgrade))

	handle("GET /v1/resources/{id}", s.getResource)
	handle("POST /v1/resources/cleanup", s.postCleanup)
	handle("POST /v1/resources/refresh", s.postRefresh)
	handle("POST /v1/resources/fail", s.postFail)

	handle("GET /v1/events", s.getEvents)
	handle("GET /v1/report", s.getReport)
	handle("GET /v1/metrics", s.getMetrics)
	handle("GET /v1/debug", rootOnly(s.getDebug))
	handle("GET /v1/debug/{what}", rootOnly(s.getDebug))
	handle("/", func(_ http.ResponseWriter, r *http.Request) error {
		return notFound("there is no %s %s; see docs/api.md", r.Method, r.URL.Path)
	})
	return mux
}
