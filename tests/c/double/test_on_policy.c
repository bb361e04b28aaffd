/* test_on_policy.c: updates of REINFORCE, A2C and PPO worked out a second time, in one lane and in
 * four, through terminal states and truncations: advantages as sums over all later steps, losses in
 * plain C, gradients by central differences, steps by hand. */
#include "deer.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

enum {
  STATE = 3,
  HIDDEN = 4,
  SIZE = 2,
  UNITS = 5,
  HORIZON = 8,
  LANES = 4,
  MANY = 20,
  STEPS = 3 * HORIZON
};
enum { PART = STATE * HIDDEN + HIDDEN, MOST = 2 * PART + (HIDDEN + 1) * (UNITS + 1) + SIZE };

static const double rate = 0.3, gamma_ = 0.9, lambda = 0.8, clip = 0.2, value_clip = 0.1;
static const double entropy_weight = 0.05, value_weight = 0.7, longest = 0.5;

typedef struct step {
  double s_tm1[STATE], s_t[STATE], a[SIZE], r;
  deer_ending ending;
  double advantage, target, log_prob, v; /* of the update */
} step;

typedef struct world {
  const char *name;
  deer_action_kind actions;
  int lanes;
  bool normalize;
  int units;
  deer_algo *algo;
  deer_replay *replay;
  deer_rng rng, data;
  step steps[MANY][STEPS];
  int n, learnt[MANY]; /* steps of every lane; those learnt from */
  step *rollout[MANY * STEPS];
  int n_rollout;
  double p[MOST];
} world;

/* ---- the network ---- */

/* a hidden layer of tanh units and a linear one; returns what follows the parameters */
static const double *net(const double *p, int n_out, const double *x, double *out) {
  double hidden[HIDDEN];
  for (int j = 0; j < HIDDEN; j++) {
    double sum = p[STATE * HIDDEN + j];
    for (int i = 0; i < STATE; i++) sum += x[i] * p[i * HIDDEN + j];
    hidden[j] = tanh(sum);
  }
  p += PART;
  for (int k = 0; k < n_out; k++) {
    out[k] = p[HIDDEN * n_out + k];
    for (int j = 0; j < HIDDEN; j++) out[k] += hidden[j] * p[j * n_out + k];
  }
  return p + HIDDEN * n_out + n_out;
}

static int size_of(const world *w) {
  int size = 2 * PART + (HIDDEN + 1) * (w->units + 1);
  return size + (w->actions == DEER_ACTIONS_CONTINUOUS ? SIZE : 0);
}

/* log p of choice a of the n that `logits` are for, and their entropy */
static double choose(const double *logits, int n, int a, double *entropy) {
  double sum = 0;
  for (int i = 0; i < n; i++) sum += exp(logits[i]);
  for (int i = 0; i < n; i++) *entropy -= exp(logits[i]) / sum * (logits[i] - log(sum));
  return logits[a] - log(sum);
}

/* the box is -2..2 by 0..1; at its ends lies all that was clipped */
static double place(const double *mean, const double *log_std, const double *a, double *entropy) {
  double log_prob = 0;
  for (int i = 0; i < SIZE; i++) {
    double x = i == 0 ? a[0] / 2 : 2 * a[1] - 1, z = (x - mean[i]) / exp(log_std[i]);
    *entropy += log_std[i] + 0.5 + 0.5 * log(2 * acos(-1.0));
    if (fabs(x) == 1)
      log_prob += log(0.5 * erfc((x > 0 ? z : -z) * sqrt(0.5)));
    else
      log_prob -= z * z / 2 + log_std[i] + 0.5 * log(2 * acos(-1.0));
  }
  return log_prob;
}

static double judge(const world *w, const double *p, const step *s, double *v, double *entropy) {
  double out[UNITS] = {0};
  const double *rest = net(p, w->units, s->s_tm1, out);
  rest = net(rest, 1, s->s_tm1, v);
  *entropy = 0;
  if (w->actions == DEER_ACTIONS_CONTINUOUS) return place(out, rest, s->a, entropy);
  int first = w->actions == DEER_ACTIONS_DISCRETE ? UNITS : 3;
  double log_prob = choose(out, first, (int)s->a[0], entropy);
  if (first < UNITS) log_prob += choose(out + first, UNITS - first, (int)s->a[1], entropy);
  return log_prob;
}

