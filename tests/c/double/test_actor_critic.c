/* test_actor_critic.c: updates of DDPG, TD3 and SAC worked out a second time: losses in plain C,
 * gradients by central differences, steps by hand. */
#include "deer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum { BATCH = 7, STATE = 4, ACTION = 2, HIDDEN = 5, STORED = 40 };
enum { MOST = (STATE + ACTION) * HIDDEN + HIDDEN + HIDDEN * 2 * ACTION + 2 * ACTION };

static const double rate = 0.05, actor_rate = 0.5, gamma_ = 0.9, tau = 0.1;
static const double middle[ACTION] = {0, 0.5}, half[ACTION] = {2, 0.5}; /* of the box */

/* ---- what is learnt, and from what ---- */

typedef struct model {
  double actor[MOST], critic[2][MOST], slow_actor[MOST], slow_critic[2][MOST], log_alpha;
} model;

typedef struct batch {
  double s_tm1[BATCH][STATE], s_t[BATCH][STATE], a[BATCH][ACTION], r[BATCH], next[BATCH];
  double noise_t[BATCH][ACTION], noise_tm1[BATCH][ACTION];
} batch;

typedef struct world {
  const char *name;
  int n_critics, outputs; /* of the actor, for each number of an action */
  deer_algo *algo;
  deer_replay *replay;
  deer_rng rng;
  model m;
  batch b;
  double y[BATCH]; /* what the critics learn */
} world;

static int actor_size(const world *w) {
  int n = w->outputs * ACTION;
  return STATE * HIDDEN + HIDDEN + HIDDEN * n + n;
}

static int critic_size(void) { return (STATE + ACTION) * HIDDEN + HIDDEN + HIDDEN + 1; }

/* a hidden layer of tanh units and a linear one */
static void net(const double *p, int n_in, int n_out, const double *x, double *out) {
  double hidden[HIDDEN];
  for (int j = 0; j < HIDDEN; j++) {
    double sum = p[n_in * HIDDEN + j];
    for (int i = 0; i < n_in; i++) sum += x[i] * p[i * HIDDEN + j];
    hidden[j] = tanh(sum);
  }
  p += n_in * HIDDEN + HIDDEN;
  for (int k = 0; k < n_out; k++) {
    out[k] = p[HIDDEN * n_out + k];
    for (int j = 0; j < HIDDEN; j++) out[k] += hidden[j] * p[j * n_out + k];
  }
}

static double q(const double *p, const double *s, const double *a) {
  double x[STATE + ACTION], out;
  memcpy(x, s, STATE * sizeof *x);
  memcpy(x + STATE, a, ACTION * sizeof *x);
  net(p, STATE + ACTION, 1, x, &out);
  return out;
}

/* the action of a deterministic actor, or one drawn with its log-probability */
static double act(const world *w, const double *p, const double *s, const double *noise,
                  double *a) {
  double out[2 * ACTION] = {0}, log_prob = 0;
  net(p, STATE, w->outputs * ACTION, s, out);
  for (int i = 0; i < ACTION; i++) {
    double deviation = w->outputs == 2 ? exp(fmin(fmax(out[ACTION + i], -20), 2)) : 0;
    double u = out[i] + (w->outputs == 2 ? deviation * noise[i] : 0);
    a[i] = tanh(u);
    if (w->outputs == 2)
      log_prob += -0.5 * noise[i] * noise[i] - log(deviation) - 0.5 * log(2 * acos(-1.0)) -
                  log(1 - a[i] * a[i]);
  }
  return log_prob;
}

/* ---- losses ---- */

static double alpha(const world *w) { return exp(w->m.log_alpha); }

