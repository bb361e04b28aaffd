/* sac.c: soft actor-critic with automatic temperature. Haarnoja et al. 2018, arXiv:1801.01290 and
 * arXiv:1812.05905.
 *
 * The actor draws actions from a squashed Gaussian, whose entropy is worth alpha; alpha moves so
 * that the entropy stays near target_entropy. The order of an update is that of the paper: the
 * critics, the actor against the critics after their step, alpha, the slow copies. */
#include "algo/temperature.h"

#include <math.h>

typedef struct sac {
  deer_actor_critic ac;
  deer_temperature temperature;
} sac;

static const deer_field fields[] = {
    DEER_AC_FIELDS,
    DEER_TEMPERATURE_FIELDS(sac, temperature),
    {"target_entropy", DEER_FIELD_REAL, offsetof(sac, temperature.target_entropy), .fallback = -1,
     .min = -100, .max = 100,
     .help = "for each number of an action; the box from -1 to 1 has at most 0.69",
     .search_min = -2, .search_max = 0.5},
    {0}};

#define LEAST_LOG_STD -20
#define MOST_LOG_STD  2

/* outputs [batch, 2 size]: the mean of the Gaussian and the log of its standard deviation */
static deer_node mean_of(deer_actor_critic *ac, deer_graph *g, deer_node outputs) {
  return deer_slice(g, outputs, 1, 0, ac->base.space.actions.size);
}

static deer_squashed draw(deer_actor_critic *ac, deer_graph *g, deer_node outputs) {
  int n = ac->base.space.actions.size;
  deer_node mean = mean_of(ac, g, outputs);
  deer_node log_std = deer_clip(g, deer_slice(g, outputs, 1, n, n), LEAST_LOG_STD, MOST_LOG_STD);
  deer_node noise = deer_random_normal(g, &ac->noise, deer_node_shape(g, mean));
  return deer_squashed_gaussian_sample(g, mean, log_std, noise);
}

static deer_node mean_action(deer_actor_critic *ac, deer_graph *g, deer_node outputs) {
  return deer_tanh(g, mean_of(ac, g, outputs));
}

static deer_node drawn_action(deer_actor_critic *ac, deer_graph *g, deer_node outputs) {
  return draw(ac, g, outputs).action;
}

/* min_i Q_i(s, a) - alpha log pi(a | s), a ~ pi(. | s) */
static deer_node soft_value(deer_ac_graph *u, const deer_node blocks[2], const deer_node *states,
                            deer_node alpha, deer_node *log_prob) {
  deer_actor_critic *ac = u->ac;
  deer_squashed pi = draw(ac, u->g, deer_ac_actor(ac, u->g, u->actor.online, states));
  deer_node q_1 = deer_ac_value(ac, u->g, blocks[0], states, pi.action);
  deer_node q_2 = deer_ac_value(ac, u->g, blocks[1], states, pi.action);
  *log_prob = pi.log_prob;
  return deer_soft_value(u->g, deer_clipped_double_q(u->g, q_1, q_2), pi.log_prob, alpha);
}

static void update(deer_ac_graph *u) {
  deer_temperature *t = &((sac *)u->ac)->temperature;
  deer_graph *g = u->g;
  deer_temperature_nodes nodes = deer_temperature_describe(t, g);
  deer_node log_prob;

  deer_node slow[] = {u->critic[0].slow, u->critic[1].slow};
  deer_node v_t = soft_value(u, slow, u->obs_t, nodes.alpha, &log_prob);
  deer_ac_fit_critics(u, deer_td_target(g, &u->transition, v_t));

  deer_node updated[] = {u->critic[0].updated, u->critic[1].updated};
  deer_node v = soft_value(u, updated, u->obs_tm1, nodes.alpha, &log_prob);
  deer_ac_minimize(u, &u->actor, deer_neg(g, deer_mean(g, v, DEER_ALL_AXES)));

  deer_temperature_move(t, u, &nodes, log_prob, t->target_entropy * u->ac->base.space.actions.size);
  for (int i = 0; i < 2; i++) deer_ac_follow(u, &u->critic[i]);
}

static deer_status init(deer_algo *self, const deer_net_spec *net, const deer_rng *rng) {
  deer_actor_critic *ac = (deer_actor_critic *)self;
  deer_ac_parts parts = {.n_critics = 2, .actor_outputs = 2};
  DEER_TRY(deer_temperature_init(&((sac *)self)->temperature, ac));
  DEER_TRY(deer_ac_init(ac, &parts, net, rng));
  DEER_TRY(deer_ac_build_acting(ac, mean_action, drawn_action));
  return deer_ac_build_update(ac, 0, update);
}

static deer_status learn(deer_algo *self, deer_replay *replay, deer_rng *rng, double *loss) {
  return deer_ac_learn((deer_actor_critic *)self, 0, replay, rng, loss);
}

static deer_status distribution(deer_algo *self, const void *const *state, deer_real *numbers) {
  deer_actor_critic *ac = (deer_actor_critic *)self;
  const deer_real *said;
  const int n = self->space.actions.size;
  DEER_TRY(deer_ac_told(ac, state, &said));
  for (int i = 0; i < n; i++) {
    double log_std = fmin(fmax((double)said[n + i], LEAST_LOG_STD), MOST_LOG_STD);
    deer_moments m = deer_squashed_gaussian_moments((double)said[i], exp(log_std));
    numbers[i] = ac->middle[i] + ac->half[i] * (deer_real)m.mean;
    numbers[n + i] = ac->half[i] * (deer_real)m.std;
  }
  return DEER_OK;
}

static void visit(deer_algo *self, void *context,
                  void (*visitor)(void *context, const char *name, const deer_shape *shape,
                                  deer_real *data)) {
  deer_ac_visit(self, context, visitor);
  deer_temperature_visit(&((sac *)self)->temperature, context, visitor);
}

static void finish(deer_algo *self) {
  deer_temperature_finish(&((sac *)self)->temperature);
  deer_ac_finish(self);
}

const deer_algo_class deer_algo_sac = {
    .abi = DEER_ALGO_ABI,
    .name = "sac",
    .paper = "Haarnoja et al. 2018, arXiv:1801.01290, arXiv:1812.05905",
    .help = "stochastic actor that is rewarded for entropy, with a temperature that adapts",
    .caps = DEER_ALGO_CONTINUOUS,
    .size = sizeof(sac),
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
