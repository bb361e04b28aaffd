/* test_sac_discrete.c: updates of the soft actor-critic for discrete actions worked out a second
 * time: losses in plain C, gradients by central differences, steps by hand. */
#include "deer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 9, STATE = 3, ACTIONS = 4, HIDDEN = 5, STORED = 40 };
enum { SIZE = STATE * HIDDEN + HIDDEN + HIDDEN * ACTIONS + ACTIONS }; /* of each network */

static const double rate = 0.05, actor_rate = 0.5, gamma_ = 0.9, tau = 0.1, entropy = 0.6;

typedef struct world {
  deer_algo *algo;
  deer_replay *replay;
  deer_rng rng;
  double actor[SIZE], critic[2][SIZE], slow[2][SIZE], log_alpha;
  double s_tm1[BATCH][STATE], s_t[BATCH][STATE], r[BATCH], next[BATCH], y[BATCH];
  int32_t a[BATCH];
} world;

/* ---- the second way ---- */

/* a hidden layer of tanh units and a linear one */
static void net(const double *p, const double *x, double out[ACTIONS]) {
  double hidden[HIDDEN];
  for (int j = 0; j < HIDDEN; j++) {
    double sum = p[STATE * HIDDEN + j];
    for (int i = 0; i < STATE; i++) sum += x[i] * p[i * HIDDEN + j];
    hidden[j] = tanh(sum);
  }
  p += STATE * HIDDEN + HIDDEN;
  for (int k = 0; k < ACTIONS; k++) {
    out[k] = p[HIDDEN * ACTIONS + k];
    for (int j = 0; j < HIDDEN; j++) out[k] += hidden[j] * p[j * ACTIONS + k];
  }
}

/* the probability of each action; the entropy is returned */
static double distribution(const double *p, const double *s, double pi[ACTIONS]) {
  double total = 0, sum = 0;
  net(p, s, pi);
  for (int k = 0; k < ACTIONS; k++) total += pi[k] = exp(pi[k]);
  for (int k = 0; k < ACTIONS; k++) pi[k] /= total, sum -= pi[k] * log(pi[k]);
  return sum;
}

static double soft_value(world *w, const double *actor, double critic[2][SIZE], const double *s) {
  double pi[ACTIONS], q_1[ACTIONS], q_2[ACTIONS];
  double v = exp(w->log_alpha) * distribution(actor, s, pi);
  net(critic[0], s, q_1);
  net(critic[1], s, q_2);
  for (int k = 0; k < ACTIONS; k++) v += pi[k] * fmin(q_1[k], q_2[k]);
  return v;
}

static double critic_loss(world *w, const double *p) {
  double sum = 0, q[ACTIONS];
  for (int k = 0; k < BATCH; k++) {
    net(p, w->s_tm1[k], q);
    sum += pow(w->y[k] - q[w->a[k]], 2) / BATCH;
  }
  return sum;
}

static double actor_loss(world *w, const double *p) {
  double sum = 0;
  for (int k = 0; k < BATCH; k++) sum -= soft_value(w, p, w->critic, w->s_tm1[k]) / BATCH;
  return sum;
}

static void descend(world *w, double (*loss)(world *w, const double *p), double *p, double size) {
  double gradient[SIZE];
  for (int i = 0; i < SIZE; i++) {
    double x = p[i], h = 1e-5;
    p[i] = x + h;
    double up = loss(w, p);
    p[i] = x - h;
    double down = loss(w, p);
    p[i] = x;
    gradient[i] = (up - down) / (2 * h);
  }
  for (int i = 0; i < SIZE; i++) p[i] -= size * gradient[i];
}

/* the loss of the critics before the step */
static double update(world *w) {
  double before = 0, missing = entropy * log(ACTIONS), pi[ACTIONS];
  for (int k = 0; k < BATCH; k++) {
    w->y[k] = w->r[k] + gamma_ * w->next[k] * soft_value(w, w->actor, w->slow, w->s_t[k]);
    missing -= distribution(w->actor, w->s_tm1[k], pi) / BATCH;
  }
  for (int i = 0; i < 2; i++) before += critic_loss(w, w->critic[i]) / 2;
  for (int i = 0; i < 2; i++) descend(w, critic_loss, w->critic[i], rate);
  descend(w, actor_loss, w->actor, rate * actor_rate);
  w->log_alpha += rate * exp(w->log_alpha) * missing;
  for (int i = 0; i < 2; i++)
    for (int j = 0; j < SIZE; j++) w->slow[i][j] += tau * (w->critic[i][j] - w->slow[i][j]);
  return before;
}

/* ---- the library's side ---- */

static deer_space task(void) {
  deer_space space = {.n_subjects = 1, .actions = {.n = ACTIONS, .size = 1}};
  space.subjects[0] = (deer_subject){1, DEER_SHAPE(STATE), DEER_DTYPE_REAL};
  return space;
}

static deer_option number(const char *name, double x) {
  return (deer_option){name, {DEER_VALUE_NUMBER, x, NULL}};
}

static void make_algo(world *w) {
  deer_space space = task();
  deer_net_spec spec = {.n_branches = 1};
  deer_layer_spec *layer = &spec.trunk.layers[spec.trunk.n++];
  assert_int_equal(deer_layer_make("dense", layer), DEER_OK);
  deer_layer_set(layer, "units", (deer_value){DEER_VALUE_NUMBER, HIDDEN, NULL});
  deer_layer_set(layer, "activation", (deer_value){DEER_VALUE_TEXT, 0, "tanh"});
  const deer_option options[] = {{"update_rule", {DEER_VALUE_TEXT, 0, "sgd"}},
                                 number("batch_size", BATCH),
                                 number("learning_rate", rate),
                                 number("discount", gamma_),
                                 number("tau", tau),
                                 number("actor_rate", actor_rate),
                                 number("target_entropy", entropy),
                                 number("alpha", 0.3)};
  deer_rng rng = deer_rng_seed(3);
  deer_algo_config config = {&space, &spec, options, 8, &rng};
  if (deer_algo_new(deer_algo_find("sac_discrete"), &config, &w->algo) != DEER_OK)
    fail_msg("%s", deer_error());
}

