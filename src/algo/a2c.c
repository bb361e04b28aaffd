/* a2c.c: advantage actor-critic, the synchronous form of A3C. Mnih et al. 2016, arXiv:1602.01783,
 * algorithm S3.
 *
 * Every environment takes a few steps; their returns, with a bootstrap from the value of the last
 * state, less the values are the advantages; one step along the gradient of all of them follows. */
#include "algo/on_policy.h"

static const deer_field fields[] = {DEER_ONP_FIELDS(16, 4096, 1, 0, DEER_ONP_RMSPROP), {0}};

static deer_onp_losses losses(const deer_onp_graph *u) {
  return (deer_onp_losses){.policy = deer_policy_gradient(u->g, u->log_prob, u->advantage),
                           .value = deer_clipped_value_loss(u->g, u->v, DEER_NONE, u->target, 0)};
}

static deer_status init(deer_algo *self, const deer_net_spec *net, const deer_rng *rng) {
  return deer_onp_init((deer_on_policy *)self, net, rng, losses);
}

static deer_status learn(deer_algo *self, deer_replay *replay, deer_rng *rng, double *loss) {
  deer_on_policy *op = (deer_on_policy *)self;
  bool stopped;
  DEER_TRY(deer_onp_prepare(op, replay));
  if (!deer_rollout_full(&op->rollout, replay)) return deer_onp_wait();
  DEER_TRY(deer_onp_collect(op, replay, false));
  DEER_TRY(deer_onp_pass(op, replay, rng, 0, &stopped));
  return deer_onp_done(op, loss);
}

const deer_algo_class deer_algo_a2c = {
    .abi = DEER_ALGO_ABI,
    .name = "a2c",
    .paper = "Mnih et al. 2016, arXiv:1602.01783",
    .help = "policy gradient against the values of states, a step after every few actions",
    .caps = DEER_ALGO_ANY,
    .size = sizeof(deer_on_policy),
    .fields = fields,
    .init = init,
    .act = deer_onp_act,
    .explore = deer_onp_explore,
    .act_rows = deer_onp_act_rows,
    .explore_rows = deer_onp_explore_rows,
    .distribution = deer_onp_distribution,
    .learn = learn,
    .horizon = deer_onp_horizon,
    .visit = deer_onp_visit,
    .finish = deer_onp_finish};
