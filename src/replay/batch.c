/* batch.c: drawing samples and gathering them: rebuilding histories, summing rewards. */
#include "replay/internal.h"

#include <math.h>
#include <string.h>

/* entry `at` of a lane */
typedef struct spot {
  const deer_replay_lane *lane;
  int64_t at;
} spot;

/* copies `n` observations of subject s from a spot on */
static void copy_run(const deer_replay *r, int s, spot from, int64_t n, char *to) {
  size_t bytes = r->bytes[s];
  int64_t p = deer_replay_place_in(r, from.lane, from.at), end = from.lane->base + r->room;
  int64_t whole = end - p < n ? end - p : n;
  const char *ring = r->observation[s];
  memcpy(to, ring + (size_t)p * bytes, (size_t)whole * bytes);
  if (whole == n) return;
  memcpy(to + (size_t)whole * bytes, ring + (size_t)from.lane->base * bytes,
         (size_t)(n - whole) * bytes);
}

/* the history of subject s that ends at a spot; entries from before the episode are zeros */
static void copy_history(const deer_replay *r, int s, spot end, char *to) {
  int64_t h = r->space.subjects[s].history, p = deer_replay_place_in(r, end.lane, end.at);
  if (h == 1) {
    memcpy(to, r->observation[s] + (size_t)p * r->bytes[s], r->bytes[s]);
    return;
  }
  int64_t n = (r->age[p] < end.at ? r->age[p] : end.at) + 1;
  if (n > h) n = h;
  size_t missing = (size_t)(h - n) * r->bytes[s];
  memset(to, 0, missing);
  copy_run(r, s, (spot){end.lane, end.at - n + 1}, n, to + missing);
}

/* where the steps from a sample on lead to */
typedef struct outcome {
  int64_t steps;
  double reward, weight; /* sum of the rewards; what the value of the last state counts */
  bool terminal;
} outcome;

static outcome follow(const deer_replay *r, spot from, const deer_batch *b) {
  outcome o = {.weight = 1};
  for (;;) {
    int64_t p = deer_replay_place_in(r, from.lane, from.at + o.steps++);
    o.reward += o.weight * (double)r->reward[p];
    o.terminal = r->flags[p] & DEER_SLOT_TERMINAL;
    if (o.terminal || o.steps >= b->n_step ||
        !deer_replay_has_outcome(r, from.lane, from.at + o.steps))
      break;
    o.weight *= b->discount;
  }
  if (o.terminal) o.weight = 0;
  return o;
}

static size_t history_bytes(const deer_replay *r, int s) {
  return (size_t)r->space.subjects[s].history * r->bytes[s];
}

/* writes what followed a sample as row `row` of the batch */
static void gather_outcome(const deer_replay *r, spot from, int row, const deer_batch *b) {
  outcome o = follow(r, from, b);
  spot end = {from.lane, from.at + o.steps};
  for (int s = 0; s < r->space.n_subjects; s++) {
    if (!b->obs_t[s]) continue;
    size_t bytes = history_bytes(r, s);
    char *to = (char *)b->obs_t[s] + (size_t)row * bytes;
    if (o.terminal)
      memset(to, 0, bytes);
    else
      copy_history(r, s, end, to);
  }
  if (b->r_t) b->r_t[row] = (deer_real)o.reward;
  if (b->continue_t) b->continue_t[row] = (deer_real)o.weight;
}

/* writes a sample as row `row` of the batch */
static void gather_row(const deer_replay *r, spot from, int row, const deer_batch *b) {
  bool ahead = b->r_t || b->continue_t;
  for (int s = 0; s < r->space.n_subjects; s++) {
    ahead = ahead || b->obs_t[s];
    if (b->obs_tm1[s])
      copy_history(r, s, from, (char *)b->obs_tm1[s] + (size_t)row * history_bytes(r, s));
  }
  size_t size = (size_t)r->space.actions.size;
  const deer_real *action = r->action + (size_t)deer_replay_place_in(r, from.lane, from.at) * size;
  if (b->a_tm1) b->a_tm1[row] = (int32_t)*action;
  if (b->action_tm1) memcpy(b->action_tm1 + (size_t)row * size, action, size * sizeof *action);
  if (ahead) gather_outcome(r, from, row, b);
}