static void fill_replay(world *w) {
  deer_space space = task();
  deer_replay_config config = {.space = &space, .capacity = STORED, .only_full_history = true};
  assert_int_equal(deer_replay_new(deer_replay_find("uniform"), &config, &w->replay), DEER_OK);
  deer_rng rng = deer_rng_seed(5);
  for (int t = 0; t < STORED; t++) {
    double x[STATE], action;
    deer_fill_normal(&rng, x, STATE);
    deer_random_action(&space.actions, &rng, &action);
    const void *observation[] = {x};
    deer_sample sample = {observation, &action, deer_rng_normal(&rng),
                          t % 9 == 8 ? DEER_TERMINATED : DEER_RUNNING, 0};
    assert_int_equal(deer_replay_push(w->replay, &sample), DEER_OK);
  }
}

/* what the library is about to draw, from a copy of its stream */
static void foresee(world *w) {
  deer_rng rng = w->rng;
  deer_batch into = {.size = BATCH, .a_tm1 = w->a, .r_t = w->r, .continue_t = w->next};
  into.obs_tm1[0] = w->s_tm1, into.obs_t[0] = w->s_t;
  assert_int_equal(deer_replay_sample(w->replay, &rng, &into), DEER_OK);
}

typedef struct comparison {
  world *w;
  bool take; /* copy the library's parameters instead */
  int n;     /* parameters met */
  double worst;
} comparison;

/* the second way's number of a parameter of the library; NULL for what it does not have */
static double *counterpart(world *w, const char *name) {
  static const char *const nets[] = {"actor.", "critic1.", "critic2.", "target_critic1.",
                                     "target_critic2."};
  static const char *const layers[] = {"trunk.dense1.weight", "trunk.dense1.bias", "output.weight",
                                       "output.bias"};
  static const int offsets[] = {0, STATE * HIDDEN, STATE * HIDDEN + HIDDEN, SIZE - ACTIONS};
  double *mine[] = {w->actor, w->critic[0], w->critic[1], w->slow[0], w->slow[1]};
  for (int i = 0; i < 5; i++)
    for (int k = 0; k < 4; k++)
      if (strncmp(name, nets[i], strlen(nets[i])) == 0 &&
          strcmp(name + strlen(nets[i]), layers[k]) == 0)
        return mine[i] + offsets[k];
  return strcmp(name, "log_alpha") == 0 ? &w->log_alpha : NULL;
}

static void compare(void *context, const char *name, const deer_shape *shape, deer_real *data) {
  comparison *c = context;
  double *mine = counterpart(c->w, name);
  for (size_t i = 0; mine && i < deer_shape_count(shape); i++) {
    if (c->take) mine[i] = data[i];
    c->worst = fmax(c->worst, fabs(mine[i] - data[i]));
    c->n++;
  }
}

static void updates_agree(void **state) {
  (void)state;
  world *w = &(world){.rng = deer_rng_seed(11)};
  make_algo(w);
  fill_replay(w);
  comparison c = {.w = w, .take = true};
  w->algo->kind->visit(w->algo, &c, compare);
  assert_int_equal(c.n, 5 * SIZE + 1);
  for (int t = 1; t <= 4; t++) {
    double loss;
    foresee(w);
    double expected = sqrt(update(w));
    assert_int_equal(w->algo->kind->learn(w->algo, w->replay, &w->rng, &loss), DEER_OK);
    if (fabs(loss - expected) > 1e-9) fail_msg("loss %g, not %g", loss, expected);
    c = (comparison){.w = w};
    w->algo->kind->visit(w->algo, &c, compare);
    if (c.worst > 1e-9) fail_msg("update %d is off by %g", t, c.worst);
  }
  deer_replay_free(w->replay);
  deer_algo_free(w->algo);
}

/* the likeliest action and what the smaller critic says about it; how often each is drawn */
static void actions_agree(void **state) {
  (void)state;
  enum { DRAWS = 20000 };
  world *w = &(world){0};
  make_algo(w);
  w->algo->kind->visit(w->algo, &(comparison){.w = w, .take = true}, compare);
  const double s[STATE] = {0.4, -1.2, 2};
  const void *states[] = {s};
  double pi[ACTIONS], q_1[ACTIONS], q_2[ACTIONS], action, value;
  distribution(w->actor, s, pi);
  net(w->critic[0], s, q_1);
  net(w->critic[1], s, q_2);
  int best = 0, drawn[ACTIONS] = {0};
  for (int k = 1; k < ACTIONS; k++) best = pi[k] > pi[best] ? k : best;
  assert_int_equal(w->algo->kind->act(w->algo, states, &action, &value), DEER_OK);
  assert_true((int)action == best && fabs(value - fmin(q_1[best], q_2[best])) < 1e-12);
  deer_rng rng = deer_rng_seed(2);
  for (int i = 0; i < DRAWS; i++) {
    assert_int_equal(w->algo->kind->explore(w->algo, states, &rng, &action), DEER_OK);
    drawn[(int)action]++;
  }
  for (int k = 0; k < ACTIONS; k++) /* within four deviations */
    assert_true(fabs(drawn[k] - DRAWS * pi[k]) < 4 * sqrt(DRAWS * pi[k] * (1 - pi[k])));
  deer_algo_free(w->algo);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(updates_agree),
                                     cmocka_unit_test(actions_agree)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