static void find_y(world *w) {
  const batch *b = &w->b;
  bool sac = w->outputs == 2, td3 = !sac && w->n_critics == 2;
  for (int k = 0; k < BATCH; k++) {
    double a[ACTION];
    double log_prob = act(w, sac ? w->m.actor : w->m.slow_actor, b->s_t[k], b->noise_t[k], a);
    for (int i = 0; td3 && i < ACTION; i++)
      a[i] = fmin(fmax(a[i] + fmin(fmax(0.2 * b->noise_t[k][i], -0.3), 0.3), -1), 1);
    double v = q(w->m.slow_critic[0], b->s_t[k], a);
    if (w->n_critics == 2) v = fmin(v, q(w->m.slow_critic[1], b->s_t[k], a));
    if (sac) v -= alpha(w) * log_prob;
    w->y[k] = b->r[k] + gamma_ * b->next[k] * v;
  }
}

static double critic_loss(const world *w, const double *p) {
  double sum = 0;
  for (int k = 0; k < BATCH; k++) sum += pow(w->y[k] - q(p, w->b.s_tm1[k], w->b.a[k]), 2) / BATCH;
  return sum;
}

static double actor_loss(const world *w, const double *p) {
  double sum = 0;
  for (int k = 0; k < BATCH; k++) {
    double a[ACTION], log_prob = act(w, p, w->b.s_tm1[k], w->b.noise_tm1[k], a);
    double value = q(w->m.critic[0], w->b.s_tm1[k], a);
    if (w->outputs == 2)
      value = fmin(value, q(w->m.critic[1], w->b.s_tm1[k], a)) - alpha(w) * log_prob;
    sum -= value / BATCH;
  }
  return sum;
}

/* ---- steps ---- */

static void descend(const world *w, double (*loss)(const world *w, const double *p), double *p,
                    int n, double size) {
  double gradient[MOST];
  for (int i = 0; i < n; i++) {
    double x = p[i], h = 1e-5;
    p[i] = x + h;
    double up = loss(w, p);
    p[i] = x - h;
    double down = loss(w, p);
    p[i] = x;
    gradient[i] = (up - down) / (2 * h);
  }
  for (int i = 0; i < n; i++) p[i] -= size * gradient[i];
}

static void follow(double *slow, const double *p, int n) {
  for (int i = 0; i < n; i++) slow[i] += tau * (p[i] - slow[i]);
}

static double mean_log_prob(const world *w) {
  double sum = 0, a[ACTION];
  for (int k = 0; k < BATCH; k++)
    sum += act(w, w->m.actor, w->b.s_tm1[k], w->b.noise_tm1[k], a) / BATCH;
  return sum;
}

/* the loss of the critics before the step */
static double update(world *w, bool actor_moves) {
  double before = 0, old_log_prob = mean_log_prob(w);
  find_y(w);
  for (int i = 0; i < w->n_critics; i++) before += critic_loss(w, w->m.critic[i]) / w->n_critics;
  for (int i = 0; i < w->n_critics; i++)
    descend(w, critic_loss, w->m.critic[i], critic_size(), rate);
  if (!actor_moves) return before;
  descend(w, actor_loss, w->m.actor, actor_size(w), rate * actor_rate);
  if (w->outputs == 2) w->m.log_alpha += rate * alpha(w) * (old_log_prob + ACTION * -0.5);
  follow(w->m.slow_actor, w->m.actor, actor_size(w));
  for (int i = 0; i < w->n_critics; i++) follow(w->m.slow_critic[i], w->m.critic[i], critic_size());
  return before;
}

/* ---- the library's side ---- */

static deer_space task(void) {
  deer_space space = {.n_subjects = 2};
  space.subjects[0] = (deer_subject){2, DEER_SCALAR, DEER_DTYPE_REAL};
  space.subjects[1] = (deer_subject){1, DEER_SHAPE(2), DEER_DTYPE_REAL};
  space.actions = (deer_action_space){.size = ACTION, .low = {-2, 0}, .high = {2, 1}};
  return space;
}

static deer_option number(const char *name, double x) {
  return (deer_option){name, {DEER_VALUE_NUMBER, x, NULL}};
}

