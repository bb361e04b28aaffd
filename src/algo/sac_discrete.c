/* sac_discrete.c: the soft actor-critic for discrete actions. Christodoulou 2019, arXiv:1910.07207.
 *
 * The actor gives the logits of a categorical distribution and a critic the value of every action,
 * so what SAC estimates from an action drawn is a sum over all of them here. */
#include "algo/actor.h"
#include "algo/temperature.h"

#include <math.h>

typedef struct sac_discrete {
  deer_actor_critic ac;
  deer_temperature temperature;
} sac_discrete;

static const deer_field fields[] = {
    DEER_AC_FIELDS,
    DEER_TEMPERATURE_FIELDS(sac_discrete, temperature),
    {"target_entropy", DEER_FIELD_REAL, offsetof(sac_discrete, temperature.target_entropy),
     .fallback = 0.98, .min = 0, .max = 1,
     .help = "as a share of that of actions that are all equally likely", .search_min = 0.05,
     .search_max = 0.98},
    {0}};

static deer_node best_action(deer_actor_critic *ac, deer_graph *g, deer_node logits) {
  (void)ac;
  return deer_categorical_mode(g, logits);
}

static deer_node drawn_action(deer_actor_critic *ac, deer_graph *g, deer_node logits) {
  deer_node noise = deer_random_gumbel(g, &ac->noise, deer_node_shape(g, logits));
  return deer_categorical_sample(g, logits, noise);
}

/* sum_a pi(a | s) (min_i Q_i(s, a) - alpha log pi(a | s)) [batch], and what is gained by drawing
 * from pi: its entropy, with the sign turned as the mean of log pi(a | s) */
static deer_node soft_value(deer_ac_graph *u, const deer_node blocks[2], const deer_node *states,
                            deer_node alpha, deer_node *log_prob) {
  deer_graph *g = u->g;
  deer_node logits = deer_ac_actor(u->ac, g, u->actor.online, states);
  deer_node log_pi = deer_log_softmax(g, logits, 1), pi = deer_exp(g, log_pi);
  deer_node q_1 = deer_ac_values(u->ac, g, blocks[0], states);
  deer_node q_2 = deer_ac_values(u->ac, g, blocks[1], states);
  *log_prob = deer_sum(g, deer_mul(g, pi, log_pi), DEER_AXIS(1));
  deer_node v = deer_soft_value(g, deer_clipped_double_q(g, q_1, q_2), log_pi, alpha);
  return deer_sum(g, deer_mul(g, pi, v), DEER_AXIS(1));
}

static void update(deer_ac_graph *u) {
  deer_temperature *t = &((sac_discrete *)u->ac)->temperature;
  deer_graph *g = u->g;
  deer_temperature_nodes nodes = deer_temperature_describe(t, g);
  deer_node log_prob;

  deer_node slow[] = {u->critic[0].slow, u->critic[1].slow};
  deer_node v_t = soft_value(u, slow, u->obs_t, nodes.alpha, &log_prob);
  deer_ac_fit_critics(u, deer_td_target(g, &u->transition, v_t));

  deer_node updated[] = {u->critic[0].updated, u->critic[1].updated};
  deer_node v = soft_value(u, updated, u->obs_tm1, nodes.alpha, &log_prob);
  deer_ac_minimize(u, &u->actor, deer_neg(g, deer_mean(g, v, DEER_ALL_AXES)));

  double target = t->target_entropy * log(u->ac->base.space.actions.n);
  deer_temperature_move(t, u, &nodes, log_prob, target);
  for (int i = 0; i < 2; i++) deer_ac_follow(u, &u->critic[i]);
}

static deer_status init(deer_algo *self, const deer_net_spec *net, const deer_rng *rng) {
  deer_actor_critic *ac = (deer_actor_critic *)self;
  deer_ac_parts parts = {.n_critics = 2, .actor_outputs = self->space.actions.n};
  DEER_TRY(deer_temperature_init(&((sac_discrete *)self)->temperature, ac));
  DEER_TRY(deer_ac_init(ac, &parts, net, rng));
  DEER_TRY(deer_ac_build_acting(ac, best_action, drawn_action));
  return deer_ac_build_update(ac, 0, update);
}

static deer_status learn(deer_algo *self, deer_replay *replay, deer_rng *rng, double *loss) {
  return deer_ac_learn((deer_actor_critic *)self, 0, replay, rng, loss);
}

static deer_status distribution(deer_algo *self, const void *const *state, deer_real *numbers) {
  const deer_real *logits;
  DEER_TRY(deer_ac_told((deer_actor_critic *)self, state, &logits));
  deer_actor_tell(&self->space.actions, logits, NULL, numbers);
  return DEER_OK;
}

static void visit(deer_algo *self, void *context,
                  void (*visitor)(void *context, const char *name, const deer_shape *shape,
                                  deer_real *data)) {
  deer_ac_visit(self, context, visitor);
  deer_temperature_visit(&((sac_discrete *)self)->temperature, context, visitor);
}

static void finish(deer_algo *self) {
  deer_temperature_finish(&((sac_discrete *)self)->temperature);
  deer_ac_finish(self);
}

const deer_algo_class deer_algo_sac_discrete = {.abi = DEER_ALGO_ABI,
                                                .name = "sac_discrete",
                                                .paper = "Christodoulou 2019, arXiv:1910.07207",
                                                .help = "soft actor-critic for discrete actions",
                                                .caps = DEER_ALGO_DISCRETE,
                                                .size = sizeof(sac_discrete),
                                                .fields = fields,
                                                .init = init,
                                                .act = deer_ac_act,
                                                .act_rows = deer_ac_act_rows,
                                                .explore = deer_ac_explore,
                                                .explore_rows = deer_ac_explore_rows,
                                                .distribution = distribution,
                                                .learn = learn,
                                                .visit = visit,
                                                .finish = finish};