static double value(const world *w, const double *s) {
  double out[UNITS], v;
  net(net(w->p, w->units, s, out), 1, s, &v);
  return v;
}

/* ---- what is learnt from ---- */

static bool is_reinforce(const world *w) { return strcmp(w->name, "reinforce") == 0; }
static bool is_ppo(const world *w) { return strcmp(w->name, "ppo") == 0; }

/* every later error of the episode, as far as it is known */
static double advantage(const world *w, const step *first, const step *end) {
  double sum = 0, weight = 1, trace = is_reinforce(w) ? 1 : lambda;
  for (const step *s = first; s < end; s++) {
    double v_t = s->ending == DEER_TERMINATED ? 0 : value(w, s->s_t);
    sum += weight * (s->r + gamma_ * v_t - value(w, s->s_tm1));
    weight *= gamma_ * trace;
    if (s->ending != DEER_RUNNING) break;
  }
  return sum;
}

static void collect(world *w) {
  double entropy, mean = 0, squares = 0;
  w->n_rollout = 0;
  for (int lane = 0; lane < w->lanes; lane++) {
    int end = w->n;
    while (is_reinforce(w) && end > 0 && w->steps[lane][end - 1].ending == DEER_RUNNING) end--;
    for (int t = w->learnt[lane]; t < end; t++) {
      step *s = &w->steps[lane][t];
      s->advantage = advantage(w, s, &w->steps[lane][end]);
      s->log_prob = judge(w, w->p, s, &s->v, &entropy);
      s->target = s->advantage + s->v;
      w->rollout[w->n_rollout++] = s;
    }
    w->learnt[lane] = end;
  }
  for (int i = 0; i < w->n_rollout; i++) mean += w->rollout[i]->advantage / w->n_rollout;
  for (int i = 0; i < w->n_rollout; i++)
    squares += pow(w->rollout[i]->advantage - mean, 2) / w->n_rollout;
  for (int i = 0; w->normalize && i < w->n_rollout; i++)
    w->rollout[i]->advantage = (w->rollout[i]->advantage - mean) / (sqrt(squares) + 1e-8);
}

/* the loss of values goes to *value_loss */
static double loss(const world *w, const double *p, double *value_loss) {
  double policy = 0, sum = 0;
  for (int i = 0; i < w->n_rollout; i++) {
    const step *s = w->rollout[i];
    double v, entropy, log_prob = judge(w, p, s, &v, &entropy), a = s->advantage;
    double ratio = exp(log_prob - s->log_prob), squares = (v - s->target) * (v - s->target) / 2;
    double near = s->v + fmin(fmax(v - s->v, -value_clip), value_clip);
    if (is_ppo(w)) {
      policy -= fmin(ratio * a, fmin(fmax(ratio, 1 - clip), 1 + clip) * a);
      sum += fmax(squares, (near - s->target) * (near - s->target) / 2);
    } else {
      policy -= log_prob * a;
      sum += squares;
    }
    policy -= entropy_weight * entropy;
  }
  *value_loss = sum / w->n_rollout;
  return (policy + value_weight * sum) / w->n_rollout;
}

/* a step down the gradient, which is no longer than `longest`; returns the loss of values before */
static double descend(world *w) {
  double gradient[MOST], squares = 0, unused, before;
  const int n = size_of(w);
  loss(w, w->p, &before);
  for (int i = 0; i < n; i++) {
    const double x = w->p[i], h = 1e-6;
    w->p[i] = x + h;
    double up = loss(w, w->p, &unused);
    w->p[i] = x - h;
    gradient[i] = (up - loss(w, w->p, &unused)) / (2 * h);
    w->p[i] = x;
    squares += gradient[i] * gradient[i];
  }
  for (int i = 0; i < n; i++) w->p[i] -= rate * gradient[i] * fmin(1, longest / sqrt(squares));
  return before;
}

/* ---- the library's side ---- */

static deer_option number(const char *name, double x) {
  return (deer_option){name, {DEER_VALUE_NUMBER, x, NULL}};
}

static deer_space task(deer_action_kind kind) {
  deer_space space = {.n_subjects = 1, .subjects = {{1, DEER_SHAPE(STATE), DEER_DTYPE_REAL}}};
  if (kind == DEER_ACTIONS_DISCRETE)
    space.actions = (deer_action_space){.n = UNITS, .size = 1};
  else if (kind == DEER_ACTIONS_MULTI_DISCRETE)
    space.actions = (deer_action_space){.size = SIZE, .choices = {3, UNITS - 3}};
  else
    space.actions = (deer_action_space){.size = SIZE, .low = {-2, 0}, .high = {2, 1}};
  return space;
}