static void make_algo(world *w, bool plain) {
  deer_space space = task();
  deer_net_spec spec = {.n_branches = 2};
  deer_layer_spec *layer = &spec.trunk.layers[spec.trunk.n++];
  assert_int_equal(deer_layer_make("dense", layer), DEER_OK);
  deer_layer_set(layer, "units", (deer_value){DEER_VALUE_NUMBER, HIDDEN, NULL});
  deer_layer_set(layer, "activation", (deer_value){DEER_VALUE_TEXT, 0, "tanh"});
  deer_option options[12] = {{"update_rule", {DEER_VALUE_TEXT, 0, "sgd"}},
                             number("batch_size", BATCH),
                             number("learning_rate", rate),
                             number("discount", gamma_),
                             number("tau", tau),
                             number("actor_rate", actor_rate)};
  int n = 6;
  if (plain) n = 0, options[n++] = number("batch_size", BATCH);
  if (strcmp(w->name, "td3") == 0 && n > 1) options[n++] = number("noise_clip", 0.3);
  if (strcmp(w->name, "sac") == 0 && n > 1) options[n++] = number("target_entropy", -0.5);
  if (strcmp(w->name, "sac") == 0 && n > 1) options[n++] = number("alpha", 0.3);
  deer_rng rng = deer_rng_seed(3);
  deer_algo_config config = {&space, &spec, options, n, &rng};
  if (deer_algo_new(deer_algo_find(w->name), &config, &w->algo) != DEER_OK)
    fail_msg("%s", deer_error());
}

static void fill_replay(world *w) {
  deer_space space = task();
  deer_replay_config config = {.space = &space, .capacity = STORED, .only_full_history = true};
  assert_int_equal(deer_replay_new(deer_replay_find("uniform"), &config, &w->replay), DEER_OK);
  deer_rng rng = deer_rng_seed(5);
  for (int t = 0; t < STORED; t++) {
    double x = deer_rng_normal(&rng), z[2] = {deer_rng_normal(&rng), deer_rng_normal(&rng)};
    double action[ACTION];
    deer_random_action(&space.actions, &rng, action);
    const void *observation[] = {&x, z};
    deer_sample sample = {observation, action, deer_rng_normal(&rng),
                          t % 9 == 8 ? DEER_TERMINATED : DEER_RUNNING, 0};
    assert_int_equal(deer_replay_push(w->replay, &sample), DEER_OK);
  }
}

/* what the library is about to draw from a copy of its stream */
static void foresee(world *w, bool actor_moves) {
  batch *b = &w->b;
  deer_rng rng = w->rng;
  double first[2][BATCH][2], second[2][BATCH][2];
  deer_batch into = {.size = BATCH, .action_tm1 = &b->a[0][0], .r_t = b->r, .continue_t = b->next};
  into.obs_tm1[0] = first[0], into.obs_t[0] = first[1];
  into.obs_tm1[1] = second[0], into.obs_t[1] = second[1];
  assert_int_equal(deer_replay_sample(w->replay, &rng, &into), DEER_OK);
  for (int k = 0; k < BATCH; k++) {
    for (int i = 0; i < 2; i++) {
      b->s_tm1[k][i] = first[0][k][i], b->s_tm1[k][2 + i] = second[0][k][i];
      b->s_t[k][i] = first[1][k][i], b->s_t[k][2 + i] = second[1][k][i];
    }
    for (int i = 0; i < ACTION; i++) b->a[k][i] = (b->a[k][i] - middle[i]) / half[i];
  }
  deer_fill_normal(&rng, &b->noise_t[0][0], BATCH * ACTION);
  if (actor_moves) deer_fill_normal(&rng, &b->noise_tm1[0][0], BATCH * ACTION);
}

/* ---- comparing ---- */

typedef struct place {
  const char *name;
  double *mine;
} place;

