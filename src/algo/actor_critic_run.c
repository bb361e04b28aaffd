/* actor_critic_run.c: acting and learning by the programs of an actor-critic. */
#include "algo/actor_critic.h"

#include <math.h>
#include <string.h>

/* ---- acting ---- */

static void run_acting(deer_actor_critic *ac, deer_ac_acting *acting, const void *const *state,
                       deer_real *action) {
  const deer_space *space = &ac->base.space;
  for (int s = 0; s < space->n_subjects; s++) {
    const deer_subject *subject = &space->subjects[s];
    memcpy(acting->state[s], state[s], (size_t)subject->history * deer_subject_bytes(subject));
  }
  deer_program_run(acting->program);
  if (space->actions.n > 0) {
    *action = (deer_real) * (const int32_t *)acting->action;
    return;
  }
  const deer_real *inside = acting->action;
  for (int i = 0; i < space->actions.size; i++) {
    deer_real x = ac->middle[i] + ac->half[i] * inside[i];
    /* the box as deer_action_check has it, which rounding must not leave */
    deer_real low = (deer_real)space->actions.low[i], high = (deer_real)space->actions.high[i];
    action[i] = x < low ? low : x > high ? high : x;
  }
}

deer_status deer_ac_act(deer_algo *self, const void *const *state, deer_real *action,
                        double *value) {
  deer_actor_critic *ac = (deer_actor_critic *)self;
  run_acting(ac, value ? &ac->valued : &ac->best, state, action);
  if (value) *value = (double)*ac->valued.value;
  return DEER_OK;
}

deer_status deer_ac_explore(deer_algo *self, const void *const *state, deer_rng *rng,
                            deer_real *action) {
  deer_actor_critic *ac = (deer_actor_critic *)self;
  ac->noise = *rng;
  run_acting(ac, &ac->drawn, state, action);
  *rng = ac->noise;
  return DEER_OK;
}

/* ---- learning ---- */

/* actions of the box, if that is what they are, to -1 .. 1 */
static void normalize(const deer_actor_critic *ac, const deer_batch *batch) {
  int size = batch->action_tm1 ? ac->base.space.actions.size : 0;
  for (int i = 0; i < size; i++) {
    deer_real middle = ac->middle[i], scale = ac->half[i] > 0 ? 1 / ac->half[i] : 0;
    for (int row = 0; row < batch->size; row++) {
      deer_real *x = &batch->action_tm1[row * size + i];
      *x = (*x - middle) * scale;
    }
  }
}

enum { CARRY = 1 << 20 };

int64_t deer_ac_updates(const deer_actor_critic *ac) {
  return (int64_t)ac->updates[0] * CARRY + (int64_t)ac->updates[1];
}

/* in two numbers, since a float counts to 2^24 only */
static void count_update(deer_actor_critic *ac) {
  int64_t n = deer_ac_updates(ac) + 1;
  ac->updates[0] = (deer_real)(n / CARRY);
  ac->updates[1] = (deer_real)(n % CARRY);
  ac->base.updates = n;
}

deer_status deer_ac_learn(deer_actor_critic *ac, int i, deer_replay *replay, deer_rng *rng,
                          double *loss) {
  deer_ac_update *update = &ac->update[i];
  update->batch.discount = ac->base.discount;
  DEER_TRY(deer_replay_sample(replay, rng, &update->batch));
  normalize(ac, &update->batch);
  ac->rate = (deer_real)ac->base.learning_rate;
  ac->rate_of_actor = (deer_real)(ac->base.learning_rate * ac->actor_rate);
  ac->gamma = (deer_real)ac->base.discount;
  ac->noise = *rng;
  deer_program_run(update->program);
  *rng = ac->noise;
  count_update(ac);
  *loss = sqrt((double)*update->loss);
  if (isfinite(*loss))
    return deer_replay_update(replay, update->batch.size, ac->index, update->error);
  return deer_fail(DEER_EDATA, "the loss became %g at update %lld (learning rate %g)", *loss,
                   (long long)ac->base.updates, ac->base.learning_rate);
}
