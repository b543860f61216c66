/* The loop of avickit/workload/kernel/ in C, for the benchmark only: the same arrays, the same steps, the same numbers. */
#include <stdint.h>

typedef int64_t i64;
#define NEVER ((i64)1 << 55)
#define CLOCK_SHIFT 5
#define TASK_BITS 10
enum { HOME, VRUNTIME, LEFT, PIPE, FIRST, LAST, USED, FINISHED, TASK };
enum { UNREAD, ROOM, TAKEN, FREE, WAITING, READER_SLEEPS, READER, GROUP };
enum { HALTED, RUNS, DUE, INTERRUPT_AT, INTERRUPT_COST, TICK_AT, STEAL_AT, AWAY_UNTIL, ASLEEP_FROM, LEAST, RUN_SINCE, QUEUED, WOKEN };
#define VCPU 16
enum { P_VCPUS, P_RECORDS, P_WRITE, P_READ, P_BLOCK, P_SWITCH, P_SPREAD, P_WAKEUP, P_REMOTE, P_TICK, P_GRANULARITY,
       P_WAKEUP_GRANULARITY, P_CREDIT, P_STEAL_EVERY, P_STEAL, P_COSTS, C_TICK = P_COSTS + 9, C_SLEEP, C_WAKE };
enum { EVENTS, WRITTEN, RECEIVED, DRAINED, LOCAL, REMOTE, TO_RUNNING, TO_PREEMPTED, TO_SLEEPING, INTERRUPTS, READER_BLOCKS,
       WRITER_BLOCKS, SWITCHES, BY_WAKEUP, BY_TICK, TICKS, SLEEPS, STEALS, SENDING, INTERRUPTED, ASLEEP, DICE, RUNNING };

#define TASKS (VCPU << CLOCK_SHIFT)
#define PIPES (TASKS + (TASK << TASK_BITS))
#define HEAPS (PIPES + (TASK << (TASK_BITS - 1)))
#define LISTS (HEAPS + (1 << (TASK_BITS + CLOCK_SHIFT)))
#define PARAMETERS (LISTS + (1 << (TASK_BITS + CLOCK_SHIFT)))
#define COUNTERS (PARAMETERS + 64)
#define TURNS (COUNTERS + 64)
#define tasks (m + TASKS)
#define vcpus m
#define heap_of(v) (m + HEAPS + ((v) << TASK_BITS))
#define list_of(v) (m + LISTS + ((v) << TASK_BITS))
#define p (m + PARAMETERS)
#define n (m + COUNTERS)
#define turns (m + TURNS)

static i64 min(i64 a, i64 b) { return a < b ? a : b; }
static i64 max(i64 a, i64 b) { return a > b ? a : b; }

static void push(i64 *heap, i64 at, i64 key)
{
    while (at > 0) {
        i64 above = (at - 1) >> 1;
        if (heap[above] <= key)
            break;
        heap[at] = heap[above];
        at = above;
    }
    heap[at] = key;
}

static i64 pop(i64 *heap, i64 length)
{
    i64 least = heap[0], last = length - 1, key = heap[last], at = 0, below = 1;
    while (below < last) {
        i64 one = heap[below], other = heap[below + 1], right = other < one;
        heap[at] = right ? other : one;
        at = below + right;
        below = 2 * at + 1;
    }
    push(heap, at, key);
    return least;
}

static i64 after(i64 due, i64 now, i64 every) { return due > now ? due : now + every - (now - due) % every; }

static void enqueue(i64 *m, i64 home, i64 other)
{
    i64 *t = tasks + other * TASK, *v = vcpus + home * VCPU;
    t[VRUNTIME] = max(t[VRUNTIME], v[LEAST] - p[P_CREDIT]);
    push(heap_of(home), v[QUEUED]++, t[VRUNTIME] << TASK_BITS | other);
}

static void rouse(i64 *m, i64 v, i64 clock)
{
    i64 turn = NEVER << CLOCK_SHIFT | v, place = 1;
    while (turns[place] != turn)
        place++;
    turn = clock << CLOCK_SHIFT | v;
    for (; place > 1 && turns[place - 1] > turn; place--)
        turns[place] = turns[place - 1];
    turns[place] = turn;
}

