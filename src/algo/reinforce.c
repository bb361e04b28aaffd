/* reinforce.c: REINFORCE, with the value of the state as its baseline. Williams 1992,
 * doi:10.1007/BF00992696; Sutton and Barto 2018, section 13.4.
 *
 * Learns from whole episodes: every action is weighed by all that was earned after it, less the
 * baseline. Where an episode is cut, by a time limit or because it is longer than the horizon, the
 * value of the state reached stands for the rest. */
#include "algo/on_policy.h"

typedef struct reinforce {
  deer_on_policy op;
  int64_t episodes; /* options */
  bool baseline;
} reinforce;

static const deer_field fields[] = {
    DEER_ONP_FIELDS(1024, 4096, 1, 1, DEER_ONP_ADAM),
    {"episodes", DEER_FIELD_INT, offsetof(reinforce, episodes), .fallback = 8, .min = 1,
     .max = 1 << 20, .help = "of all environments, that an update learns from", .search_min = 1,
     .search_max = 64},
    {"baseline", DEER_FIELD_BOOL, offsetof(reinforce, baseline), .fallback = 1,
     .help = "values are learnt and returns compared with them"},
    {0}};

static deer_onp_losses losses(const deer_onp_graph *u) {
  const reinforce *r = (const reinforce *)u->op;
  deer_onp_losses both = {.policy = deer_policy_gradient(u->g, u->log_prob, u->advantage)};
  if (r->baseline) both.value = deer_clipped_value_loss(u->g, u->v, DEER_NONE, u->target, 0);
  return both;
}

static deer_status init(deer_algo *self, const deer_net_spec *net, const deer_rng *rng) {
  reinforce *r = (reinforce *)self;
  r->op.no_values = !r->baseline;
  return deer_onp_init(&r->op, net, rng, losses);
}

static deer_status learn(deer_algo *self, deer_replay *replay, deer_rng *rng, double *loss) {
  const reinforce *r = (const reinforce *)self;
  deer_on_policy *op = (deer_on_policy *)self;
  bool stopped;
  DEER_TRY(deer_onp_prepare(op, replay));
  if (!deer_rollout_any_full(&op->rollout, replay) &&
      deer_rollout_endings(&op->rollout, replay) < r->episodes)
    return deer_onp_wait();
  DEER_TRY(deer_onp_collect(op, replay, true));
  DEER_TRY(deer_onp_pass(op, replay, rng, 0, &stopped));
  return deer_onp_done(op, loss);
}

const deer_algo_class deer_algo_reinforce = {
    .abi = DEER_ALGO_ABI,
    .name = "reinforce",
    .paper = "Williams 1992, doi:10.1007/BF00992696",
    .help = "policy gradient from the returns of whole episodes",
    .caps = DEER_ALGO_ANY,
    .size = sizeof(reinforce),
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
