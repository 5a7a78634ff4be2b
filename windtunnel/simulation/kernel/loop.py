"""The event loop in compiled code: what `core` and `resilient` do, event by event, on arrays."""

import math

from windtunnel.simulation.kernel import codes
from windtunnel.simulation.kernel.agenda import pop, push
from windtunnel.simulation.kernel.beginning import begin
from windtunnel.simulation.kernel.blocks import (
    advance,
    draw_catches,
    draw_fallbacks,
    draw_flaws,
    draw_jitters,
    draw_routes,
    draw_services,
)
from windtunnel.simulation.kernel.compiling import compiled
from windtunnel.simulation.kernel.counting import count_on
from windtunnel.simulation.kernel.forks import begin_fork, join, leave, make_branch
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
from windtunnel.simulation.kernel.workspace import Results, Workspace
from windtunnel.simulation.network import LEAVES
from windtunnel.simulation.resilience import RETRY_BURST
from windtunnel.simulation.safeguards import ALMOST_ONE
from windtunnel.simulation.tokens import ALONE


@compiled
def run(  # noqa: C901, PLR0912, PLR0915 - one loop over flat arrays is what makes it fast
    t: Tables, work: Workspace, results: Results, origin: Words, rate: float, warmup: int, most: int, row: int
) -> int:
    """Run one replication; 0, or when there was no room for all its tokens or forks, how many it would have made."""
    begin(t, work, results, origin, rate, row)
    agenda, ahead, places, tokens, forks = work.agenda, work.ahead, work.places, work.tokens, work.forks
    times, orders, items, used = agenda.times, agenda.orders, agenda.tokens, ahead.used
    limited, circuits, until = t.window, places.circuits, places.until
    count, sums, born, left = results.counts[row], results.sums[row], results.born[row], results.left[row]
    succeeded, delivered, degraded = results.succeeded[row], results.delivered[row], results.degraded[row]
    tasks, unused = born.size, tokens.free.size
    size = order = groups = arrived = steps = made = 0
    now = 0.0
    next_arrival = born[0] if tasks else math.inf
    counted = min(warmup, tasks - 1)
    while True:
        serving = False
        if size and times[0] <= next_arrival:
            now, token = times[0], items[0]
            size -= 1
            pop(times, orders, items, size)
            node, what = tokens.where[token], tokens.event[token]
            if what <= codes.FAILED:
                steps += 1
                count[codes.ATTEMPTS, node] += 1
                count[codes.FAILURES, node] += what
                if limited[node] and end_attempt(
                    circuits,
                    places.results,
                    node,
                    limited[node],
                    t.limit[node],
                    tokens.begun[token],
                    what == codes.FAILED,
                ):
                    until[node] = now + t.open_ms[node]
                serving = True
                verb = codes.FAILS if what else codes.IS_CHECKED
            elif what == codes.AGAIN:
                verb = codes.ARRIVES
            elif what == codes.BRANCH:
                verb = codes.ENTERS
            elif what == codes.FALLBACK_OK:
                tokens.helped[token] = True
                verb = codes.SUCCEEDS
            else:
                verb = codes.VANISHES
        elif arrived < tasks:
            if not unused:
                return made + 1
            if arrived == counted:
                count_on(count, sums, places.busy, -1)
            if arrived == tasks - 1:
                count_on(count, sums, places.busy, 1)
            unused -= 1
            made += 1
            now, node, token, verb = next_arrival, tokens.entries[arrived], tokens.free[unused], codes.ENTERS
            tokens.task[token], tokens.group[token], tokens.live[arrived] = arrived, ALONE, 1
            tokens.helped[token], tokens.flawed[token] = False, False
            for again in range(tokens.reworked.shape[1]):
                tokens.reworked[token, again] = 0
            arrived += 1
            next_arrival = born[arrived] if arrived < tasks else math.inf
        else:
            break
        own, own_verb, home = token, verb, node
        while True:
            if serving:
                # The server that became free takes the next in line, before its own token goes on.
                token, verb = places.head[home], codes.BEGINS
                if token < 0:
                    places.busy[home] -= 1
                    serving, token, verb = False, own, own_verb
                else:
                    places.head[home] = tokens.behind[token]
                    places.in_line[home] -= 1
                    sums[codes.WAIT, home] += now - tokens.since[token]
            started = False
            if verb == codes.IS_CHECKED:
                verb = codes.SUCCEEDS
                if t.catch[node] > 0.0 and tokens.flawed[token]:
                    place = advance(used, codes.CATCH_BLOCK, node)
                    if not place:
                        draw_catches(t, ahead, origin, node)
                    back, again = t.rework[node], t.rework_place[node]
                    if not ahead.catches[node, place]:
                        pass
                    elif back < 0:
                        count[codes.CAUGHT, node] += 1
                        verb = codes.VANISHES
                    elif tokens.reworked[token, again] < t.rework_rounds[node]:
                        count[codes.CAUGHT, node] += 1
                        tokens.reworked[token, again] += 1
                        tokens.flawed[token] = False
                        node, verb = back, codes.ENTERS
                if verb == codes.SUCCEEDS and t.flaw[node] > 0.0:
                    place = advance(used, codes.FLAW_BLOCK, node)
                    if not place:
                        draw_flaws(t, ahead, origin, node)
                    count[codes.FLAWED, node] += ahead.flaws[node, place]
                    tokens.flawed[token] |= ahead.flaws[node, place]
            if verb == codes.SUCCEEDS:
                first, last = t.start[node], t.start[node + 1]
                if not t.fork[node]:
                    place = advance(used, codes.ROUTE_BLOCK, node)
                    if not place:
                        draw_routes(t, ahead, origin, node)
                    target = ahead.targets[node, place]
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
                        tokens.where[branch], tokens.event[branch] = t.target[route], codes.BRANCH
                        order += 1
                        push(times, orders, items, size, now, order, branch)
                        size += 1
                    groups += 1
                    target = t.target[first]
                node, verb = (node, codes.LEAVES) if target == LEAVES else (target, codes.ENTERS)
            if verb == codes.ENTERS:
                verb = codes.ARRIVES
                if t.join[node] and tokens.group[token] != ALONE:
                    came = join(t, forks, tokens, token, node)
                    if came != t.join[node]:
                        count[codes.LATE, node] += came > t.join[node]
                        verb = codes.VANISHES
                if verb == codes.ARRIVES:
                    tokens.attempt[token] = 0
                    count[codes.VISITS, node] += 1
                    places.budget[node] = min(RETRY_BURST, places.budget[node] + t.budget[node])
            if verb == codes.ARRIVES:
                if limited[node] and refuses(circuits, until, node, now):
                    count[codes.SHORT_CIRCUITED, node] += 1
                    verb = codes.GIVES_UP
                elif places.busy[node] < t.servers[node]:
                    verb = codes.BEGINS
                else:
                    tokens.since[token], tokens.behind[token] = now, -1
                    if places.head[node] < 0:
                        places.head[node] = token
                    else:
                        tokens.behind[places.tail[node]] = token
                    places.tail[node] = token
                    places.in_line[node] += 1
                    count[codes.QUEUE_MAX, node] = max(count[codes.QUEUE_MAX, node], places.in_line[node])
                    verb = codes.DONE
            if verb == codes.BEGINS:
                start = now
                if limited[node] and refuses(circuits, until, node, now):
                    count[codes.SHORT_CIRCUITED, node] += 1
                    verb = codes.GIVES_UP
                elif limited[node]:
                    tokens.begun[token] = begin_attempt(circuits, node)
                quota = t.quota[node]
                if quota >= 0 and verb == codes.BEGINS:
                    rate, burst, waits = t.rate[quota], t.burst[quota], t.waits[quota]
                    start = take_tokens(places.level, places.filled, quota, rate, burst, waits, t.tokens[node], now)
                    count[codes.DELAYED, node] += now < start < math.inf
                    if start == math.inf:
                        steps += 1
                        count[codes.THROTTLED, node] += 1
                        count[codes.ATTEMPTS, node] += 1
                        count[codes.FAILURES, node] += 1
                        if limited[node] and end_attempt(
                            circuits, places.results, node, limited[node], t.limit[node], tokens.begun[token], True
                        ):
                            until[node] = now + t.open_ms[node]
                        verb = codes.FAILS
                if verb == codes.BEGINS:
                    first, last = t.hours[node], t.hours[node + 1]
                    if first < last:
                        start = begin_work(t.opens, t.closes, first, last, t.begins[node], start)
                    if start > now:
                        sums[codes.WAIT, node] += start - now
                    place = advance(used, codes.SERVICE_BLOCK, node)
                    if not place:
                        draw_services(t, ahead, origin, node)
                    duration = ahead.services[node, place]
                    sums[codes.BUSY, node] += duration
                    end = start + duration
                    if first < last and not t.overtime[node]:
                        end = finish_work(t.opens, t.closes, first, last, t.begins[node], start, duration)
                    tokens.where[token], tokens.event[token] = (
                        node,
                        codes.FAILED if ahead.failing[node, place] else codes.OK,
                    )
                    order += 1
                    push(times, orders, items, size, end, order, token)
                    size += 1
                    started, verb = True, codes.DONE
            if verb == codes.FAILS:
                tokens.attempt[token] += 1
                if tokens.attempt[token] >= t.attempts[node]:
                    verb = codes.GIVES_UP
                elif t.budget[node] < math.inf and places.budget[node] < ALMOST_ONE:
                    count[codes.OVER_BUDGET, node] += 1
                    verb = codes.GIVES_UP
                else:
                    places.budget[node] -= 1.0
                    count[codes.RETRIES, node] += 1
                    pause = t.backoff[node] * math.ldexp(1.0, tokens.attempt[token] - 1)
                    if t.jitter[node] != 0.0:
                        place = advance(used, codes.JITTER_BLOCK, node)
                        if not place:
                            draw_jitters(t, ahead, origin, node)
                        pause *= ahead.jitters[node, place]
                    tokens.where[token], tokens.event[token] = node, codes.AGAIN
                    order += 1
                    push(times, orders, items, size, now + pause, order, token)
                    size += 1
                    verb = codes.DONE
            if verb == codes.GIVES_UP:
                verb = codes.VANISHES
                if t.fallback[node]:
                    place = advance(used, codes.FALLBACK_BLOCK, node)
                    if not place:
                        draw_fallbacks(t, ahead, origin, node)
                    failed = ahead.fallback_failing[node, place]
                    count[codes.FALLBACKS, node] += 1
                    count[codes.FALLBACK_FAILURES, node] += failed
                    tokens.where[token], tokens.event[token] = (
                        node,
                        codes.FALLBACK_FAILED if failed else codes.FALLBACK_OK,
                    )
                    order += 1
                    push(times, orders, items, size, now + ahead.fallbacks[node, place], order, token)
                    size += 1
                    verb = codes.DONE
            if verb == codes.LEAVES:
                task = tokens.task[token]
                through, helped, flawed = True, tokens.helped[token], tokens.flawed[token]
                if tokens.group[token] != ALONE:
                    through, helped, flawed = leave(forks, tokens.group[token], helped, flawed)
                if through and not delivered[task]:
                    delivered[task], left[task] = True, now
                    succeeded[task], degraded[task] = not flawed, helped and not flawed
                verb = codes.VANISHES
            if verb == codes.VANISHES:
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
        count[codes.OPENED, node] = circuits[node, OPENED]
    results.steps[row], results.ends[row] = steps, now
    return 0
