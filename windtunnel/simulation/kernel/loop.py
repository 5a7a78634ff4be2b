"""The event loop in compiled code: what `core` and `resilient` do, event by event, on arrays."""

import math

from windtunnel.simulation.kernel.agenda import pop, push
from windtunnel.simulation.kernel.blocks import (
    begin_streams,
    draw_arrivals,
    next_catch,
    next_fallback,
    next_flaw,
    next_jitter,
    next_service,
    next_target,
)
from windtunnel.simulation.kernel.compiling import compiled, entrance
from windtunnel.simulation.kernel.forks import begin_fork, join, leave, make_branch, make_token
from windtunnel.simulation.kernel.guards import (
    OPENED,
    begin_attempt,
    begin_work,
    end_attempt,
    finish_work,
    refuses,
    take_tokens,
)
from windtunnel.simulation.kernel.sequence import Words
from windtunnel.simulation.kernel.tables import Tables
from windtunnel.simulation.kernel.workspace import BLOCK, Results, Workspace
from windtunnel.simulation.network import LEAVES
from windtunnel.simulation.resilience import RETRY_BURST
from windtunnel.simulation.safeguards import ALMOST_ONE
from windtunnel.simulation.tokens import ALONE

# Places in the results.
_ATTEMPTS, _FAILURES, _VISITS, _RETRIES, _THROTTLED, _DELAYED, _SHORT_CIRCUITED, _OPENED = range(8)
_OVER_BUDGET, _FALLBACKS, _FALLBACK_FAILURES, _FLAWED, _CAUGHT, _LATE, _QUEUE_MAX = range(8, 15)
_BUSY, _WAIT = range(2)

# What the event of a token says.
_OK, _FAILED, _AGAIN, _BRANCH, _FALLBACK_OK, _FALLBACK_FAILED = range(6)
# What happens to a token next, in the order in which one thing can lead to another.
_IS_CHECKED, _SUCCEEDS, _ENTERS, _ARRIVES, _BEGINS, _FAILS, _GIVES_UP, _LEAVES, _VANISHES, _DONE = range(10)


@entrance
def replicate(
    tables: Tables, work: Workspace, results: Results, origins: Words, rate: float, most: int, row: int
) -> tuple[int, int]:
    """Run replications from `row` on, up to the first that needs more room, or makes more tokens, than it may have.

    Says which one that is, and how many tokens, or forks at work, it would have made.
    """
    made = 0
    while row < origins.shape[0] and not made:
        made = _run(tables, work, results, origins[row], rate, most, row)
        row += not made
    return row, made


@compiled
def _begin(t: Tables, work: Workspace, results: Results, origin: Words, rate: float, row: int) -> None:
    """Put everything as it is before the first event."""
    ahead, places = work.ahead, work.places
    begin_streams(t.jumps, origin, ahead.states)
    draw_arrivals(t, ahead, origin, rate, results.born[row], work.tokens.entries)
    # Loops, because assigning to slices takes long to compile.
    for node in range(t.servers.size):
        for kind in range(ahead.used.shape[0]):
            ahead.used[kind, node] = BLOCK
        for column in range(places.circuits.shape[1]):
            places.circuits[node, column] = 0
        places.busy[node], places.head[node], places.in_line[node] = 0, -1, 0
        places.budget[node], places.until[node] = RETRY_BURST, 0.0
    for quota in range(t.rate.size):
        places.level[quota], places.filled[quota] = t.burst[quota], 0.0