static spot find(const deer_replay *r, int64_t index) {
  spot from;
  from.lane = deer_replay_find_lane(r, index, &from.at);
  return from;
}

/* Asks for the memory of samples some rows before they are gathered: they lie anywhere. The
 * requests stand here, since gcc drops calls of a function that makes nothing else. */
void deer_replay_gather_rows(const deer_replay *r, const int64_t *index, int n, int row,
                             const deer_batch *b) {
  enum { AHEAD = 16 };
  for (int i = -AHEAD; i < n; i++) {
    if (i + AHEAD < n) {
      const size_t p = (size_t)deer_replay_place(r, index[i + AHEAD]);
      __builtin_prefetch(&r->flags[p]);
      __builtin_prefetch(&r->age[p]);
      __builtin_prefetch(&r->reward[p]);
      __builtin_prefetch(&r->action[p * (size_t)r->space.actions.size]);
      for (int s = 0; s < r->space.n_subjects; s++)
        __builtin_prefetch(r->observation[s] + p * r->bytes[s]);
    }
    if (i >= 0) gather_row(r, find(r, index[i]), row + i, b);
  }
}

static void weigh(const deer_replay *r, int n, const int64_t *index, deer_real *weight) {
  if (r->kind->weigh)
    r->kind->weigh(r, n, index, weight);
  else
    for (int i = 0; i < n; i++) weight[i] = 1;
}

/* scales weights so that the largest is 1 */
static void normalize(int n, deer_real *weight) {
  deer_real largest = 0;
  for (int i = 0; i < n; i++) largest = weight[i] > largest ? weight[i] : largest;
  for (int i = 0; i < n; i++) weight[i] /= largest;
}

deer_status deer_replay_nothing(const deer_replay *r) {
  return deer_fail(
      DEER_EAGAIN,
      "no sample can be drawn: none of %lld has a full history of %d and a known successor",
      (long long)r->samples, r->only_full_history ? r->longest : 1);
}

deer_status deer_replay_sample(deer_replay *r, deer_rng *rng, deer_batch *batch) {
  enum { AT_ONCE = 64 };
  int64_t few[AT_ONCE];
  int most = batch->index ? batch->size : AT_ONCE;
  for (int row = 0; row < batch->size; row += most) {
    int n = batch->size - row < most ? batch->size - row : most;
    int64_t *index = batch->index ? batch->index : few;
    DEER_TRY(r->kind->draw(r, rng, n, index));
    deer_replay_gather_rows(r, index, n, row, batch);
    if (batch->weight) weigh(r, n, index, batch->weight + row);
  }
  if (batch->weight && r->kind->weigh) normalize(batch->size, batch->weight);
  return DEER_OK;
}

deer_status deer_replay_update(deer_replay *r, int n, const int64_t *index,
                               const deer_real *error) {
  if (!r->kind->update) return DEER_OK;
  for (int i = 0; i < n; i++)
    if (!isfinite(error[i]))
      return deer_fail(DEER_EDATA, "the error of sample %lld is %g (expected a finite number)",
                       (long long)index[i], (double)error[i]);
  r->kind->update(r, n, index, error);
  return DEER_OK;
}

deer_status deer_replay_gather(const deer_replay *r, deer_batch *batch) {
  for (int i = 0; i < batch->size; i++) {
    const int64_t index = batch->index[i];
    const spot from = find(r, index < 0 ? 0 : index);
    if (index < 0 || !deer_replay_drawable_in(r, from.lane, from.at))
      return deer_fail(DEER_EINVAL, "sample %lld cannot be drawn", (long long)index);
    gather_row(r, from, i, batch);
  }
  return DEER_OK;
}