/* episodes are shorter than twice that */
static int horizon(const world *w) { return is_reinforce(w) ? 2 * HORIZON : HORIZON; }

static deer_algo *make_algo(const world *w, const deer_option *more, int n_more) {
  deer_space space = task(w->actions);
  deer_net_spec spec = {.n_branches = 1};
  deer_layer_spec *layer = deer_layer_add(&spec.trunk, "dense");
  deer_layer_set(layer, "units", (deer_value){DEER_VALUE_NUMBER, HIDDEN, NULL});
  deer_layer_set(layer, "activation", (deer_value){DEER_VALUE_TEXT, 0, "tanh"});
  deer_option options[16] = {{"update_rule", {DEER_VALUE_TEXT, 0, "sgd"}},
                             {"normalize_advantage", {DEER_VALUE_BOOL, w->normalize, NULL}},
                             number("batch_size", 1000),
                             number("horizon", horizon(w)),
                             number("learning_rate", rate),
                             number("discount", gamma_),
                             number("gae_lambda", is_reinforce(w) ? 1 : lambda),
                             number("entropy_coefficient", entropy_weight),
                             number("value_coefficient", value_weight),
                             number("clip_global_norm", longest)};
  int n = 10;
  if (is_reinforce(w)) options[n++] = number("episodes", w->lanes);
  if (is_ppo(w)) options[n++] = number("clip", clip);
  if (is_ppo(w)) options[n++] = number("value_clip", value_clip);
  for (int i = 0; i < n_more; i++) options[n++] = more[i];
  deer_rng rng = deer_rng_seed(3);
  deer_algo_config config = {&space, &spec, options, n, &rng};
  deer_algo *algo;
  if (deer_algo_new(deer_algo_find(w->name), &config, &algo) != DEER_OK)
    fail_msg("%s", deer_error());
  return algo;
}

static void random_numbers(deer_rng *rng, double *x, int n) {
  for (int i = 0; i < n; i++) x[i] = deer_rng_normal(rng);
}

/* Every lane makes a step. Its episodes end in turn by a terminal state and a truncation, at other
 * times than in other lanes. */
static void move(world *w) {
  deer_space space = task(w->actions);
  for (int lane = 0; lane < w->lanes; lane++) {
    const int t = w->n, phase = (t + 2 * lane) % 10;
    step *s = &w->steps[lane][t];
    *s = (step){.ending = phase == 3   ? DEER_TERMINATED
                          : phase == 9 ? DEER_TRUNCATED
                                       : DEER_RUNNING};
    if (t > 0 && s[-1].ending == DEER_RUNNING)
      memcpy(s->s_tm1, s[-1].s_t, sizeof s->s_tm1);
    else
      random_numbers(&w->data, s->s_tm1, STATE);
    random_numbers(&w->data, s->s_t, STATE);
    s->r = deer_rng_normal(&w->data);
    deer_random_action(&space.actions, &w->data, s->a);
    if (w->actions == DEER_ACTIONS_CONTINUOUS && t % 3 == 0) s->a[0] = t % 2 ? -2 : 2;
    const void *before[] = {s->s_tm1}, *after[] = {s->s_t};
    deer_sample sample = {before, s->a, s->r, s->ending, lane};
    assert_int_equal(deer_replay_push(w->replay, &sample), DEER_OK);
    if (s->ending == DEER_TRUNCATED)
      assert_int_equal(deer_replay_close(w->replay, lane, after), DEER_OK);
    if (s->ending == DEER_RUNNING)
      assert_int_equal(deer_replay_follow(w->replay, lane, after), DEER_OK);
  }
  w->n++;
}

static void start(world *w, const deer_option *more, int n_more) {
  deer_space space = task(w->actions);
  deer_replay_config config = {
      .space = &space, .lanes = w->lanes, .capacity = w->lanes * (horizon(w) + 2)};
  assert_int_equal(deer_replay_new(deer_replay_find("uniform"), &config, &w->replay), DEER_OK);
  w->units = w->actions == DEER_ACTIONS_CONTINUOUS ? SIZE : UNITS;
  w->rng = deer_rng_seed(11);
  w->data = deer_rng_seed(5);
  w->algo = make_algo(w, more, n_more);
}