static i64 give_turn(i64 *m, i64 turn)
{
    i64 first = turns[1], place = 1;
    for (; turns[place + 1] < turn; place++)
        turns[place] = turns[place + 1];
    turns[place] = turn;
    return first;
}

static i64 wake(i64 *m, i64 v, i64 clock, i64 other)
{
    i64 home = tasks[other * TASK + HOME];
    if (home == v) {
        n[LOCAL]++;
        enqueue(m, home, other);
        return p[P_WAKEUP];
    }
    n[REMOTE]++;
    i64 spent = p[P_REMOTE], *h = vcpus + home * VCPU;
    if (!h[WOKEN]) {
        i64 now = clock + spent, asleep = h[HALTED], state = 0;
        if (asleep && now >= h[ASLEEP_FROM])
            state = 2;
        else if (!asleep && now < h[AWAY_UNTIL])
            state = 1;
        n[TO_RUNNING + state]++;
        n[SENDING] += p[P_COSTS + 3 * state];
        spent += p[P_COSTS + 3 * state];
        i64 at = clock + spent + p[P_COSTS + 3 * state + 1];
        h[INTERRUPT_AT] = at;
        h[INTERRUPT_COST] = p[P_COSTS + 3 * state + 2];
        if (asleep) {
            i64 begin = max(at, h[ASLEEP_FROM]) + (state == 2 ? p[C_WAKE] : 0);
            n[ASLEEP] += begin - h[ASLEEP_FROM];
            h[HALTED] = 0;
            rouse(m, home, begin);
            h[TICK_AT] = after(h[TICK_AT], begin, p[P_TICK]);
            if (p[P_STEAL_EVERY])
                h[STEAL_AT] = after(h[STEAL_AT], begin, p[P_STEAL_EVERY]);
        }
        h[DUE] = min(at, min(h[TICK_AT], h[STEAL_AT]));
    }
    list_of(home)[h[WOKEN]++] = other;
    return spent;
}

static void preempt(i64 *m, i64 v, i64 task)
{
    i64 *c = vcpus + v * VCPU;
    push(heap_of(v), c[QUEUED]++, tasks[task * TASK + VRUNTIME] << TASK_BITS | task);
    c[RUNS] = -1;
}

static i64 pick(i64 *m, i64 v, i64 clock)
{
    i64 *c = vcpus + v * VCPU;
    if (!c[QUEUED]) {
        n[SLEEPS]++;
        c[ASLEEP_FROM] = clock + p[C_SLEEP];
        if (c[INTERRUPT_AT] == NEVER) {
            c[HALTED] = 1;
            return NEVER;
        }
        clock = max(c[INTERRUPT_AT], c[ASLEEP_FROM]);
        n[ASLEEP] += clock - c[ASLEEP_FROM];
        return clock;
    }
    i64 key = pop(heap_of(v), c[QUEUED]--);
    c[RUNS] = key & (((i64)1 << TASK_BITS) - 1);
    c[LEAST] = max(c[LEAST], key >> TASK_BITS);
    c[RUN_SINCE] = key >> TASK_BITS;
    n[DICE] = (n[DICE] * 1103515245 + 12345) & 0x7FFFFFFF;
    n[SWITCHES]++;
    return clock + p[P_SWITCH] + ((n[DICE] >> 16) * p[P_SPREAD] >> 15);
}

