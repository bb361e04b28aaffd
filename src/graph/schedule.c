/* schedule.c: which thread runs which step. The plan is made once, from estimates: of the steps
 * that could begin, the one with the longest way to the end after it goes to the thread where it
 * can begin first; a large one that has nothing beside it is divided among all threads. Threads
 * wait for each other by counting steps. No step's numbers depend on where it runs, so the results
 * are the same for any number of threads. */
#include "base/pool.h"
#include "graph/program.h"

#include <string.h>
#include <time.h>

/* rough costs in microseconds; only their proportions matter */
#define FLOPS_PER_US 200000.0 /* of products */
#define BYTES_PER_US 150000.0
#define LINKS_PER_US 15000.0 /* elements of an elementwise kernel */
#define STEP_US      0.05
#define BRANCH_US    1.0  /* from here on a step is worth a thread */
#define SYNC_US      0.15 /* until another thread sees that a step is done */

typedef struct scheduler {
  deer_program *p;
  int threads, n;          /* steps before division */
  int *step_of;            /* of a unit; -1 for none */
  int *after, *first;      /* steps that step i waits for: after[first[i] .. first[i + 1]) */
  int n_after, room_after; /* used and allocated of `after` */
  int *then, *first_then;  /* the other way round: steps that wait for step i */
  double *cost, *finish;
  double *rank; /* from the beginning of a step to the end of the last one that depends on it */
  int *waiting; /* how many steps it still waits for */
  int *ready, n_ready;
  int *lane;  /* of a step; -1 when it is divided */
  int *parts; /* of a step */
  int *order; /* in which steps were given to lanes */
  int *best_lane, *best_parts, *best_order;
} scheduler;

/* ---- what waits for what ---- */

static deer_status add_after(scheduler *s, int step) {
  if (s->n_after == s->room_after) {
    const int room = 2 * s->room_after + 64;
    int *grown = deer_realloc(s->after, (size_t)room * sizeof *grown);
    if (!grown) return DEER_ENOMEM;
    s->after = grown;
    s->room_after = room;
  }
  s->after[s->n_after++] = step;
  return DEER_OK;
}

/* the steps that unit u waits for; one without a step passes on its own */
static deer_status collect_after(scheduler *s, int u) {
  const deer_unit *unit = &s->p->plan->units[u];
  for (int i = 0; i < unit->n_after; i++) {
    const int step = s->step_of[unit->after[i]];
    if (step >= 0)
      DEER_TRY(add_after(s, step));
    else
      DEER_TRY(collect_after(s, unit->after[i]));
  }
  return DEER_OK;
}

/* a step may wait for another one more than once, and is then listed as often */
static deer_status turn_round(scheduler *s) {
  s->then = deer_alloc_array((size_t)s->n_after + 1, sizeof *s->then);
  if (!s->then) return DEER_ENOMEM;
  for (int k = 0; k < s->n_after; k++) s->first_then[s->after[k] + 1]++;
  for (int i = 0; i < s->n; i++) s->first_then[i + 1] += s->first_then[i];
  for (int i = 0; i < s->n; i++) s->waiting[i] = s->first_then[i]; /* the next free place */
  for (int i = 0; i < s->n; i++)
    for (int k = s->first[i]; k < s->first[i + 1]; k++) s->then[s->waiting[s->after[k]]++] = i;
  return DEER_OK;
}

static deer_status find_order(scheduler *s) {
  for (int u = 0; u < s->p->plan->n_units; u++) s->step_of[u] = -1;
  for (int i = 0; i < s->n; i++) s->step_of[s->p->unit_of_step[i]] = i;
  for (int i = 0; i < s->n; i++) {
    s->first[i] = s->n_after;
    DEER_TRY(collect_after(s, s->p->unit_of_step[i]));
  }
  s->first[s->n] = s->n_after;
  return turn_round(s);
}

static double cost_of(const deer_step *step) {
  const double flops = deer_step_flops(step), bytes = deer_step_bytes(step);
  if (step->chain) return STEP_US + flops / LINKS_PER_US;
  return STEP_US + (step->op->flops ? flops / FLOPS_PER_US : 0) + bytes / BYTES_PER_US;
}

static int most_parts(const scheduler *s, int i) {
  const deer_step *step = &s->p->steps[i];
  const int most = step->op->parts ? step->op->parts(step) : 1;
  return most < s->threads ? most : s->threads;
}

/* ---- trying ---- */

/* when step i can begin on a thread whose work so far ends at `time` */
static double start_of(const scheduler *s, int i, int lane, double time) {
  for (int k = s->first[i]; k < s->first[i + 1]; k++) {
    const int d = s->after[k];
    const double seen = s->finish[d] + (s->lane[d] == lane ? 0 : SYNC_US);
    if (seen > time) time = seen;
  }
  return time;
}

