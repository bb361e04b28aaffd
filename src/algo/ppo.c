/* ppo.c: proximal policy optimisation. Schulman et al. 2017, arXiv:1707.06347; with the details of
 * Engstrom et al. 2020, arXiv:2005.12729, and Andrychowicz et al. 2021, arXiv:2006.05990.
 *
 * Algorithm 1 of the paper: every environment takes `horizon` steps, advantages are estimated, and
 * the surrogate is climbed for some epochs in minibatches; the clip keeps the policy near the one
 * that acted. */
#include "algo/on_policy.h"

typedef struct ppo {
  deer_on_policy op;
  int64_t epochs; /* options */
  double clip, value_clip, target_kl;
} ppo;

static const deer_field fields[] = {
    DEER_ONP_FIELDS(1024, 64, 0.95, 1, DEER_ONP_ADAM),
    {"epochs", DEER_FIELD_INT, offsetof(ppo, epochs), .fallback = 10, .min = 1, .max = 1000,
     .help = "passes through a rollout", .search_min = 1, .search_max = 20},
    {"clip", DEER_FIELD_REAL, offsetof(ppo, clip), .fallback = 0.2, .min = 1e-6, .max = 1,
     .help = "how far probabilities may move before there is nothing to gain", .search_min = 0.1,
     .search_max = 0.4},
    {"value_clip", DEER_FIELD_REAL, offsetof(ppo, value_clip), .fallback = 0, .min = 0, .max = 1e9,
     .help = "the same for values; 0: no limit", .search_min = 0.1, .search_max = 1},
    {"target_kl", DEER_FIELD_REAL, offsetof(ppo, target_kl), .fallback = 0, .min = 0, .max = 100,
     .help = "an update ends when the policy has moved so far from the one that acted; 0: never",
     .search_min = 0.003, .search_max = 0.1},
    {0}};

static deer_onp_losses losses(const deer_onp_graph *u) {
  const ppo *p = (const ppo *)u->op;
  return (deer_onp_losses){
      .policy = deer_ppo_surrogate(u->g, u->log_prob, u->log_prob_old, u->advantage, p->clip),
      .value = deer_clipped_value_loss(u->g, u->v, u->v_old, u->target, p->value_clip)};
}

static deer_status init(deer_algo *self, const deer_net_spec *net, const deer_rng *rng) {
  return deer_onp_init((deer_on_policy *)self, net, rng, losses);
}

static deer_status learn(deer_algo *self, deer_replay *replay, deer_rng *rng, double *loss) {
  const ppo *p = (const ppo *)self;
  deer_on_policy *op = (deer_on_policy *)self;
  bool stopped = false;
  DEER_TRY(deer_onp_prepare(op, replay));
  if (!deer_rollout_full(&op->rollout, replay)) return deer_onp_wait();
  DEER_TRY(deer_onp_collect(op, replay, false));
  for (int64_t epoch = 0; epoch < p->epochs && !stopped; epoch++)
    DEER_TRY(deer_onp_pass(op, replay, rng, p->target_kl, &stopped));
  return deer_onp_done(op, loss);
}

const deer_algo_class deer_algo_ppo = {
    .abi = DEER_ALGO_ABI,
    .name = "ppo",
    .paper = "Schulman et al. 2017, arXiv:1707.06347",
    .help = "policy gradient in several small steps that stay near the policy that acted",
    .caps = DEER_ALGO_ANY,
    .size = sizeof(ppo),
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