static void stop(world *w) {
  deer_replay_free(w->replay);
  deer_algo_free(w->algo);
}

/* moves until the algo has learnt */
static void learn(world *w, double *loss) {
  deer_status status;
  do {
    move(w);
    status = w->algo->kind->learn(w->algo, w->replay, &w->rng, loss);
  } while (status == DEER_EAGAIN);
  if (status != DEER_OK) fail_msg("%s", deer_error());
}

typedef struct comparison {
  double *mine;
  bool take; /* copy the library's parameters instead */
  int n;
  double worst;
} comparison;

static void compare(void *context, const char *name, const deer_shape *shape, deer_real *data) {
  comparison *c = context;
  if (strncmp(name, "optimizer", 9) == 0 || strcmp(name, "updates") == 0) return;
  for (size_t i = 0; i < deer_shape_count(shape); i++, c->n++) {
    if (c->take) c->mine[c->n] = data[i];
    c->worst = fmax(c->worst, fabs(c->mine[c->n] - data[i]));
  }
}

static comparison visit(world *w, bool take) {
  comparison c = {.mine = w->p, .take = take};
  w->algo->kind->visit(w->algo, &c, compare);
  assert_int_equal(c.n, size_of(w));
  return c;
}

/* ---- tests ---- */

static void updates_agree(world w) {
  deer_option more[] = {number("epochs", 3)};
  start(&w, more, is_ppo(&w));
  visit(&w, true);
  for (int update = 1; update <= 2; update++) {
    double got, expected = 0;
    const int epochs = is_ppo(&w) ? 3 : 1;
    learn(&w, &got);
    collect(&w);
    if (!is_reinforce(&w)) assert_int_equal(w.n_rollout, w.lanes * HORIZON);
    for (int i = 0; i < epochs; i++) expected += 2 * descend(&w) / epochs;
    if (fabs(got - sqrt(expected)) > 1e-6)
      fail_msg("%s: loss %g, not %g", w.name, got, sqrt(expected));
    comparison c = visit(&w, false);
    if (!(c.worst < 1e-6))
      fail_msg("%s, %s actions, %d lanes: update %d is off by %g", w.name,
               deer_action_kind_name(w.actions), w.lanes, update, c.worst);
  }
  stop(&w);
}

static void all_agree(const char *name) {
  for (int kind = 1; kind <= DEER_ACTIONS_MULTI_DISCRETE; kind *= 2)
    for (int lanes = 1; lanes <= LANES; lanes += LANES - 1)
      for (int normalize = 0; normalize < 2; normalize++)
        updates_agree((world){.name = name,
                              .actions = (deer_action_kind)kind,
                              .lanes = lanes,
                              .normalize = normalize});
}

static void reinforce_updates(void **state) {
  (void)state;
  all_agree("reinforce");
}

static void a2c_updates(void **state) {
  (void)state;
  all_agree("a2c");
}

/* more than are valued at once */
static void many_cuts_are_all_valued(void **state) {
  (void)state;
  updates_agree((world){.name = "a2c", .actions = DEER_ACTIONS_DISCRETE, .lanes = MANY});
}

static void ppo_updates(void **state) {
  (void)state;
  all_agree("ppo");
}

/* the parameters after an update with some options more */
static void after_update(const deer_option *more, int n_more, double p[MOST]) {
  world w = {.name = "ppo", .actions = DEER_ACTIONS_DISCRETE, .lanes = LANES};
  double loss;
  start(&w, more, n_more);
  learn(&w, &loss);
  visit(&w, true);
  memcpy(p, w.p, sizeof w.p);
  stop(&w);
}

/* the first step starts at the policy that acted; before the second it has moved */
static void the_update_ends_when_the_policy_has_moved(void **state) {
  (void)state;
  double p[3][MOST];
  after_update((deer_option[]){number("epochs", 2)}, 1, p[0]);
  after_update((deer_option[]){number("epochs", 10), number("target_kl", 1e-9)}, 2, p[1]);
  after_update((deer_option[]){number("epochs", 10), number("target_kl", 100)}, 2, p[2]);
  assert_memory_equal(p[0], p[1], sizeof p[0]);
  assert_memory_not_equal(p[0], p[2], sizeof p[0]);
}