static void divide(scheduler *s, int i, double *time) {
  const int parts = s->parts[i];
  s->finish[i] = 0;
  for (int lane = 0; lane < parts; lane++) {
    time[lane] = start_of(s, i, lane, time[lane]) + STEP_US + s->cost[i] / parts;
    if (time[lane] > s->finish[i]) s->finish[i] = time[lane];
  }
  s->lane[i] = parts > 1 ? -1 : 0;
}

static void give_whole(scheduler *s, int i, double *time) {
  int best = 0;
  double begin = start_of(s, i, 0, time[0]);
  for (int lane = 1; lane < s->threads; lane++) {
    const double start = start_of(s, i, lane, time[lane]);
    if (start < begin) begin = start, best = lane;
  }
  s->lane[i] = best;
  s->finish[i] = time[best] = begin + s->cost[i];
}

static void find_ranks(scheduler *s) {
  for (int i = s->n - 1; i >= 0; i--) {
    double longest = 0;
    for (int k = s->first_then[i]; k < s->first_then[i + 1]; k++)
      if (s->rank[s->then[k]] > longest) longest = s->rank[s->then[k]];
    s->rank[i] = s->cost[i] + longest;
  }
}

/* takes the most urgent step off the ready ones; *beside: is another one worth a thread? */
static int take_ready(scheduler *s, bool *beside) {
  int best = 0;
  for (int k = 1; k < s->n_ready; k++) {
    const double more = s->rank[s->ready[k]] - s->rank[s->ready[best]];
    if (more > 0 || (more == 0 && s->ready[k] < s->ready[best])) best = k;
  }
  const int step = s->ready[best];
  s->ready[best] = s->ready[--s->n_ready];
  *beside = false;
  for (int k = 0; k < s->n_ready; k++)
    if (s->cost[s->ready[k]] > BRANCH_US) *beside = true;
  return step;
}

static void finish_step(scheduler *s, int step) {
  for (int k = s->first_then[step]; k < s->first_then[step + 1]; k++)
    if (--s->waiting[s->then[k]] == 0) s->ready[s->n_ready++] = s->then[k];
}

/* the time of a run when steps that cost more than `limit` are divided, those with others beside
 * them if they cost more than `limit_beside` */
static double attempt(scheduler *s, double limit, double limit_beside) {
  double time[DEER_MAX_THREADS] = {0}, end = 0;
  s->n_ready = 0;
  for (int i = 0; i < s->n; i++) {
    s->waiting[i] = s->first[i + 1] - s->first[i];
    if (s->waiting[i] == 0) s->ready[s->n_ready++] = i;
  }
  for (int done = 0; done < s->n; done++) {
    bool beside;
    const int i = take_ready(s, &beside);
    s->order[done] = i;
    s->parts[i] = s->cost[i] > (beside ? limit_beside : limit) ? most_parts(s, i) : 1;
    if (s->parts[i] > 1)
      divide(s, i, time);
    else
      give_whole(s, i, time);
    if (s->finish[i] > end) end = s->finish[i];
    finish_step(s, i);
  }
  return end;
}

/* the best of a few ways; false when one thread is hardly slower */
static bool choose(scheduler *s) {
  const double limits[][2] = {{1e30, 1e30}, {1.5, 1e30}, {3, 1e30}, {8, 1e30}, {3, 60}, {3, 3}};
  double alone = 0, best = 1e30;
  for (int i = 0; i < s->n; i++) alone += s->cost[i] = cost_of(&s->p->steps[i]);
  if (alone < 10) return false;
  find_ranks(s);
  for (size_t k = 0; k < sizeof limits / sizeof *limits; k++) {
    const double time = attempt(s, limits[k][0], limits[k][1]);
    if (time >= best) continue;
    best = time;
    memcpy(s->best_lane, s->lane, (size_t)s->n * sizeof *s->lane);
    memcpy(s->best_parts, s->parts, (size_t)s->n * sizeof *s->parts);
    memcpy(s->best_order, s->order, (size_t)s->n * sizeof *s->order);
  }
  return best + 3 < 0.9 * alone;
}

/* ---- lanes ---- */

typedef struct laner {
  scheduler *s;
  deer_step *steps; /* divided */
  int *units, n;
  int *first_part;         /* of a step before division: its first part among `steps` */
  int *lane_of, *count_of; /* of a part: its lane and its place there, from 1 */
} laner;

