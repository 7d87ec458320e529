#!/bin/sh
# ocf:cerco:Service and ocf:cerco:Stateful: services to play with and to test with. What is started is a process
# that writes "node pid seconds resource role" into a record file again and again, so that anyone can see from
# outside where it runs, and that it never runs twice. Seconds count from the boot of the machine.
#
# OCF Resource Agent API 1.1. Exit codes: 0 ok, 1 error, 2 arguments, 3 not implemented, 6 configuration,
# 7 not running, 8 promoted.

name=${0##*/}
id=${OCF_RESOURCE_INSTANCE:-default}
node=${OCF_RESKEY_CRM_meta_on_node:-$(uname -n)}
state_dir=${OCF_RESKEY_state_dir:-${HA_RSCTMP:-/tmp}}
state=$state_dir/cerco-$name-$id
tick=${OCF_RESKEY_tick:-0.2}

metadata() {
	cat <<END
<?xml version="1.0"?>
<resource-agent name="$name" version="1.0">
  <version>1.1</version>
  <longdesc lang="en">A process that writes down again and again where it runs. It is slow or fails on demand.</longdesc>
  <shortdesc lang="en">A service to play with</shortdesc>
  <parameters>
    <parameter name="record" unique-group="record" reloadable="0">
      <longdesc lang="en">File that "node pid seconds resource role" is appended to; all nodes may share it.</longdesc>
      <shortdesc lang="en">Record file</shortdesc><content type="string"/>
    </parameter>
    <parameter name="journal" reloadable="1">
      <longdesc lang="en">File that each action is written to when it begins and when it ends: "seconds node resource action begin" and "... end CODE", then the operation's id.</longdesc>
      <shortdesc lang="en">Journal of actions</shortdesc><content type="string"/>
    </parameter>
    <parameter name="tick">
      <longdesc lang="en">Seconds between two lines of the record.</longdesc>
      <shortdesc lang="en">Time between lines</shortdesc><content type="string" default="0.2"/>
    </parameter>
    <parameter name="state_dir">
      <longdesc lang="en">Directory of this node for what the agent must remember.</longdesc>
      <shortdesc lang="en">State directory</shortdesc><content type="string"/>
    </parameter>
    <parameter name="delay_start"><longdesc lang="en">Seconds that a start takes.</longdesc>
      <shortdesc lang="en">Slow start</shortdesc><content type="string" default="0"/></parameter>
    <parameter name="delay_stop"><longdesc lang="en">Seconds that a stop takes.</longdesc>
      <shortdesc lang="en">Slow stop</shortdesc><content type="string" default="0"/></parameter>
    <parameter name="delay_monitor" reloadable="1"><longdesc lang="en">Seconds that a monitor takes.</longdesc>
      <shortdesc lang="en">Slow monitor</shortdesc><content type="string" default="0"/></parameter>
    <parameter name="fail" reloadable="1">
      <longdesc lang="en">Actions that fail, separated by blanks; ACTION@NODE fails on that node only.</longdesc>
      <shortdesc lang="en">Failing actions</shortdesc><content type="string" default=""/>
    </parameter>
    <parameter name="control" reloadable="1">
      <longdesc lang="en">Directory in which a file RESOURCE.ACTION or RESOURCE.ACTION@NODE makes that action fail or hang while it is there: its first line is "fail REASON", "hang" or "sleep SECONDS".</longdesc>
      <shortdesc lang="en">Control directory</shortdesc><content type="string"/>
    </parameter>
    <parameter name="score_promoted" reloadable="1"><longdesc lang="en">Promotion score where it is promoted.</longdesc>
      <shortdesc lang="en">Promotion score when promoted</shortdesc><content type="integer" default="10"/></parameter>
    <parameter name="score_unpromoted" reloadable="1"><longdesc lang="en">Promotion score elsewhere.</longdesc>
      <shortdesc lang="en">Promotion score otherwise</shortdesc><content type="integer" default="5"/></parameter>
  </parameters>
  <actions>
    <action name="start" timeout="20s"/>
    <action name="stop" timeout="20s"/>
$(if [ "$name" = Stateful ]; then cat <<ROLES
    <action name="promote" timeout="10s"/>
    <action name="demote" timeout="10s"/>
    <action name="notify" timeout="10s"/>
    <action name="monitor" timeout="20s" interval="10s" depth="0" role="Promoted"/>
    <action name="monitor" timeout="20s" interval="11s" depth="0" role="Unpromoted"/>
ROLES
else cat <<MIGRATION
    <action name="migrate_to" timeout="20s"/>
    <action name="migrate_from" timeout="20s"/>
    <action name="monitor" timeout="20s" interval="10s" depth="0"/>
MIGRATION
fi)
    <action name="reload-agent" timeout="10s"/>
    <action name="validate-all" timeout="10s"/>
    <action name="meta-data" timeout="5s"/>
  </actions>
</resource-agent>
END
}

reason() { echo "${OCF_EXIT_REASON_PREFIX:-ocf-exit-reason:}$*" >&2; }

# began PID: when a process began, in clock ticks since the boot; nothing when there is no such process. Pids
# come back, but not with the same time.
began() {
	{ read -r line </proc/"$1"/stat; } 2>/dev/null || return 1
	set -- ${line##*) }
	[ "$1" != Z ] && echo "${20}"
}

# running: is the process there that was started?
running() {
	{ read -r pid ticks <"$state"; } 2>/dev/null || return 1
	[ "$(began "$pid")" = "$ticks" ]
}

promoted() { [ -e "$state.promoted" ]; }

# demanded ACTION: be slow, hang or fail as it is asked for. It comes before the action does anything.
demanded() {
	eval "delay=\${OCF_RESKEY_delay_$1:-0}"
	[ "$delay" = 0 ] || sleep "$delay"
	for f in ${OCF_RESKEY_fail:-}; do
		if [ "$f" = "$1" ] || [ "$f" = "$1@$node" ]; then
			reason "$1 is to fail (parameter fail)"
			exit 1
		fi
	done
	[ -n "$OCF_RESKEY_control" ] || return 0
	for f in "$OCF_RESKEY_control/$id.$1" "$OCF_RESKEY_control/$id.$1@$node"; do
		[ -e "$f" ] || continue
		what= rest=
		read -r what rest <"$f"
		case $what in
		fail) reason "${rest:-$1 is to fail ($f)}"; exit 1 ;;
		hang) while :; do sleep 3600; done ;;
		sleep) sleep "$rest" ;;
		esac
	done
	return 0
}

