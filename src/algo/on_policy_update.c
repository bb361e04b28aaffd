/* on_policy_update.c: the walk through a rollout: what its samples are worth, and steps of the
 * optimiser on minibatches of it. */
#include "algo/on_policy.h"

#include <math.h>
#include <string.h>

/* at nearly every step */
deer_status deer_onp_wait(void) {
  return deer_fail_literal(DEER_EAGAIN, "the rollout is not complete");
}

/* the states and actions of a batch into its program */
static deer_status gather(deer_on_policy *op, const deer_replay *replay, deer_batch *batch,
                          void *action) {
  DEER_TRY(deer_replay_gather(replay, batch));
  if (batch->action_tm1)
    deer_actor_encode(&op->base.space.actions, batch->action_tm1, batch->size, action);
  return DEER_OK;
}

/* values and log-probabilities of the n samples from position `at` on */
static deer_status judge(deer_on_policy *op, const deer_replay *replay, int64_t at, int n) {
  deer_rollout *r = &op->rollout;
  const deer_onp_program *p = &op->judge;
  deer_batch batch = p->batch;
  batch.size = n;
  batch.index = r->index + at;
  DEER_TRY(gather(op, replay, &batch, p->action));
  deer_program_run(p->program);
  memcpy(r->log_prob + at, p->log_prob, (size_t)n * sizeof *r->log_prob);
  memcpy(r->v_tm1 + at, p->v, (size_t)n * sizeof *r->v_tm1);
  return DEER_OK;
}

static deer_status judge_all(deer_on_policy *op, const deer_replay *replay) {
  const int64_t n = op->rollout.n, most = op->judge.batch.size;
  for (int64_t at = 0; at < n; at += most)
    DEER_TRY(judge(op, replay, at, (int)(n - at < most ? n - at : most)));
  return DEER_OK;
}

/* the values of what followed the samples in `position` */
static deer_status judge_cuts(deer_on_policy *op, const deer_replay *replay,
                              const int64_t *position, int n) {
  const deer_onp_program *p = &op->values;
  deer_batch after = {.size = n, .index = op->rows};
  memcpy(after.obs_t, p->batch.obs_tm1, sizeof after.obs_t);
  for (int i = 0; i < n; i++) op->rows[i] = op->rollout.index[position[i]];
  DEER_TRY(deer_replay_gather(replay, &after));
  deer_program_run(p->program);
  for (int i = 0; i < n; i++) op->rollout.v_cut[position[i]] = p->v[i];
  return DEER_OK;
}

static deer_status judge_all_cuts(deer_on_policy *op, const deer_replay *replay) {
  int64_t position[DEER_ONP_CUTS];
  const int most = op->values.batch.size;
  int n = 0;
  for (int64_t i = 0; i < op->rollout.n; i++) {
    if (deer_rollout_is_cut(&op->rollout, i)) position[n++] = i;
    if (n == 0 || (n < most && i + 1 < op->rollout.n)) continue;
    DEER_TRY(judge_cuts(op, replay, position, n));
    n = 0;
  }
  return DEER_OK;
}

static void scale_rewards(deer_on_policy *op) {
  deer_real factor = (deer_real)deer_reward_scale_factor(op->base.reward_scale);
  for (int64_t i = 0; i < op->rollout.n; i++) op->rollout.r_t[i] *= factor;
}

deer_status deer_onp_collect(deer_on_policy *op, const deer_replay *replay, bool whole) {
  deer_rollout *r = &op->rollout;
  deer_rollout_take(r, replay, whole);
  if (r->n == 0)
    return deer_fail(DEER_EAGAIN, "no sample of the rollout has a full history and a successor");
  if (op->base.reward_scale) scale_rewards(op);
  DEER_TRY(judge_all(op, replay));
  DEER_TRY(judge_all_cuts(op, replay));
  if (op->no_values) {
    memset(r->v_tm1, 0, (size_t)r->n * sizeof *r->v_tm1);
    memset(r->v_cut, 0, (size_t)r->n * sizeof *r->v_cut);
  }
  deer_rollout_value(r, op->base.discount, op->gae_lambda, op->normalize_advantage);
  op->squares = 0;
  op->n_steps = 0;
  return DEER_OK;
}

/* takes what belongs to n samples; the rest of the rows repeats the first */
static void put(deer_real *to, const deer_real *from, const int64_t *order, int n, int rows) {
  if (!to) return;
  for (int i = 0; i < n; i++) to[i] = from[order[i]];
  for (int i = n; i < rows; i++) to[i] = to[0];
}

/* A step of the optimiser on the n samples that come next in `order`. Rows beyond them repeat the
 * first, with a weight of nothing. */
static deer_status step(deer_on_policy *op, const deer_replay *replay, const int64_t *order,
                        int n) {
  const deer_rollout *r = &op->rollout;
  deer_onp_program *p = &op->update;
  const int rows = p->batch.size;
  const deer_real weight = (deer_real)(1.0 / n);
  for (int i = 0; i < rows; i++) op->rows[i] = r->index[order[i < n ? i : 0]];
  DEER_TRY(gather(op, replay, &p->batch, p->action));
  put(p->advantage, r->advantage, order, n, rows);
  put(p->target, r->target, order, n, rows);
  put(p->log_prob_old, r->log_prob, order, n, rows);
  put(p->v_old, r->v_tm1, order, n, rows);
  for (int i = 0; i < rows; i++) p->sample_weight[i] = i < n ? weight : 0;
  deer_program_run(p->program);
  op->squares += 2 * (double)*p->value_loss;
  op->divergence = (double)*p->divergence;
  op->n_steps++;
  if (isfinite(*p->loss)) return DEER_OK;
  return deer_algo_diverged(&op->base, (double)*p->loss, op->base.updates + 1);
}

deer_status deer_onp_pass(deer_on_policy *op, const deer_replay *replay, deer_rng *rng,
                          double target_kl, bool *stopped) {
  deer_rollout *r = &op->rollout;
  const int64_t rows = op->update.batch.size, minibatches = (r->n + rows - 1) / rows;
  op->rate = (deer_real)op->base.learning_rate;
  if (minibatches > 1) deer_rollout_shuffle(r, rng);
  *stopped = false;
  for (int64_t i = 0; i < minibatches && !*stopped; i++) {
    const int64_t first = i * r->n / minibatches, end = (i + 1) * r->n / minibatches;
    DEER_TRY(step(op, replay, r->order + first, (int)(end - first)));
    *stopped = target_kl > 0 && op->divergence > target_kl;
  }
  return DEER_OK;
}
