/* rollout.c: choosing samples, and what they are worth. */
#include "algo/rollout.h"

#include <math.h>

/* ---- life ---- */

void deer_rollout_free(deer_rollout *r) {
  void *const all[] = {r->index,     r->ending, r->r_t,   r->v_tm1, r->v_cut,  r->log_prob,
                       r->advantage, r->target, r->order, r->start, r->learnt, r->seen};
  for (size_t i = 0; i < sizeof all / sizeof *all; i++) deer_free(all[i]);
  *r = (deer_rollout){0};
}

static deer_status reserve(deer_rollout *r) {
  size_t room = (size_t)r->room, lanes = (size_t)r->lanes;
  r->index = deer_alloc_array(room, sizeof *r->index);
  r->ending = deer_alloc_array(room, sizeof *r->ending);
  r->order = deer_alloc_array(room, sizeof *r->order);
  r->start = deer_alloc_array(lanes + 1, sizeof *r->start);
  r->learnt = deer_alloc_array(lanes, sizeof *r->learnt);
  r->seen = deer_alloc_array(lanes, sizeof *r->seen);
  bool enough = r->index && r->ending && r->order && r->start && r->learnt && r->seen;
  deer_real **const reals[] = {&r->r_t,      &r->v_tm1,     &r->v_cut,
                               &r->log_prob, &r->advantage, &r->target};
  for (size_t i = 0; i < sizeof reals / sizeof *reals; i++) {
    *reals[i] = deer_alloc_array(room, sizeof **reals[i]);
    enough = enough && *reals[i];
  }
  return enough ? DEER_OK : DEER_ENOMEM;
}

deer_status deer_rollout_prepare(deer_rollout *r, const deer_replay *replay, int64_t horizon,
                                 bool *fresh) {
  const int lanes = deer_replay_lanes(replay);
  /* fewer samples than before: it is another replay */
  *fresh =
      r->lanes != lanes || r->horizon != horizon || deer_replay_pushed(replay, 0) < r->learnt[0];
  if (!*fresh) return DEER_OK;
  deer_rollout_free(r);
  *r = (deer_rollout){.lanes = lanes, .horizon = horizon, .room = lanes * horizon};
  deer_status status = reserve(r);
  if (status != DEER_OK) deer_rollout_free(r);
  return status;
}

/* ---- choosing ---- */

static bool is_full(const deer_rollout *r, const deer_replay *replay, int lane) {
  return deer_replay_pushed(replay, lane) - r->learnt[lane] >= r->horizon;
}

bool deer_rollout_full(const deer_rollout *r, const deer_replay *replay) {
  for (int lane = 0; lane < r->lanes; lane++)
    if (!is_full(r, replay, lane)) return false;
  return true;
}

bool deer_rollout_any_full(const deer_rollout *r, const deer_replay *replay) {
  for (int lane = 0; lane < r->lanes; lane++)
    if (is_full(r, replay, lane)) return true;
  return false;
}

/* counts the endings among the samples of a lane that came since the last look */
static void count_endings(deer_rollout *r, const deer_replay *replay, int lane) {
  const int64_t pushed = deer_replay_pushed(replay, lane), fresh = pushed - r->seen[lane];
  int64_t n = deer_replay_recent(replay, lane, fresh < r->horizon ? fresh : r->horizon, r->index);
  for (int64_t i = 0; i < n; i++)
    r->n_endings += deer_replay_ending(replay, r->index[i]) != DEER_RUNNING;
  /* the newest may still turn out to be the last of its episode */
  bool running = n > 0 && deer_replay_ending(replay, r->index[n - 1]) == DEER_RUNNING;
  r->seen[lane] = pushed - running;
}

int64_t deer_rollout_endings(deer_rollout *r, const deer_replay *replay) {
  for (int lane = 0; lane < r->lanes; lane++) count_endings(r, replay, lane);
  return r->n_endings;
}

/* keeps those of `n` slots, which lie at the end of the rollout, that can be drawn */
static void keep_drawable(deer_rollout *r, const deer_replay *replay, int64_t n) {
  const int64_t *slots = r->index + r->n;
  for (int64_t i = 0; i < n; i++) {
    const int64_t slot = slots[i];
    if (!deer_replay_drawable(replay, slot)) continue;
    bool last = i + 1 == n || !deer_replay_drawable(replay, slots[i + 1]);
    deer_ending ending = deer_replay_ending(replay, slot);
    r->index[r->n] = slot;
    r->ending[r->n] = last && ending == DEER_RUNNING ? DEER_TRUNCATED : ending;
    r->r_t[r->n++] = (deer_real)deer_replay_reward(replay, slot);
  }
}

static void take_lane(deer_rollout *r, const deer_replay *replay, int lane, bool whole) {
  const int64_t pushed = deer_replay_pushed(replay, lane), waiting = pushed - r->learnt[lane];
  const int64_t wanted = waiting < r->horizon ? waiting : r->horizon;
  int64_t n = deer_replay_recent(replay, lane, wanted, r->index + r->n), left = 0;
  /* an episode as long as the horizon is learnt from in parts */
  for (; whole && waiting < r->horizon && left < n; left++)
    if (deer_replay_ending(replay, r->index[r->n + n - left - 1]) != DEER_RUNNING) break;
  r->learnt[lane] = pushed - left;
  keep_drawable(r, replay, n - left);
}

void deer_rollout_take(deer_rollout *r, const deer_replay *replay, bool whole) {
  r->n = 0;
  for (int lane = 0; lane < r->lanes; lane++) {
    r->start[lane] = r->n;
    take_lane(r, replay, lane, whole);
  }
  r->start[r->lanes] = r->n;
  r->n_endings = 0;
  for (int64_t i = 0; i < r->n; i++) r->order[i] = i;
}

/* ---- what they are worth ---- */

static void normalize(deer_rollout *r) {
  double sum = 0, squares = 0;
  for (int64_t i = 0; i < r->n; i++) sum += (double)r->advantage[i];
  const double mean = sum / (double)r->n;
  for (int64_t i = 0; i < r->n; i++) squares += pow((double)r->advantage[i] - mean, 2);
  const double factor = 1 / (sqrt(squares / (double)r->n) + 1e-8);
  for (int64_t i = 0; i < r->n; i++)
    r->advantage[i] = (deer_real)(((double)r->advantage[i] - mean) * factor);
}

void deer_rollout_value(deer_rollout *r, double discount, double lambda, bool wanted) {
  for (int lane = 0; lane < r->lanes; lane++) {
    const int64_t at = r->start[lane];
    const deer_trajectory steps = {.n = r->start[lane + 1] - at,
                                   .r_t = r->r_t + at,
                                   .v_tm1 = r->v_tm1 + at,
                                   .ending = r->ending + at,
                                   .v_cut = r->v_cut + at};
    deer_gae(&steps, discount, lambda, r->advantage + at);
  }
  for (int64_t i = 0; i < r->n; i++) r->target[i] = r->advantage[i] + r->v_tm1[i];
  /* of a single one nothing would be left */
  if (wanted && r->n > 1) normalize(r);
}

/* Fisher and Yates */
void deer_rollout_shuffle(deer_rollout *r, deer_rng *rng) {
  for (int64_t i = r->n - 1; i > 0; i--) {
    const int64_t k = (int64_t)deer_rng_below(rng, (uint64_t)i + 1), kept = r->order[i];
    r->order[i] = r->order[k];
    r->order[k] = kept;
  }
}
