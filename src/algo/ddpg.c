/* ddpg.c: deep deterministic policy gradient. Lillicrap et al. 2016, arXiv:1509.02971.
 *
 * A critic learns the value of what the actor does, from slow copies of both; the actor climbs the
 * critic. Exploration is the policy's: the paper uses the Ornstein-Uhlenbeck process. */
#include "algo/actor_critic.h"

static const deer_field fields[] = {DEER_AC_FIELDS, {0}};

static deer_node policy(deer_actor_critic *ac, deer_graph *g, deer_node outputs) {
  (void)ac;
  return deer_tanh(g, outputs);
}

static void update(deer_ac_graph *u) {
  deer_actor_critic *ac = u->ac;
  deer_graph *g = u->g;
  /* y = r_t + gamma Q'(s_t, mu'(s_t)) */
  deer_node a_t = policy(ac, g, deer_ac_actor(ac, g, u->actor.slow, u->obs_t));
  deer_node q_t = deer_ac_value(ac, g, u->critic[0].slow, u->obs_t, a_t);
  deer_ac_fit_critics(u, deer_td_target(g, &u->transition, q_t));

  /* the sampled policy gradient: of mean Q(s, mu(s)), the critic being that after its step */
  deer_node a = policy(ac, g, deer_ac_actor(ac, g, u->actor.online, u->obs_tm1));
  deer_node q = deer_ac_value(ac, g, u->critic[0].updated, u->obs_tm1, a);
  deer_ac_minimize(u, &u->actor, deer_neg(g, deer_mean(g, q, DEER_ALL_AXES)));

  deer_ac_follow(u, &u->critic[0]);
  deer_ac_follow(u, &u->actor);
}

static deer_status init(deer_algo *self, const deer_net_spec *net, const deer_rng *rng) {
  deer_actor_critic *ac = (deer_actor_critic *)self;
  deer_ac_parts parts = {.n_critics = 1, .actor_outputs = 1, .slow_actor = true};
  DEER_TRY(deer_ac_init(ac, &parts, net, rng));
  DEER_TRY(deer_ac_build_acting(ac, policy, NULL));
  return deer_ac_build_update(ac, 0, update);
}

static deer_status learn(deer_algo *self, deer_replay *replay, deer_rng *rng, double *loss) {
  return deer_ac_learn((deer_actor_critic *)self, 0, replay, rng, loss);
}

const deer_algo_class deer_algo_ddpg = {
    .abi = DEER_ALGO_ABI,
    .name = "ddpg",
    .paper = "Lillicrap et al. 2016, arXiv:1509.02971",
    .help = "deterministic actor that climbs the gradient of a critic",
    .caps = DEER_ALGO_CONTINUOUS,
    .size = sizeof(deer_actor_critic),
    .fields = fields,
    .init = init,
    .act = deer_ac_act,
    .act_rows = deer_ac_act_rows,
    .learn = learn,
    .visit = deer_ac_visit,
    .finish = deer_ac_finish};
