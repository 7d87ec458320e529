package api

import (
	"cmp"
	"net/http"
	"time"

	"github.com/cerco-ha/cerco/internal/cib"
	"github.com/cerco-ha/cerco/internal/wire"
)

func (s *Server) getCluster(w http.ResponseWriter, r *http.Request) error {
	c, err := s.cfg.Backend.Cluster(r.Context())
	if err != nil {
		return err
	}
	return answer(w, c)
}

// maxInvite is for how long an invitation may hold.
const maxInvite = 30 * 24 * time.Hour

func (s *Server) postInvite(w http.ResponseWriter, r *http.Request) error {
	var body wire.Invite
	if err := s.read(w, r, &body); err != nil {
		return err
	}
	if body.ValidMS < 0 || body.ValidMS > maxInvite.Milliseconds() {
		return badRequest("use at most 30 days: a token is as good as root", "an invitation cannot hold for %d ms", body.ValidMS)
	}
	if body.ValidMS == 0 {
		body.ValidMS = 3_600_000
	}
	inv, err := s.cfg.Backend.Invite(r.Context(), body, callerOf(r).Name)
	if err != nil {
		return err
	}
	return answer(w, inv)
}

// onNode reads a body about a node that must belong to the cluster.
func (s *Server) onNode(w http.ResponseWriter, r *http.Request) (wire.OnNode, error) {
	var body wire.OnNode
	if err := s.read(w, r, &body); err != nil {
		return body, err
	}
	if body.Node == "" {
		body.Node = s.cfg.Backend.Self().Name
	}
	return body, nil
}

func (s *Server) postRemove(w http.ResponseWriter, r *http.Request) error {
	body, err := s.onNode(w, r)
	if err == nil {
		err = s.cfg.Backend.Remove(r.Context(), body.Node, body.Force, callerOf(r).Name)
	}
	if err != nil {
		return err
	}
	return answer(w, struct{}{})
}

func (s *Server) postStop(w http.ResponseWriter, r *http.Request) error {
	body, err := s.onNode(w, r)
	if err == nil {
		err = s.cfg.Backend.Stop(r.Context(), body.Node, callerOf(r).Name)
	}
	if err != nil {
		return err
	}
	return answer(w, struct{}{})
}

// postStandby keeps resources away from a node, or lets them come back.
func (s *Server) postStandby(w http.ResponseWriter, r *http.Request) error {
	body, err := s.onNode(w, r)
	if err != nil {
		return err
	}
	u := cib.AttributeUpdate{Node: body.Node, Name: "standby", Value: "on", Permanent: true}
	switch body.Until {
	case "", "forever":
	case "reboot":
		u.Permanent = false
	default:
		return badRequest("use reboot or forever", "until %q is not known", body.Until)
	}
	if !body.On {
		u.Value, u.Delete = "", true
	}
	return s.propose(w, r, cib.Command{Attributes: []cib.AttributeUpdate{u}})
}

// postOptions changes how the cluster counts votes and how fast it notices.
func (s *Server) postOptions(w http.ResponseWriter, r *http.Request) error {
	var body wire.Options
	if err := s.read(w, r, &body); err != nil {
		return err
	}
	if body.Timing != nil {
		t := *body.Timing
		if t.HeartbeatMS < 0 || t.LeaseMS < 0 || t.TokenMS < 0 || t.TokenMS != 0 && t.LeaseMS >= t.TokenMS {
			return badRequest("give them as milliseconds, heartbeat < lease < token", "timing %+v: the lease must end before the token", t)
		}
	}
	if err := s.cfg.Backend.Options(r.Context(), body, callerOf(r).Name); err != nil {
		return err
	}
	return answer(w, struct{}{})
}

// getUpgrade says how far an upgrade of the nodes is, postUpgrade makes it final.
func (s *Server) getUpgrade(w http.ResponseWriter, r *http.Request) error {
	return s.upgrade(w, r, false)
}

func (s *Server) postUpgrade(w http.ResponseWriter, r *http.Request) error {
	var body struct{}
	if err := s.read(w, r, &body); err != nil {
		return err
	}
	return s.upgrade(w, r, true)
}

func (s *Server) upgrade(w http.ResponseWriter, r *http.Request, final bool) error {
	u, err := s.cfg.Backend.Upgrade(r.Context(), final, callerOf(r).Name)
	if err != nil {
		return err
	}
	return answer(w, u)
}

// postRotate exchanges the key of a node, or the certificate authority.
func (s *Server) postRotate(w http.ResponseWriter, r *http.Request) error {
	var body wire.Rotate
	if err := s.read(w, r, &body); err != nil {
		return err
	}
	by := callerOf(r).Name
	var err error
	if body.CA {
		err = s.cfg.Backend.RotateCA(r.Context(), by)
	} else {
		err = s.cfg.Backend.Rotate(r.Context(), cmp.Or(body.Node, s.cfg.Backend.Self().Name), by)
	}
	if err != nil {
		return err
	}
	return answer(w, struct{}{})
}
