/* td3.c: twin delayed deep deterministic policy gradient. Fujimoto, van Hoof and Meger 2018,
 * arXiv:1802.09477.
 *
 * Against values that are too high, two critics learn from the smaller of their slow copies
 * (clipped double Q-learning), at an action near to the one the slow actor would take (target
 * policy smoothing); the actor, and all slow copies, move at every policy_delay-th update only. */
#include "algo/actor_critic.h"

typedef struct td3 {
  deer_actor_critic ac;
  double policy_noise, noise_clip; /* options */
  int64_t policy_delay;
} td3;

static const deer_field fields[] = {
    DEER_AC_FIELDS,
    {"policy_noise", DEER_FIELD_REAL, offsetof(td3, policy_noise), .fallback = 0.2, .min = 0,
     .max = 10,
     .help = "standard deviation of the noise on the slow actor's action; 1 is half the "
             "width of the box",
     .search_min = 0, .search_max = 0.5},
    {"noise_clip", DEER_FIELD_REAL, offsetof(td3, noise_clip), .fallback = 0.5, .min = 0, .max = 10,
     .help = "largest size of that noise", .search_min = 0.1, .search_max = 1},
    {"policy_delay", DEER_FIELD_INT, offsetof(td3, policy_delay), .fallback = 2, .min = 1,
     .max = 1e6, .help = "updates of the critics for each one of the actor", .search_min = 1,
     .search_max = 4},
    {0}};

static deer_node policy(deer_actor_critic *ac, deer_graph *g, deer_node outputs) {
  (void)ac;
  return deer_tanh(g, outputs);
}

/* y = r_t + gamma min_i Q'_i(s_t, a), a = pi'(s_t) + noise */
static deer_node target(deer_ac_graph *u) {
  deer_actor_critic *ac = u->ac;
  const td3 *t = (const td3 *)ac;
  deer_graph *g = u->g;
  deer_node a_t = policy(ac, g, deer_ac_actor(ac, g, u->actor.slow, u->obs_t)), q_t[2];
  deer_node noise = deer_random_normal(g, &ac->noise, deer_node_shape(g, a_t));
  a_t = deer_smoothed_action(g, a_t, deer_scale(g, noise, t->policy_noise), t->noise_clip);
  for (int i = 0; i < 2; i++) q_t[i] = deer_ac_value(ac, g, u->critic[i].slow, u->obs_t, a_t);
  return deer_td_target(g, &u->transition, deer_clipped_double_q(g, q_t[0], q_t[1]));
}

static void update_critics(deer_ac_graph *u) { deer_ac_fit_critics(u, target(u)); }

/* the actor climbs the first critic, as it is after its own step */
static void update_all(deer_ac_graph *u) {
  deer_actor_critic *ac = u->ac;
  deer_graph *g = u->g;
  update_critics(u);
  deer_node a = policy(ac, g, deer_ac_actor(ac, g, u->actor.online, u->obs_tm1));
  deer_node q = deer_ac_value(ac, g, u->critic[0].updated, u->obs_tm1, a);
  deer_ac_minimize(u, &u->actor, deer_neg(g, deer_mean(g, q, DEER_ALL_AXES)));
  deer_ac_follow(u, &u->actor);
  for (int i = 0; i < 2; i++) deer_ac_follow(u, &u->critic[i]);
}

static deer_status init(deer_algo *self, const deer_net_spec *net, const deer_rng *rng) {
  deer_actor_critic *ac = (deer_actor_critic *)self;
  deer_ac_parts parts = {.n_critics = 2, .actor_outputs = 1, .slow_actor = true};
  DEER_TRY(deer_ac_init(ac, &parts, net, rng));
  DEER_TRY(deer_ac_build_acting(ac, policy, NULL));
  DEER_TRY(deer_ac_build_update(ac, 0, update_critics));
  return deer_ac_build_update(ac, 1, update_all);
}

static deer_status learn(deer_algo *self, deer_replay *replay, deer_rng *rng, double *loss) {
  deer_actor_critic *ac = (deer_actor_critic *)self;
  bool delayed = (deer_ac_updates(ac) + 1) % ((const td3 *)self)->policy_delay == 0;
  return deer_ac_learn(ac, delayed, replay, rng, loss);
}

const deer_algo_class deer_algo_td3 = {
    .abi = DEER_ALGO_ABI,
    .name = "td3",
    .paper = "Fujimoto, van Hoof and Meger 2018, arXiv:1802.09477",
    .help = "deterministic actor, the smaller of two critics, delayed updates of the actor",
    .caps = DEER_ALGO_CONTINUOUS,
    .size = sizeof(td3),
    .fields = fields,
    .init = init,
    .act = deer_ac_act,
    .act_rows = deer_ac_act_rows,
    .learn = learn,
    .visit = deer_ac_visit,
    .finish = deer_ac_finish};