static i64 seldom(i64 *m, i64 v, i64 clock)
{
    i64 *c = vcpus + v * VCPU, *mine = heap_of(v), task = c[RUNS];
    if (clock >= c[INTERRUPT_AT]) {
        c[INTERRUPT_AT] = NEVER;
        i64 cost = c[INTERRUPT_COST] + p[P_WAKEUP] * c[WOKEN];
        n[INTERRUPTS]++;
        n[INTERRUPTED] += cost;
        clock += cost;
        for (i64 i = 0; i < c[WOKEN]; i++)
            enqueue(m, v, list_of(v)[i]);
        c[WOKEN] = 0;
        if (task >= 0 && (mine[0] >> TASK_BITS) + p[P_WAKEUP_GRANULARITY] < tasks[task * TASK + VRUNTIME]) {
            preempt(m, v, task);
            n[BY_WAKEUP]++;
        }
    } else if (clock >= c[STEAL_AT]) {
        clock += p[P_STEAL];
        c[AWAY_UNTIL] = clock;
        c[STEAL_AT] = clock + p[P_STEAL_EVERY];
        c[TICK_AT] = after(c[TICK_AT], clock, p[P_TICK]);
        n[STEALS]++;
    } else if (task < 0) {
        return pick(m, v, clock);
    } else {
        clock += p[C_TICK];
        c[TICK_AT] = after(c[TICK_AT], clock, p[P_TICK]);
        n[TICKS]++;
        i64 vruntime = tasks[task * TASK + VRUNTIME];
        if (vruntime - c[RUN_SINCE] >= p[P_GRANULARITY] && c[QUEUED] && mine[0] >> TASK_BITS < vruntime) {
            preempt(m, v, task);
            n[BY_TICK]++;
        }
    }
    c[DUE] = min(c[INTERRUPT_AT], min(c[TICK_AT], c[STEAL_AT]));
    return clock;
}

void run(i64 *m, i64 limit)
{
    i64 running = n[RUNNING], events = 0, written = 0, received = 0;
    i64 turn = turns[0];
    const i64 records = p[P_RECORDS], write = p[P_WRITE], read = p[P_READ], block = p[P_BLOCK];
    while (running > 0 && events < limit) {
        events++;
        if (turn > turns[1])
            turn = give_turn(m, turn);
        i64 v = turn & ((1 << CLOCK_SHIFT) - 1), clock = turn >> CLOCK_SHIFT, *c = vcpus + v * VCPU, task = c[RUNS];
        if (task < 0 || clock >= c[DUE]) {
            turn = seldom(m, v, clock) << CLOCK_SHIFT | v;
            continue;
        }
        i64 *t = tasks + task * TASK, *q = m + t[PIPE], spent, here = 0, woken = 0, first = 0;
        if (t[LAST] < 0) {
            if (!q[UNREAD]) {
                q[READER_SLEEPS] = 1;
                n[READER_BLOCKS]++;
                goto blocks;
            }
            received++;
            spent = read;
            q[UNREAD]--;
            q[TAKEN]++;
            if (q[TAKEN] == records || !q[UNREAD]) {
                n[DRAINED]++;
                q[TAKEN] = 0;
                q[FREE]++;
                if (!q[UNREAD])
                    q[ROOM] = 0;
                woken = q[WAITING];
                first = q[GROUP];
                q[WAITING] = 0;
            }
        } else {
            if (!q[ROOM]) {
                if (!q[FREE]) {
                    q[WAITING] |= (i64)1 << (task - q[GROUP]);
                    n[WRITER_BLOCKS]++;
                    goto blocks;
                }
                q[FREE]--;
                q[ROOM] = records;
            }
            q[ROOM]--;
            q[UNREAD]++;
            t[PIPE] = t[PIPE] == t[LAST] ? t[FIRST] : t[PIPE] + TASK;
            written++;
            spent = write;
            woken = q[READER_SLEEPS];
            first = q[READER];
            q[READER_SLEEPS] = 0;
        }
        for (; woken; woken >>= 1, first++)
            if (woken & 1) {
                spent += wake(m, v, clock + spent, first);
                here |= tasks[first * TASK + HOME] == v;
            }
        t[VRUNTIME] += spent;
        t[USED] += spent;
        clock += spent;
        if (!--t[LEFT]) {
            t[FINISHED] = clock;
            c[RUNS] = -1;
            running--;
        } else if (here && (heap_of(v)[0] >> TASK_BITS) + p[P_WAKEUP_GRANULARITY] < t[VRUNTIME]) {
            preempt(m, v, task);
            n[BY_WAKEUP]++;
        }
        turn = clock << CLOCK_SHIFT | v;
        continue;
    blocks:
        t[VRUNTIME] += block;
        t[USED] += block;
        c[RUNS] = -1;
        turn = (clock + block) << CLOCK_SHIFT | v;
    }
    turns[0] = turn;
    n[RUNNING] = running;
    n[EVENTS] += events;
    n[WRITTEN] += written;
    n[RECEIVED] += received;
}