/* 32 samples in minibatches of at most 9 are four of 8: with steps too small to matter to each
 * other, an epoch goes the way of four steps along the gradient of all samples */
static void minibatches_take_every_sample_once(void **state) {
  (void)state;
  double small = 1e-7, p[3][MOST], worst = 0, longest_way = 0;
  world w = {.name = "ppo", .actions = DEER_ACTIONS_DISCRETE, .lanes = LANES};
  deer_option one[] = {number("epochs", 4), number("learning_rate", small),
                       number("clip_global_norm", 0)};
  deer_option many[] = {number("epochs", 1), number("learning_rate", small),
                        number("clip_global_norm", 0), number("batch_size", 9)};
  after_update(one, 3, p[0]);
  after_update(many, 4, p[1]);
  start(&w, NULL, 0);
  visit(&w, true);
  stop(&w);
  for (int i = 0; i < size_of(&w); i++) {
    worst = fmax(worst, fabs(p[0][i] - p[1][i]));
    longest_way = fmax(longest_way, fabs(p[0][i] - w.p[i]));
  }
  assert_true(longest_way > 1e-8);
  assert_true(worst < 1e-5 * longest_way);
}

/* what cannot be gathered is left out, and the step before it bootstraps */
static void samples_without_a_successor_are_left_out(void **state) {
  (void)state;
  world w = {.name = "a2c", .actions = DEER_ACTIONS_DISCRETE, .lanes = 1};
  double got;
  start(&w, NULL, 0);
  visit(&w, true);
  for (int t = 0; t < HORIZON; t++) {
    step *s = &w.steps[0][t];
    random_numbers(&w.data, t > 0 ? s[-1].s_t : s->s_tm1, STATE);
    if (t > 0) memcpy(s->s_tm1, s[-1].s_t, sizeof s->s_tm1);
    const void *observation[] = {s->s_tm1};
    s->r = t;
    deer_sample sample = {observation, s->a, s->r, DEER_RUNNING, 0};
    assert_int_equal(deer_replay_push(w.replay, &sample), DEER_OK);
  }
  w.n = HORIZON - 1;
  assert_int_equal(w.algo->kind->learn(w.algo, w.replay, &w.rng, &got), DEER_OK);
  collect(&w);
  descend(&w);
  assert_true(visit(&w, false).worst < 1e-6);
  assert_int_equal(w.algo->kind->learn(w.algo, w.replay, &w.rng, &got), DEER_EAGAIN);
  assert_string_equal(deer_error(), "the rollout is not complete");
  stop(&w);
}

/* values that nobody learns have no gradient, and returns are not compared with them */
static void without_a_baseline_returns_are_what_counts(void **state) {
  (void)state;
  world w = {.name = "reinforce", .actions = DEER_ACTIONS_DISCRETE, .lanes = 1};
  deer_option more[] = {{"baseline", {DEER_VALUE_BOOL, 0, NULL}}};
  double got, start_p[MOST];
  start(&w, more, 1);
  visit(&w, true);
  memcpy(start_p, w.p, sizeof start_p);
  learn(&w, &got);
  assert_true(got == 0);
  collect(&w);
  assert_int_equal(w.n_rollout, 4); /* its episode ends in a terminal state */
  for (int i = 3; i >= 0; i--) {
    step *s = w.rollout[i];
    s->advantage = s->r + (i < 3 ? gamma_ * w.rollout[i + 1]->advantage : 0);
    s->target = value(&w, s->s_tm1);
  }
  descend(&w);
  assert_true(visit(&w, false).worst < 1e-6);
  assert_memory_equal(w.p + size_of(&w) - PART - HIDDEN - 1,
                      start_p + size_of(&w) - PART - HIDDEN - 1, (HIDDEN + 1) * sizeof *w.p);
  stop(&w);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(reinforce_updates),
      cmocka_unit_test(a2c_updates),
      cmocka_unit_test(many_cuts_are_all_valued),
      cmocka_unit_test(ppo_updates),
      cmocka_unit_test(the_update_ends_when_the_policy_has_moved),
      cmocka_unit_test(minibatches_take_every_sample_once),
      cmocka_unit_test(samples_without_a_successor_are_left_out),
      cmocka_unit_test(without_a_baseline_returns_are_what_counts),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