/* waits for the parts of what step i follows, as far as lane `l` does not know them done */
static deer_status add_waits(laner *m, int i, int l, int *known) {
  const scheduler *s = m->s;
  deer_lane *lane = &s->p->lanes[l];
  for (int k = s->first[i]; k < s->first[i + 1]; k++) {
    const int d = s->after[k];
    for (int part = m->first_part[d]; part < m->first_part[d] + s->best_parts[d]; part++) {
      const int other = m->lane_of[part], count = m->count_of[part];
      if (other == l || known[other] >= count) continue;
      known[other] = count;
      deer_wait *grown =
          deer_realloc(lane->waits, ((size_t)lane->n_waits + 1) * sizeof *lane->waits);
      if (!grown) return DEER_ENOMEM;
      lane->waits = grown;
      lane->waits[lane->n_waits++] = (deer_wait){other, count};
    }
  }
  return DEER_OK;
}

static deer_status add_part(laner *m, int i, int part, int *known) {
  const scheduler *s = m->s;
  const int l = s->best_parts[i] > 1 ? part : s->best_lane[i];
  deer_lane *lane = &s->p->lanes[l];
  deer_step *step = &m->steps[m->n];
  *step = s->p->steps[i];
  step->part = part;
  step->parts = s->best_parts[i];
  m->units[m->n] = s->p->unit_of_step[i];
  lane->first_wait[lane->n] = lane->n_waits;
  DEER_TRY(add_waits(m, i, l, known + (size_t)l * DEER_MAX_THREADS));
  lane->steps[lane->n++] = m->n;
  lane->first_wait[lane->n] = lane->n_waits;
  m->lane_of[m->n] = l;
  m->count_of[m->n] = lane->n;
  m->n++;
  return DEER_OK;
}

static deer_status fill_lanes(laner *m, size_t most) {
  const scheduler *s = m->s;
  static const size_t table = (size_t)DEER_MAX_THREADS * DEER_MAX_THREADS;
  int *known = deer_alloc_array(table, sizeof *known);
  deer_status status = known ? DEER_OK : DEER_ENOMEM;
  for (int l = 0; l < s->threads && status == DEER_OK; l++) {
    s->p->lanes[l].steps = deer_alloc_array(most, sizeof(int));
    s->p->lanes[l].first_wait = deer_alloc_array(most + 1, sizeof(int));
    if (!s->p->lanes[l].steps || !s->p->lanes[l].first_wait) status = DEER_ENOMEM;
  }
  for (int k = 0; k < s->n && status == DEER_OK; k++) {
    const int i = s->best_order[k];
    m->first_part[i] = m->n;
    for (int part = 0; part < s->best_parts[i] && status == DEER_OK; part++)
      status = add_part(m, i, part, known);
  }
  deer_free(known);
  return status;
}

/* replaces the steps of the program by divided ones in lanes */
static deer_status make_lanes(scheduler *s) {
  deer_program *p = s->p;
  size_t most = 0;
  for (int i = 0; i < s->n; i++) most += (size_t)s->best_parts[i];
  laner m = {.s = s};
  m.steps = deer_alloc_array(most, sizeof *m.steps);
  m.units = deer_alloc_array(most, sizeof *m.units);
  m.first_part = deer_alloc_array((size_t)s->n, sizeof *m.first_part);
  m.lane_of = deer_alloc_array(most, sizeof *m.lane_of);
  m.count_of = deer_alloc_array(most, sizeof *m.count_of);
  p->lanes = deer_alloc_array((size_t)s->threads, sizeof *p->lanes);
  p->n_lanes = s->threads;
  const bool memory = m.steps && m.units && m.first_part && m.lane_of && m.count_of && p->lanes;
  deer_status status = memory ? fill_lanes(&m, most) : DEER_ENOMEM;
  deer_free(m.first_part);
  deer_free(m.lane_of);
  deer_free(m.count_of);
  if (status != DEER_OK) {
    deer_free(m.steps);
    deer_free(m.units);
    return status;
  }
  deer_free(p->steps);
  deer_free(p->unit_of_step);
  p->steps = m.steps;
  p->unit_of_step = m.units;
  p->n_steps = m.n;
  return DEER_OK;
}