@compiled
def _run(  # noqa: C901, PLR0912, PLR0915 - one loop over flat arrays is what makes it fast
    t: Tables, work: Workspace, results: Results, origin: Words, rate: float, most: int, row: int
) -> int:
    """Run one replication; 0, or when there was no room for all its tokens or forks, how many it would have made."""
    _begin(t, work, results, origin, rate, row)
    agenda, ahead, places, tokens, forks = work.agenda, work.ahead, work.places, work.tokens, work.forks
    limited = t.window
    count, sums, born, left = results.counts[row], results.sums[row], results.born[row], results.left[row]
    succeeded, delivered, degraded = results.succeeded[row], results.delivered[row], results.degraded[row]
    tasks, unused = born.size, tokens.free.size
    size = order = groups = arrived = steps = made = 0
    now = 0.0
    next_arrival = born[0] if tasks else math.inf
    while True:
        serving = False
        if size and agenda.times[0] <= next_arrival:
            now, token = agenda.times[0], agenda.tokens[0]
            size -= 1
            pop(agenda, size)
            node, what = tokens.where[token], tokens.event[token]
            if what <= _FAILED:
                steps += 1
                count[_ATTEMPTS, node] += 1
                count[_FAILURES, node] += what
                if limited[node]:
                    end_attempt(t, places, node, tokens.begun[token], now, what == _FAILED)
                serving = True
                verb = _FAILS if what else _IS_CHECKED
            elif what == _AGAIN:
                verb = _ARRIVES
            elif what == _BRANCH:
                verb = _ENTERS
            elif what == _FALLBACK_OK:
                tokens.helped[token] = True
                verb = _SUCCEEDS
            else:
                verb = _VANISHES
        elif arrived < tasks:
            if not unused:
                return made + 1
            unused -= 1
            made += 1
            now, node, token, verb = next_arrival, tokens.entries[arrived], tokens.free[unused], _ENTERS
            make_token(tokens, token, arrived)
            arrived += 1
            next_arrival = born[arrived] if arrived < tasks else math.inf
        else:
            break
        own, own_verb, home = token, verb, node
        while True:
            if serving:
                # The server that became free takes the next in line, before its own token goes on.
                token, verb = places.head[home], _BEGINS
                if token < 0:
                    places.busy[home] -= 1
                    serving, token, verb = False, own, own_verb
                else:
                    places.head[home] = tokens.behind[token]
                    places.in_line[home] -= 1
                    sums[_WAIT, home] += now - tokens.since[token]
            started = False
            if verb == _IS_CHECKED:
                verb = _SUCCEEDS
                if t.catch[node] > 0.0 and tokens.flawed[token] and next_catch(t, ahead, origin, node):
                    back, again = t.rework[node], t.rework_place[node]
                    if back < 0:
                        count[_CAUGHT, node] += 1
                        verb = _VANISHES
                    elif tokens.reworked[token, again] < t.rework_rounds[node]:
                        count[_CAUGHT, node] += 1
                        tokens.reworked[token, again] += 1
                        tokens.flawed[token] = False
                        node, verb = back, _ENTERS
                if verb == _SUCCEEDS and t.flaw[node] > 0.0 and next_flaw(t, ahead, origin, node):
                    count[_FLAWED, node] += 1
                    tokens.flawed[token] = True
            if verb == _SUCCEEDS:
                first, last = t.start[node], t.start[node + 1]
                if not t.fork[node]:
                    target = next_target(t, ahead, origin, node)
                elif first == last:
                    target = LEAVES
                else:
                    made += last - first - 1
                    if made > most or groups == forks.outer.size or unused < last - first - 1:
                        return int(max(made, groups + 1))
                    begin_fork(forks, groups, tokens.group[token], last - first)
                    tokens.group[token] = groups
                    for route in range(first + 1, last):
                        unused -= 1
                        branch = tokens.free[unused]
                        make_branch(tokens, branch, token)
                        tokens.where[branch], tokens.event[branch] = t.target[route], _BRANCH
                        order += 1
                        push(agenda, size, now, order, branch)
                        size += 1
                    groups += 1
                    target = t.target[first]
                node, verb = (node, _LEAVES) if target == LEAVES else (target, _ENTERS)
            if verb == _ENTERS:
                verb = _ARRIVES
                if t.join[node] and tokens.group[token] != ALONE:
                    came = join(t, forks, tokens, token, node)
                    if came != t.join[node]:
                        count[_LATE, node] += came > t.join[node]
                        verb = _VANISHES
                if verb == _ARRIVES:
                    tokens.attempt[token] = 0
                    count[_VISITS, node] += 1
                    places.budget[node] = min(RETRY_BURST, places.budget[node] + t.budget[node])
            if verb == _ARRIVES:
                if limited[node] and refuses(places, node, now):
                    count[_SHORT_CIRCUITED, node] += 1
                    verb = _GIVES_UP
                elif places.busy[node] < t.servers[node]:
                    verb = _BEGINS
                else:
                    tokens.since[token], tokens.behind[token] = now, -1
                    if places.head[node] < 0:
                        places.head[node] = token
                    else:
                        tokens.behind[places.tail[node]] = token
                    places.tail[node] = token
                    places.in_line[node] += 1
                    count[_QUEUE_MAX, node] = max(count[_QUEUE_MAX, node], places.in_line[node])
                    verb = _DONE
            if verb == _BEGINS:
                start = now
                if limited[node] and refuses(places, node, now):
                    count[_SHORT_CIRCUITED, node] += 1
                    verb = _GIVES_UP
                elif limited[node]:
                    tokens.begun[token] = begin_attempt(places, node)
                if t.quota[node] >= 0 and verb == _BEGINS:
                    start = take_tokens(t, places, node, now)
                    count[_DELAYED, node] += now < start < math.inf
                    if start == math.inf:
                        steps += 1
                        count[_THROTTLED, node] += 1
                        count[_ATTEMPTS, node] += 1
                        count[_FAILURES, node] += 1
                        if limited[node]:
                            end_attempt(t, places, node, tokens.begun[token], now, True)
                        verb = _FAILS
                if verb == _BEGINS:
                    has_hours = t.hours[node] < t.hours[node + 1]
                    if has_hours:
                        start = begin_work(t, node, start)
                    if start > now:
                        sums[_WAIT, node] += start - now
                    place = next_service(t, ahead, origin, node)
                    duration = ahead.services[node, place]
                    sums[_BUSY, node] += duration
                    end = finish_work(t, node, start, duration) if has_hours else start + duration
                    tokens.where[token], tokens.event[token] = node, _FAILED if ahead.failing[node, place] else _OK
                    order += 1
                    push(agenda, size, end, order, token)
                    size += 1
                    started, verb = True, _DONE
            if verb == _FAILS:
                tokens.attempt[token] += 1
                if tokens.attempt[token] >= t.attempts[node]:
                    verb = _GIVES_UP
                elif t.budget[node] < math.inf and places.budget[node] < ALMOST_ONE:
                    count[_OVER_BUDGET, node] += 1
                    verb = _GIVES_UP
                else:
                    places.budget[node] -= 1.0
                    count[_RETRIES, node] += 1
                    pause = t.backoff[node] * math.ldexp(1.0, tokens.attempt[token] - 1)
                    if t.jitter[node] != 0.0:
                        pause *= next_jitter(t, ahead, origin, node)
                    tokens.where[token], tokens.event[token] = node, _AGAIN
                    order += 1
                    push(agenda, size, now + pause, order, token)
                    size += 1
                    verb = _DONE
            if verb == _GIVES_UP:
                verb = _VANISHES
                if t.fallback[node]:
                    place = next_fallback(t, ahead, origin, node)
                    failed = ahead.fallback_failing[node, place]
                    count[_FALLBACKS, node] += 1
                    count[_FALLBACK_FAILURES, node] += failed
                    tokens.where[token], tokens.event[token] = node, _FALLBACK_FAILED if failed else _FALLBACK_OK
                    order += 1
                    push(agenda, size, now + ahead.fallbacks[node, place], order, token)
                    size += 1
                    verb = _DONE
            if verb == _LEAVES:
                task = tokens.task[token]
                through, helped, flawed = leave(forks, tokens.group[token], tokens.helped[token], tokens.flawed[token])
                if through and not delivered[task]:
                    delivered[task], left[task] = True, now
                    succeeded[task], degraded[task] = not flawed, helped and not flawed
                verb = _VANISHES
            if verb == _VANISHES:
                task = tokens.task[token]
                tokens.live[task] -= 1
                if not tokens.live[task] and not delivered[task]:
                    left[task] = now
                tokens.free[unused] = token
                unused += 1
            if not serving:
                if started:
                    places.busy[node] += 1
                break
            if started:
                serving, token, verb = False, own, own_verb
    for node in range(t.servers.size):
        count[_OPENED, node] = places.circuits[node, OPENED]
    results.steps[row], results.ends[row] = steps, now
    return 0
