package daemon

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strings"
)

// Ports of a node.
const (
	peerPort = "2225"
	apiPort  = "2224"
)

// nodeOptions fills in what the host itself tells.
func nodeOptions(name string, addrs []string, apiAddr string) (NodeOptions, error) {
	o := NodeOptions{Name: name}
	if o.Name == "" {
		host, err := os.Hostname()
		if err != nil {
			return o, err
		}
		o.Name, _, _ = strings.Cut(host, ".")
	}
	if len(addrs) == 0 {
		own, err := ownAddress(o.Name)
		if err != nil {
			return o, err
		}
		addrs = []string{own}
	}
	for _, a := range addrs {
		o.Listen = append(o.Listen, withPort(a, peerPort))
	}
	host, _, err := net.SplitHostPort(o.Listen[0])
	switch {
	case err != nil:
		return o, fmt.Errorf("address %q: %w", o.Listen[0], err)
	case apiAddr == "":
		o.API = net.JoinHostPort(host, apiPort)
	case apiAddr != "none":
		o.API = withPort(apiAddr, apiPort)
	}
	return o, nil
}

func withPort(addr, port string) string {
	if _, _, err := net.SplitHostPort(addr); err == nil {
		return addr
	}
	return net.JoinHostPort(strings.Trim(addr, "[]"), port)
}

// ownAddress is the address that the host's name stands for or, when that is none that others can reach, the
// first one of its interfaces.
func ownAddress(host string) (string, error) {
	ips, _ := net.LookupIP(host) // no name service is no obstacle
	for _, ip := range ips {
		if ip.IsGlobalUnicast() {
			return ip.String(), nil
		}
	}
	all, err := net.InterfaceAddrs()
	if err != nil {
		return "", err
	}
	for _, a := range all {
		if n, ok := a.(*net.IPNet); ok && n.IP.IsGlobalUnicast() {
			return n.IP.String(), nil
		}
	}
	return "", errors.New("this host has no address that others can reach: --addr names one")
}