typedef struct comparison {
  world *w;
  bool take; /* copy the library's parameters instead */
  int n;     /* parameters met */
  double worst;
} comparison;

/* the second way's number of a parameter of the library; NULL for what it does not have */
static double *counterpart(world *w, const char *name) {
  static const char *const layers[] = {".trunk.dense1.weight", ".trunk.dense1.bias",
                                       ".output.weight", ".output.bias"};
  place places[] = {{"actor", w->m.actor},
                    {"target_actor", w->m.slow_actor},
                    {"critic1", w->m.critic[0]},
                    {"critic2", w->m.critic[1]},
                    {"target_critic1", w->m.slow_critic[0]},
                    {"target_critic2", w->m.slow_critic[1]}};
  for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
    size_t length = strlen(places[i].name);
    if (strncmp(name, places[i].name, length) != 0 || name[length] != '.') continue;
    bool is_actor = strstr(name, "actor") != NULL;
    int n_in = is_actor ? STATE : STATE + ACTION, n_out = is_actor ? w->outputs * ACTION : 1;
    int offsets[] = {0, n_in * HIDDEN, n_in * HIDDEN + HIDDEN,
                     n_in * HIDDEN + HIDDEN + HIDDEN * n_out};
    for (int k = 0; k < 4; k++)
      if (strcmp(name + length, layers[k]) == 0) return places[i].mine + offsets[k];
  }
  return strcmp(name, "log_alpha") == 0 ? &w->m.log_alpha : NULL;
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

static void updates_agree(world *w, int delay) {
  make_algo(w, false);
  fill_replay(w);
  w->rng = deer_rng_seed(11);
  comparison c = {.w = w, .take = true};
  w->algo->kind->visit(w->algo, &c, compare);
  int copies = w->outputs == 2 ? 1 : 2; /* of the actor */
  assert_int_equal(c.n,
                   copies * actor_size(w) + 2 * w->n_critics * critic_size() + (w->outputs == 2));
  for (int t = 1; t <= 4; t++) {
    bool actor_moves = t % delay == 0;
    double loss, expected;
    foresee(w, actor_moves);
    expected = sqrt(update(w, actor_moves));
    assert_int_equal(w->algo->kind->learn(w->algo, w->replay, &w->rng, &loss), DEER_OK);
    if (fabs(loss - expected) > 1e-9) fail_msg("%s: loss %g, not %g", w->name, loss, expected);
    c = (comparison){.w = w};
    w->algo->kind->visit(w->algo, &c, compare);
    if (c.worst > 1e-9) fail_msg("%s: update %d is off by %g", w->name, t, c.worst);
  }
  deer_replay_free(w->replay);
  deer_algo_free(w->algo);
}

static void ddpg_updates(void **state) {
  (void)state;
  updates_agree(&(world){.name = "ddpg", .n_critics = 1, .outputs = 1}, 1);
}

static void td3_updates(void **state) {
  (void)state;
  updates_agree(&(world){.name = "td3", .n_critics = 2, .outputs = 1}, 2);
}

static void sac_updates(void **state) {
  (void)state;
  updates_agree(&(world){.name = "sac", .n_critics = 2, .outputs = 2}, 1);
}

/* ---- acting ---- */