# note PHASE [CODE]: writes into the journal what this call does.
note() {
	[ -n "$OCF_RESKEY_journal" ] || return 0
	read -r up _ </proc/uptime
	echo "$up $node $id $action $* ${CERCO_OPERATION:--}" >>"$OCF_RESKEY_journal"
}

write_ticks() {
	[ -n "$OCF_RESKEY_record" ] || exec sleep 2147483647
	read -r me _ </proc/self/stat # $$ is the agent, not this process
	while :; do
		read -r up _ </proc/uptime
		role=started
		if [ "$name" = Stateful ]; then
			role=unpromoted
			promoted && role=promoted
		fi
		echo "$node $me $up $id $role" >>"$OCF_RESKEY_record"
		sleep "$tick"
	done
}

score() {
	[ "$name" = Stateful ] || return 0
	if promoted; then s=${OCF_RESKEY_score_promoted:-10}; else s=${OCF_RESKEY_score_unpromoted:-5}; fi
	[ "$(cat "$state.score" 2>/dev/null)" = "$s" ] && return 0
	crm_master -l reboot -v "$s" && echo "$s" >"$state.score"
}

start() {
	running && return 0
	rm -f "$state.promoted" "$state.score"
	(
		exec </dev/null >/dev/null 2>&1 # rather than at the call: a shell would keep the old ones open beside them
		write_ticks
	) &
	pid=$!
	echo "$pid $(began "$pid")" >"$state.new" && mv "$state.new" "$state" || { kill -9 "$pid"; reason "cannot write $state"; return 1; }
	score
	return 0
}

stop() {
	if running; then
		kill -9 "$pid"
		while [ -n "$(began "$pid")" ]; do sleep 0.02; done
	fi
	rm -f "$state" "$state.promoted" "$state.score"
	[ "$name" = Stateful ] && crm_master -l reboot -D
	return 0
}

monitor() {
	running || return 7
	score
	promoted && return 8
	return 0
}

action=$1
case $action in
meta-data) metadata; exit 0 ;;
validate-all)
	[ -d "$state_dir" ] && [ -w "$state_dir" ] && exit 0
	reason "state_dir $state_dir is no directory that can be written to"
	exit 6
	;;
start | stop | monitor | promote | demote | migrate_to | migrate_from)
	note begin
	trap 'note end $?' EXIT
	demanded "$action"
	;;
esac
case $action in
start) start ;;
stop) stop ;;
monitor) monitor ;;
promote) running || exit 7; : >"$state.promoted" && score; exit 0 ;;
demote) running || exit 7; rm -f "$state.promoted"; score; exit 0 ;;
migrate_to) running || exit 7; stop ;; # the other side starts it: it must not run twice
migrate_from) start ;;
notify) exit 0 ;;
reload-agent) running || exit 7 ;;
*) reason "no action \"$action\""; exit 3 ;;
esac