deer_status deer_schedule(deer_program *p, int threads) {
  if (threads < 2 || p->n_steps < 1) return DEER_OK;
  const size_t n = (size_t)p->n_steps + 1;
  scheduler s = {.p = p, .threads = threads, .n = p->n_steps};
  s.step_of = deer_alloc_array((size_t)p->plan->n_units, sizeof *s.step_of);
  s.first = deer_alloc_array(n, sizeof *s.first);
  s.cost = deer_alloc_array(n, sizeof *s.cost);
  s.finish = deer_alloc_array(n, sizeof *s.finish);
  s.lane = deer_alloc_array(n, sizeof *s.lane);
  s.parts = deer_alloc_array(n, sizeof *s.parts);
  s.first_then = deer_alloc_array(n + 1, sizeof *s.first_then);
  s.rank = deer_alloc_array(n, sizeof *s.rank);
  s.waiting = deer_alloc_array(n, sizeof *s.waiting);
  s.ready = deer_alloc_array(n, sizeof *s.ready);
  s.order = deer_alloc_array(n, sizeof *s.order);
  s.best_order = deer_alloc_array(n, sizeof *s.best_order);
  s.best_lane = deer_alloc_array(n, sizeof *s.best_lane);
  s.best_parts = deer_alloc_array(n, sizeof *s.best_parts);
  const bool memory = s.step_of && s.first && s.cost && s.finish && s.lane && s.parts &&
                      s.best_lane && s.best_parts && s.first_then && s.rank && s.waiting &&
                      s.ready && s.order && s.best_order;
  deer_status status = memory ? find_order(&s) : DEER_ENOMEM;
  if (status == DEER_OK && choose(&s)) status = make_lanes(&s);
  deer_free(s.step_of);
  deer_free(s.after);
  deer_free(s.first);
  deer_free(s.cost);
  deer_free(s.finish);
  deer_free(s.lane);
  deer_free(s.parts);
  deer_free(s.then);
  deer_free(s.first_then);
  deer_free(s.rank);
  deer_free(s.waiting);
  deer_free(s.ready);
  deer_free(s.order);
  deer_free(s.best_order);
  deer_free(s.best_lane);
  deer_free(s.best_parts);
  return status;
}

void deer_lanes_free(deer_program *p) {
  for (int l = 0; p->lanes && l < p->n_lanes; l++) {
    deer_free(p->lanes[l].steps);
    deer_free(p->lanes[l].first_wait);
    deer_free(p->lanes[l].waits);
  }
  deer_free(p->lanes);
}

/* ---- running ---- */

static void wait_for(const deer_program *p, const deer_wait *wait) {
  deer_lane *lane = &p->lanes[wait->lane];
  const uint64_t goal = p->runs * (uint64_t)lane->n + (uint64_t)wait->count;
  for (int turn = 0; atomic_load_explicit(&lane->done, memory_order_acquire) < goal; turn++)
    deer_spin(turn);
}

static void run_lane(void *context, int worker) {
  deer_program *p = context;
  deer_lane *lane = &p->lanes[worker];
  const unsigned mode = deer_flush_subnormals();
  uint64_t done = p->runs * (uint64_t)lane->n;
  for (int i = 0; i < lane->n; i++) {
    for (int w = lane->first_wait[i]; w < lane->first_wait[i + 1]; w++)
      wait_for(p, &lane->waits[w]);
    const deer_step *step = &p->steps[lane->steps[i]];
    step->op->run(step);
    atomic_store_explicit(&lane->done, ++done, memory_order_release);
  }
  deer_restore_mode(mode);
}

uint64_t deer_nanoseconds(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000U + (uint64_t)t.tv_nsec;
}

static void run_alone(deer_program *p) {
  const unsigned mode = deer_flush_subnormals();
  for (int i = 0; i < p->n_steps; i++) p->steps[i].op->run(&p->steps[i]);
  deer_restore_mode(mode);
  for (int l = 0; l < p->n_lanes; l++)
    atomic_store(&p->lanes[l].done, (p->runs + 1) * (uint64_t)p->lanes[l].n);
}

/* Where others use the cores, a thread that everybody waits for may not be running at all. So the
 * first runs are done alone, to know how long that takes. A run on all lanes that takes far longer,
 * or several that take somewhat longer, are a stall, and send the program back to one thread, for
 * longer each time that it stalls again. Waking a sleeping thread is no stall. */
#define TRIALS        4
#define WAKING        300000 /* nanoseconds */
#define SLOW_RUNS     8
#define MOST_PATIENCE 4096

static bool has_stalled(deer_program *p, uint64_t time) {
  p->slow = time > p->alone + p->alone / 5 ? p->slow + 1 : 0;
  return p->slow >= SLOW_RUNS || time > 2 * p->alone + WAKING;
}

static bool insisting;

void deer_lanes_insist(bool on) { insisting = on; }

void deer_lanes_run(deer_program *p) {
  const uint64_t before = deer_nanoseconds();
  const bool trial = p->runs < TRIALS && !insisting;
  const bool wanted = insisting || (!trial && p->alone_left == 0);
  const bool shared = wanted && deer_pool_run(p->n_lanes, run_lane, p);
  if (!shared) run_alone(p);
  const uint64_t time = deer_nanoseconds() - before;
  if (trial && (p->alone == 0 || time < p->alone)) p->alone = time;
  if (!trial && p->alone_left > 0) p->alone_left--;
  if (shared && has_stalled(p, time)) {
    p->slow = 0;
    p->patience = p->patience == 0 ? 16 : p->patience;
    p->alone_left = p->patience;
    if (p->patience < MOST_PATIENCE) p->patience *= 2;
  } else if (shared && p->patience > 0 && p->runs % 64 == 0) {
    p->patience /= 2;
  }
  p->runs++;
}