/* the best action and its value, and (SAC) one that is drawn */
static void actions_agree(void **state) {
  (void)state;
  world worlds[] = {{.name = "ddpg", .n_critics = 1, .outputs = 1},
                    {.name = "td3", .n_critics = 2, .outputs = 1},
                    {.name = "sac", .n_critics = 2, .outputs = 2}};
  double s[STATE] = {0.3, -0.7, 1.1, 0.2}, zeros[ACTION] = {0};
  const void *states[] = {s, s + 2};
  for (int i = 0; i < 3; i++) {
    world *w = &worlds[i];
    make_algo(w, true);
    w->algo->kind->visit(w->algo, &(comparison){.w = w, .take = true}, compare);
    double action[ACTION], value, a[ACTION];
    assert_int_equal(w->algo->kind->act(w->algo, states, action, &value), DEER_OK);
    act(w, w->m.actor, s, zeros, a);
    double expected = q(w->m.critic[0], s, a);
    if (w->n_critics == 2) expected = fmin(expected, q(w->m.critic[1], s, a));
    assert_true(fabs(value - expected) < 1e-12);
    for (int k = 0; k < ACTION; k++)
      assert_true(fabs(action[k] - (middle[k] + half[k] * a[k])) < 1e-12);
    deer_rng rng = deer_rng_seed(2), copy = rng;
    assert_true((w->algo->kind->explore != NULL) == (w->outputs == 2));
    if (w->outputs == 2) {
      double noise[ACTION];
      deer_fill_normal(&copy, noise, ACTION);
      act(w, w->m.actor, s, noise, a);
      assert_int_equal(w->algo->kind->explore(w->algo, states, &rng, action), DEER_OK);
      for (int k = 0; k < ACTION; k++)
        assert_true(fabs(action[k] - (middle[k] + half[k] * a[k])) < 1e-12);
      assert_memory_equal(&rng, &copy, sizeof rng);
    }
    deer_algo_free(w->algo);
  }
}

/* ---- checkpoints ---- */

enum { MOST_BYTES = 1 << 16 };

typedef struct saved {
  char bytes[MOST_BYTES];
  size_t n;
  bool restore;
} saved;

static void save(void *context, const char *name, const deer_shape *shape, deer_real *data) {
  saved *s = context;
  size_t bytes = deer_shape_count(shape) * sizeof *data;
  (void)name;
  assert_true(s->n + bytes <= sizeof s->bytes);
  if (s->restore)
    memcpy(data, s->bytes + s->n, bytes);
  else
    memcpy(s->bytes + s->n, data, bytes);
  s->n += bytes;
}

/* an odd number of updates, so that the delay of TD3 is one of the things to keep */
static void what_visit_shows_is_everything(void **state) {
  (void)state;
  static saved first, second;
  world worlds[] = {{.name = "ddpg"}, {.name = "td3"}, {.name = "sac"}};
  for (int i = 0; i < 3; i++) {
    world *w = &worlds[i];
    double loss, again;
    make_algo(w, true);
    fill_replay(w);
    const deer_algo_class *kind = w->algo->kind;
    deer_rng rng = deer_rng_seed(1);
    for (int t = 0; t < 3; t++) assert_int_equal(kind->learn(w->algo, w->replay, &rng, &loss), 0);
    first = second = (saved){.n = 0};
    kind->visit(w->algo, &first, save);
    deer_rng middle_of_run = rng;
    for (int t = 0; t < 3; t++) assert_int_equal(kind->learn(w->algo, w->replay, &rng, &loss), 0);
    deer_algo *fresh;
    world other = {.name = w->name};
    make_algo(&other, true);
    fresh = other.algo;
    first.n = 0, first.restore = true;
    kind->visit(fresh, &first, save);
    for (int t = 0; t < 3; t++)
      assert_int_equal(kind->learn(fresh, w->replay, &middle_of_run, &again), 0);
    assert_true(loss == again && fresh->updates == 6);
    first.n = 0, first.restore = false;
    kind->visit(w->algo, &first, save);
    kind->visit(fresh, &second, save);
    assert_int_equal(first.n, second.n);
    assert_memory_equal(first.bytes, second.bytes, first.n);
    deer_replay_free(w->replay);
    deer_algo_free(w->algo);
    deer_algo_free(fresh);
  }
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(ddpg_updates), cmocka_unit_test(td3_updates),
                                     cmocka_unit_test(sac_updates), cmocka_unit_test(actions_agree),
                                     cmocka_unit_test(what_visit_shows_is_everything)};
  return cmocka_run_group_tests(tests, NULL, NULL);
}
